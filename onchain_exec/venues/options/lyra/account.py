"""A short on Lyra as every account with collateral is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.core import Address, BlockRef, Call, Condition, Reading
from onchain_exec.core.abi import Function
from onchain_exec.core.action import Spend, VenueCall
from onchain_exec.core.fixed_point import BPS, MAX_UINT256, WAD, div_up
from onchain_exec.errors import InputError
from onchain_exec.venues.collateral import Health, LiquidationPrice
from onchain_exec.venues.options.lyra.collateral import (
    Short,
    can_liquidate,
    find_liquidation_spot_wad,
    get_collateral_min,
)
from onchain_exec.venues.options.lyra.market import LyraMarket, read_lyra
from onchain_exec.venues.options.lyra.state import Contracts, LyraState
from onchain_exec.venues.options.market import OptionOrder, Position

_SPOT: Final = Function("getSpotPriceForMarket(address)", "(uint256)")


@dataclass(frozen=True, slots=True)
class LyraShortAccount:
    """See `CollateralAccount`. Each short is liquidated alone, and its price is the spot's, in 1e18.

    The health factor is its collateral over the least that is not liquidated; free collateral is what is
    beyond, in base units of what it holds. Its actions are orders of this position: closes, and changes of
    the collateral (an amount of 0). ``slippage_bps`` bounds what they cost.
    """

    market: LyraMarket
    position: Position
    read_at: BlockRef
    slippage_bps: int = 50

    @property
    def key(self) -> str:
        """The position's name, unique on its chain."""
        return f"lyra:{self.market.state.contracts.market}:{self.position.position_id}"

    @property
    def owner(self) -> Address:
        """Who has written it."""
        return self.position.owner

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        return self.read_at

    @property
    def health(self) -> Health:
        """How far it is from liquidation."""
        state, short = self.market.state, self._short
        least = get_collateral_min(short, state.spot_wad, state.timestamp, state.parameters)
        nearest = find_liquidation_spot_wad(short, state.timestamp, state.parameters) if least else None
        factor = short.collateral * WAD // least if least else MAX_UINT256
        if can_liquidate(short, state.spot_wad, state.timestamp, state.parameters):
            factor, nearest = min(factor, WAD - 1), state.spot_wad
        prices = () if nearest is None else (LiquidationPrice("spot", state.spot_wad, nearest),)
        return Health(factor, short.collateral - least, WAD, prices)

    def at_time(self, at: int) -> LyraShortAccount:
        """Return it at a later time, at the same spot."""
        return self._with(replace(self.market.state, timestamp=at))

    def at_price(self, asset: Address, price: int) -> LyraShortAccount:
        """Return it at another spot; ``asset`` is the base, the only one that has a price here."""
        if asset != self.market.state.base.address:
            raise InputError(f"the price of {asset}", needed=f"the base, {self.market.state.base.address}")
        return self._with(replace(self.market.state, spot_wad=price))

    def after(self, action: OptionOrder) -> LyraShortAccount:
        """Return what the order leaves of the short; what it costs is for `LyraMarket.preview` to say."""
        self._require_own(action)
        self.market.preview(action)  # raises where the contract reverts
        change = -action.amount if action.is_close else action.amount
        left = replace(self.position, amount=self.position.amount + change, collateral=action.collateral_to)
        return replace(self, position=left)

    def encode(self, action: OptionOrder) -> VenueCall:
        """Return the order's call, and what the market may pull for it."""
        self._require_own(action)
        preview = self.market.preview(action)
        (call,) = self.market.encode(preview, self.slippage_bps)
        to, number = self.market.state.contracts.market, self.position.position_id
        spends = tuple(
            Spend(flow.token.address, div_up(flow.amount * (BPS + self.slippage_bps), BPS), to)
            for flow in preview.flows
            if flow.amount > 0
        )
        label = f"close {action.amount / WAD:g} of" if action.is_close else "change the collateral of"
        return VenueCall(f"{label} short {number}", to, call.data, spends=spends)

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition that the market's spot is not yet where this short, as it is here, would have
        a lower health factor. Take it of the account after the action that it is to guard."""
        state, scaled = self.market.state, self._short.collateral * WAD // min_health_factor_wad
        short = replace(self._short, collateral=scaled)
        broken = find_liquidation_spot_wad(short, state.timestamp, state.parameters)
        spot = Call(state.contracts.adapter, _SPOT.encode(state.contracts.market))
        if broken is None:  # covered in full: no spot does it
            return Condition.at_least(spot, 0, label="spot")
        if short.option_type.is_call:
            return Condition.at_most(spot, broken - 1, label="spot")
        return Condition.at_least(spot, broken + 1, label="spot")

    @property
    def _short(self) -> Short:
        series, held = self.position.series, self.position
        kind = self.market.to_lyra_order(OptionOrder(series, held.side, 0, position=held)).option_type
        return Short(kind, series.strike_wad, series.expiry_at, held.amount, held.collateral)

    def _with(self, state: LyraState) -> LyraShortAccount:
        return replace(self, market=replace(self.market, state=state))

    def _require_own(self, action: OptionOrder) -> None:
        if action.position is None or action.position.position_id != self.position.position_id:
            raise InputError(
                "an order of another position", needed=f"one of position {self.position.position_id}"
            )


def read_lyra_shorts(contracts: Contracts, owner: Address) -> Reading[tuple[LyraShortAccount, ...]]:
    """Read every short that ``owner`` has in a market's live boards.

    Raises:
        PoolRevertError, StaleStateError, TokenRefusedError, InputError: as of `read_lyra`.
    """
    snapshot = yield (Call(contracts.adapter, _SPOT.encode(contracts.market)),)
    market, positions = yield from read_lyra(contracts, owner)
    return tuple(
        LyraShortAccount(market, position, snapshot.block)
        for position in positions
        if position.collateral_token is not None and position.series.series_id not in market.settled
    )
