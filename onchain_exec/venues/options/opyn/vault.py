"""A Gamma vault and what its margin follows from, as of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from onchain_exec.core import Address, Token
from onchain_exec.errors import StaleStateError


class VaultKind(IntEnum):
    """``vaultType``: covered whatever happens, alone or as a spread, or on margin."""

    COVERED = 0
    NAKED = 1


@dataclass(frozen=True, slots=True)
class Otoken:
    """One option token. ``strike_e8`` is in whole strike asset per whole underlying, 8 decimals; amounts of
    the token have 8 decimals, too."""

    address: Address
    underlying: Token
    strike_asset: Token
    collateral: Token
    strike_e8: int
    expiry_at: int
    is_put: bool


@dataclass(frozen=True, slots=True)
class Vault:
    """``MarginVault.Vault`` of at most one short, one long and one collateral, in their base units; the
    collateral is in the option's."""

    kind: VaultKind
    short: Otoken | None = None
    short_amount: int = 0
    long: Otoken | None = None
    long_amount: int = 0
    collateral: int = 0


@dataclass(frozen=True, slots=True)
class NakedRules:
    """What a product's naked shorts are margined with, 27 decimals: the shock on the spot, and by seconds to
    expiry, rising, the greatest price of an option in parts of what it is on. ``dust`` is the collateral that
    a vault must exceed, in base units."""

    spot_shock_e27: int
    max_prices_e27: tuple[tuple[int, int], ...]
    dust: int


@dataclass(frozen=True, slots=True)
class Prices:
    """The oracle's prices, in dollars with 8 decimals: live ones by asset; those at expiry by asset and
    expiry, of finalised ones only."""

    live_e8: Mapping[Address, int]
    at_expiry_e8: Mapping[tuple[Address, int], int] = field(default_factory=dict)

    def get_live_e8(self, token: Token) -> int:
        """Return a live price.

        Raises:
            StaleStateError: the oracle has none above 0.
        """
        price = self.live_e8.get(token.address, 0)
        if price <= 0:
            raise StaleStateError(f"the oracle's price of {token} is {price}", needed="one above 0")
        return price

    def get_at_expiry_e8(self, token: Token, expiry_at: int) -> int:
        """Return a price at expiry.

        Raises:
            StaleStateError: there is none, or it can still be disputed.
        """
        price = self.at_expiry_e8.get((token.address, expiry_at))
        if price is None:
            raise StaleStateError(
                f"no final price of {token} at {expiry_at}",
                needed="one that the oracle has finalised",
                todo="Wait until its dispute period is over",
            )
        return price
