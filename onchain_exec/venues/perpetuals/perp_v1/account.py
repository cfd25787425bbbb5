"""An account of Perpetual Protocol v1 as every account with collateral is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.core import Address, BlockRef, Call, Condition, Reading
from onchain_exec.core.abi import Function
from onchain_exec.core.action import Spend
from onchain_exec.core.fixed_point import MAX_UINT256, WAD, div_up
from onchain_exec.errors import InputError
from onchain_exec.venues.perpetuals.account import PerpetualAccount
from onchain_exec.venues.perpetuals.actions import PerpetualAction, Trade
from onchain_exec.venues.perpetuals.perp_v1.reads import read_perp_v1
from onchain_exec.venues.perpetuals.perp_v1.venue import PerpV1Venue
from onchain_exec.venues.perpetuals.venue import AccountState

_MARGIN_RATIO: Final = Function("getMarginRatio(address,address)", "(int256)")


@dataclass(frozen=True, slots=True)
class PerpV1Account(PerpetualAccount[PerpV1Venue]):
    """Each position has margin of its own: the health factor is the weakest one's margin ratio over the
    maintenance ratio. ``market`` is the one that guards are about, None where none was named."""

    market: Address | None = None

    @property
    def key(self) -> str:
        """The clearing house's name, unique on its chain."""
        return f"perp_v1:{self.venue.house.address}"

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        return self.venue.house.block

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition that the clearing house itself finds so many times the maintenance ratio in
        the named market's position; one that is closed has no ratio, and breaks it.

        Raises:
            InputError: the account was read without a market.
        """
        if self.market is None:
            raise InputError(
                "a guard on an account of isolated positions",
                needed="the market of one of them",
                todo="Name the market when the account is read",
            )
        bound = div_up(min_health_factor_wad * self.venue.house.maintenance_margin, WAD)
        call = Call(self.venue.house.address, _MARGIN_RATIO.encode(self.market, self.owner))
        return Condition.at_least(call, bound, signed=True, label="margin ratio")

    def with_leverage(self, leverage_wad: int) -> PerpV1Account:
        """Return the account whose trades add margin by another leverage."""
        return replace(self, venue=replace(self.venue, leverage_wad=leverage_wad))

    def _list_spends(self, action: PerpetualAction, call: Call) -> tuple[Spend, ...]:
        """A trade that adds pulls its margin and fees: that much at the most."""
        if not isinstance(action, Trade):
            return PerpetualAccount._list_spends(self, action, call)
        house = self.venue.house
        traded = self.venue.preview_trade(self.owner, action.market, action.size_wad)
        money = max(abs(traded.notional_wad), abs(action.bound_wad) if action.size_wad > 0 else 0)
        fee = div_up(traded.fee_wad * money, max(1, abs(traded.notional_wad)))
        wanted = div_up(money * WAD, self.venue.leverage_wad) + fee
        token = house.get_cash(house.get_amm(action.market)).token
        return (Spend(token.address, div_up(wanted * 10**token.decimals, WAD) + 1, call.to),)

    def _get_health_factor(self, state: AccountState) -> int:
        ratios = [one.margin_ratio_wad for one in state.positions if one.margin_ratio_wad is not None]
        if not ratios:
            return MAX_UINT256
        factor = max(0, min(ratios)) * WAD // self.venue.house.maintenance_margin
        return min(factor, WAD - 1) if state.is_liquidatable else factor


def read_perp_v1_account(
    clearing_house: Address, owner: Address, markets: Iterable[Address] = ()
) -> Reading[PerpV1Account]:
    """Read an account with its positions in every market; guards are about the first of ``markets``.

    Raises:
        InputError, StateError: as of `read_perp_v1`.
    """
    house = yield from read_perp_v1(clearing_house, (owner,))
    return PerpV1Account(PerpV1Venue(house), owner, next(iter(markets), None))
