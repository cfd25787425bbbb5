"""An account of Perpetual Protocol v2 as every account with collateral is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, assert_never

from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Call, Condition, Reading
from onchain_exec.core.abi import Function
from onchain_exec.core.action import Spend, VenueCall
from onchain_exec.core.fixed_point import MAX_UINT256, WAD, div_up
from onchain_exec.venues.collateral import Health, LiquidationPrice
from onchain_exec.venues.perpetuals.actions import Close, Deposit, PerpetualAction, Trade, Withdraw
from onchain_exec.venues.perpetuals.perp_v2.reads import read_perp_v2
from onchain_exec.venues.perpetuals.perp_v2.venue import PerpV2Venue
from onchain_exec.venues.perpetuals.venue import AccountState

_FREE_BY_RATIO: Final = Function("getFreeCollateralByRatio(address,uint24)", "(int256)")
_NO_MARKET: Final = ZERO_ADDRESS  # margin is shared


@dataclass(frozen=True, slots=True)
class PerpV2Account:
    """See `CollateralAccount`. Its health factor is its value over the margin below which it is liquidated;
    prices are the index's, in 1e18, and the mark price follows them."""

    venue: PerpV2Venue
    owner: Address

    @property
    def key(self) -> str:
        """The exchange's name, unique on its chain."""
        return f"perp_v2:{self.venue.state.contracts.clearing_house}"

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        return self.venue.state.block

    @property
    def state(self) -> AccountState:
        """Its positions, value and margins."""
        return self.venue.get_account(self.owner)

    @property
    def health(self) -> Health:
        """How far it is from liquidation; free collateral is in 1e18 of the settlement token."""
        state = self.state
        ratios = [one.margin_ratio_wad for one in state.positions if one.margin_ratio_wad is not None]
        return Health(
            health_factor_wad=_get_health_factor(state),
            free_collateral=state.free_collateral_wad,
            unit=WAD,
            liquidation_prices=tuple(
                LiquidationPrice(found.symbol, found.mark_price_wad, position.liquidation_price_wad)
                for position in state.positions
                if position.liquidation_price_wad is not None
                for found in (self.venue.get_market(position.market),)
            ),
            margin_ratio_wad=min(ratios, default=None),
        )

    def at_time(self, at: int) -> PerpV2Account:
        """Return it at a later time, with the funding until then."""
        return replace(self, venue=self.venue.seen_at(at))

    def at_price(self, asset: Address, price: int) -> PerpV2Account:
        """Return it at another index of the market with this base token."""
        return replace(self, venue=self.venue.with_index(asset, price))

    def after(self, action: PerpetualAction) -> PerpV2Account:
        """Return what the action leaves."""
        owner, venue = self.owner, self.venue
        match action:
            case Trade(market, size_wad):
                after = venue.preview_trade(owner, market, size_wad).after
            case Close(market):
                after = venue.preview_close(owner, market).after
            case Deposit(token, amount):
                after = venue.preview_deposit(owner, token.address, amount, _NO_MARKET)
            case Withdraw(token, amount):
                after = venue.preview_withdraw(owner, token.address, amount, _NO_MARKET)
            case never:
                assert_never(never)
        return replace(self, venue=after)

    def encode(self, action: PerpetualAction) -> VenueCall:
        """Return the call that performs the action; a trade's deadline is the account's time."""
        owner, venue, spends = self.owner, self.venue, tuple[Spend, ...]()
        match action:
            case Trade(market, size_wad, bound_wad):
                call = venue.encode_trade(owner, market, size_wad, bound_wad, venue.at)
            case Close(market, bound_wad):
                call = venue.encode_close(owner, market, bound_wad, venue.at)
            case Deposit(token, amount):
                call = venue.encode_deposit(owner, token.address, amount, _NO_MARKET)
                spends = (Spend(token.address, amount, call.to),)
            case Withdraw(token, amount):
                call = venue.encode_withdraw(owner, token.address, amount, _NO_MARKET)
            case never:
                assert_never(never)
        return VenueCall(str(action), call.to or ZERO_ADDRESS, call.data, spends=spends)

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition that the vault itself finds free collateral at so many times the maintenance
        ratio: then the health factor is at least this. It asks for more where profit is open."""
        pips = div_up(min_health_factor_wad * self.venue.state.rules.maintenance_margin_pips, WAD)
        call = Call(self.venue.state.contracts.vault, _FREE_BY_RATIO.encode(self.owner, pips))
        return Condition.at_least(call, 0, signed=True, label=f"free collateral at a margin of {pips} pips")


def read_perp_v2_account(
    clearing_house: Address, owner: Address, markets: Iterable[Address] = ()
) -> Reading[PerpV2Account]:
    """Read an account with all that it is in, and ``markets`` besides.

    Raises:
        InputError, StateError: as of `read_perp_v2`.
    """
    state = yield from read_perp_v2(clearing_house, (owner,), tuple(dict.fromkeys(markets)))
    return PerpV2Account(PerpV2Venue(state), owner)


def _get_health_factor(state: AccountState) -> int:
    """The vault rounds the value to the settlement token's units before it compares: its word decides."""
    if not state.maintenance_margin_wad:
        return MAX_UINT256
    ratio = max(0, state.value_wad) * WAD // state.maintenance_margin_wad
    return min(ratio, WAD - 1) if state.is_liquidatable else max(ratio, WAD)
