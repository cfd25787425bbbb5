"""An account of any perpetual venue as every account with collateral is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar, assert_never

from onchain_exec.core import ZERO_ADDRESS, Address, Call
from onchain_exec.core.action import Spend, VenueCall
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.venues.collateral import Health, LiquidationPrice
from onchain_exec.venues.perpetuals.actions import Close, Deposit, PerpetualAction, Trade, Withdraw
from onchain_exec.venues.perpetuals.venue import AccountState, PerpetualVenue

V = TypeVar("V", bound=PerpetualVenue)


@dataclass(frozen=True, slots=True)
class PerpetualAccount(Generic[V]):
    """See `CollateralAccount`. Prices are the index's, in 1e18; free collateral is in 1e18 of the money."""

    venue: V
    owner: Address

    @property
    def state(self) -> AccountState:
        """Its positions, value and margins."""
        return self.venue.get_account(self.owner)

    @property
    def health(self) -> Health:
        """How far it is from liquidation."""
        state = self.state
        ratios = [one.margin_ratio_wad for one in state.positions if one.margin_ratio_wad is not None]
        return Health(
            health_factor_wad=self._get_health_factor(state),
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

    def at_time(self, at: int) -> Self:
        """Return it at a later time, with the funding until then."""
        return replace(self, venue=self.venue.seen_at(at))

    def at_price(self, asset: Address, price: int) -> Self:
        """Return it at another index of a market."""
        return replace(self, venue=self.venue.with_index(asset, price))

    def after(self, action: PerpetualAction) -> Self:
        """Return what the action leaves."""
        owner, venue = self.owner, self.venue
        match action:
            case Trade(market, size_wad):
                after = venue.preview_trade(owner, market, size_wad).after
            case Close(market):
                after = venue.preview_close(owner, market).after
            case Deposit(token, amount, market):
                after = venue.preview_deposit(owner, token.address, amount, market)
            case Withdraw(token, amount, market):
                after = venue.preview_withdraw(owner, token.address, amount, market)
            case never:
                assert_never(never)
        return replace(self, venue=after)

    def encode(self, action: PerpetualAction) -> VenueCall:
        """Return the call that performs the action; a trade's deadline is the account's time."""
        owner, venue = self.owner, self.venue
        match action:
            case Trade(market, size_wad, bound_wad):
                call = venue.encode_trade(owner, market, size_wad, bound_wad, venue.at)
            case Close(market, bound_wad):
                call = venue.encode_close(owner, market, bound_wad, venue.at)
            case Deposit(token, amount, market):
                call = venue.encode_deposit(owner, token.address, amount, market)
            case Withdraw(token, amount, market):
                call = venue.encode_withdraw(owner, token.address, amount, market)
            case never:
                assert_never(never)
        spends = self._list_spends(action, call)
        return VenueCall(self._name(action), call.to or ZERO_ADDRESS, call.data, call.value_wei, spends)

    def _name(self, action: PerpetualAction) -> str:
        """Name what the call does, for people: of a trade in two phases, that it is asked for."""
        is_asked_for = self.venue.is_two_phase and isinstance(action, Trade | Close)
        return f"ask to {action}" if is_asked_for else str(action)

    def _list_spends(self, action: PerpetualAction, call: Call) -> tuple[Spend, ...]:
        """What is deposited is pulled by who is called; trades settle within the venue."""
        if isinstance(action, Deposit):
            return (Spend(action.token.address, action.amount, call.to),)
        return ()

    def _get_health_factor(self, state: AccountState) -> int:
        """Value over maintenance margin. The venue rounds before it compares: its word decides."""
        if not state.maintenance_margin_wad:
            return MAX_UINT256
        ratio = max(0, state.value_wad) * WAD // state.maintenance_margin_wad
        return min(ratio, WAD - 1) if state.is_liquidatable else max(ratio, WAD)
