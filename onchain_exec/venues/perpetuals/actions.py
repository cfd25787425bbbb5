"""What an account does at a venue of perpetual futures: sizes and money in 1e18, tokens in base units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from onchain_exec.core import ZERO_ADDRESS, Address, Token, format_tokens
from onchain_exec.core.fixed_point import WAD


class _InMarket:
    """What is done in one market; in none where that is the zero address."""

    __slots__ = ()
    market: Address

    @property
    def named(self) -> tuple[Address, ...]:
        """What the account must be read with."""
        return () if self.market == ZERO_ADDRESS else (self.market,)


@dataclass(frozen=True, slots=True)
class Trade(_InMarket):
    """Change the position in ``market`` by ``size_wad``, bought above 0; ``bound_wad`` is the money to pay at
    most or get at least, the fee included."""

    market: Address
    size_wad: int
    bound_wad: int

    def __str__(self) -> str:
        return f"{'buy' if self.size_wad > 0 else 'sell'} {abs(self.size_wad) / WAD:g} in {self.market}"


@dataclass(frozen=True, slots=True)
class Close(_InMarket):
    """Close the position in ``market``, with the same kind of bound."""

    market: Address
    bound_wad: int

    def __str__(self) -> str:
        return f"close the position in {self.market}"


@dataclass(frozen=True, slots=True)
class Deposit(_InMarket):
    """Bring ``amount`` of the settlement token, or of another collateral that the account has already; to the
    position in ``market`` where margin is isolated."""

    token: Token
    amount: int
    market: Address = ZERO_ADDRESS

    def __str__(self) -> str:
        return f"deposit {format_tokens(self.amount, self.token)}"


@dataclass(frozen=True, slots=True)
class Withdraw(_InMarket):
    """Take ``amount`` of a collateral out; of the position in ``market`` where margin is isolated."""

    token: Token
    amount: int
    market: Address = ZERO_ADDRESS

    def __str__(self) -> str:
        return f"withdraw {format_tokens(self.amount, self.token)}"


PerpetualAction: TypeAlias = Trade | Close | Deposit | Withdraw
