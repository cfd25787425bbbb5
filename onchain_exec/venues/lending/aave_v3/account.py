"""An account of an Aave v3 market: its health, what it may do, and what would become of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Call, Condition
from onchain_exec.core.abi import Function
from onchain_exec.core.action import VenueCall
from onchain_exec.venues.collateral import Health, LiquidationPrice
from onchain_exec.venues.lending.aave_v3.calls import encode_action
from onchain_exec.venues.lending.aave_v3.changes import apply
from onchain_exec.venues.lending.aave_v3.liquidation_price import find_liquidation_price
from onchain_exec.venues.lending.aave_v3.state import AaveState, Holding
from onchain_exec.venues.lending.actions import LendingAction

GET_USER_ACCOUNT_DATA: Final = Function(
    "getUserAccountData(address)", "(uint256,uint256,uint256,uint256,uint256,uint256)"
)
_HEALTH_FACTOR_WORD: Final = 5


@dataclass(frozen=True, slots=True)
class AaveAccount(AaveState):
    """See `CollateralAccount`: prices are the oracle's, in its base currency per whole token."""

    @property
    def key(self) -> str:
        """The market's name, unique on its chain."""
        return f"aave_v3:{self.pool}"

    @property
    def health(self) -> Health:
        """How far the account is from liquidation; free collateral is what it could borrow."""
        data = self.data
        return Health(
            health_factor_wad=data.health_factor_wad,
            free_collateral=data.available_borrows,
            unit=self.base_unit,
            liquidation_prices=tuple(self._list_liquidation_prices()) if data.debt else (),
        )

    def after(self, action: LendingAction) -> AaveAccount:
        """Return the account after an action of its own at its time; see `changes.apply`."""
        return apply(self, action)

    def encode(self, action: LendingAction) -> VenueCall:
        """Return the call of the pool that performs the action, and what it may take."""
        return encode_action(self, action)

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition on the pool's own word that the health factor is at least this."""
        call = Call(self.pool, GET_USER_ACCOUNT_DATA.encode(self.owner))
        return Condition.at_least(
            call, min_health_factor_wad, word=_HEALTH_FACTOR_WORD, label="health factor"
        )

    def _list_liquidation_prices(self) -> Iterator[LiquidationPrice]:
        """Yield the liquidation price of each asset that can bring it about alone."""
        for holding in self.holdings.values():
            found = self._find_liquidation_price(holding)
            if found is not None:
                reserve = holding.reserve
                yield LiquidationPrice(reserve.token.symbol, reserve.price, found)

    def _find_liquidation_price(self, holding: Holding) -> int | None:
        position, reserve = holding.position, holding.reserve
        mode = self.get_mode(reserve)
        if not (position.is_collateral or position.is_borrowing) or (mode and mode.price):
            return None  # it plays no part, or its e-mode's source tells its price
        token = reserve.token.address
        return find_liquidation_price(
            lambda price: self.at_price(token, price).data.is_liquidatable, reserve.price
        )
