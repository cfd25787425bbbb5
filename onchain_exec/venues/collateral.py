"""What every account with collateral has in common, wherever it is: how far it is from liquidation, what
would become of it, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from onchain_exec.core import Address, BlockRef, Condition
from onchain_exec.core.action import VenueCall
from onchain_exec.core.fixed_point import BPS, MAX_UINT256, WAD


@dataclass(frozen=True, slots=True)
class LiquidationPrice:
    """At which price of one asset, all else equal, an account can first be liquidated.

    Both prices are as the venue counts them: only their ratio means something here.
    """

    asset: str
    price: int
    liquidation_price: int

    @property
    def distance_bps(self) -> int:
        """How far the price has to move, of itself, rounded down."""
        return abs(self.price - self.liquidation_price) * BPS // self.price


@dataclass(frozen=True, slots=True)
class Health:
    """How far an account is from liquidation.

    ``health_factor_wad`` is what the collateral counts for over what is needed: below 1e18 anybody may
    liquidate, and MAX_UINT256 is an account that owes nothing. ``margin_ratio_wad`` is the account's
    value over its positions, where the venue counts so. ``free_collateral`` could be taken or
    borrowed now, in units of which ``unit`` are one of the venue's base currency.
    """

    health_factor_wad: int
    free_collateral: int
    unit: int
    liquidation_prices: tuple[LiquidationPrice, ...] = ()
    margin_ratio_wad: int | None = None

    @property
    def is_liquidatable(self) -> bool:
        """Whether anybody may liquidate it."""
        return self.health_factor_wad < WAD

    @property
    def owes_nothing(self) -> bool:
        """Whether no price can make it liquidatable."""
        return self.health_factor_wad == MAX_UINT256

    @property
    def distance_bps(self) -> int | None:
        """How far the nearest price that liquidates it is; None where no single price does."""
        if self.is_liquidatable:
            return 0
        return min((found.distance_bps for found in self.liquidation_prices), default=None)


Action_contra = TypeVar("Action_contra", contravariant=True)


class CollateralAccount(Protocol[Action_contra]):
    """An account as a venue counts it, frozen at one block and time.

    `after` and `at_time` are mirrors of the chain: they raise PoolRevertError where it reverts.
    """

    @property
    def key(self) -> str:
        """The venue's kind and contract: unique on its chain."""
        ...

    @property
    def owner(self) -> Address:
        """Whose account it is."""
        ...

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        ...

    @property
    def health(self) -> Health:
        """How far it is from liquidation."""
        ...

    def at_time(self, at: int) -> Self:
        """Return it at a later unix second, with what accrues until then."""
        ...

    def at_price(self, asset: Address, price: int) -> Self:
        """Return it at another price of an asset or market, as the venue counts prices."""
        ...

    def after(self, action: Action_contra) -> Self:
        """Return what the action leaves."""
        ...

    def encode(self, action: Action_contra) -> VenueCall:
        """Return the call that performs the action."""
        ...

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition on the chain itself that the health factor is at least this."""
        ...
