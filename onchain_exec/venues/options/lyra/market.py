"""A Lyra market as every options protocol is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from onchain_exec.core import Address, Call, Reading, Token
from onchain_exec.core.fixed_point import BPS, MAX_UINT256, WAD, mul_div_down, mul_div_up
from onchain_exec.errors import InputError, UnsupportedOrderError
from onchain_exec.pricing.options import black_scholes
from onchain_exec.venues.options.lyra.black_scholes import SECONDS_PER_YEAR
from onchain_exec.venues.options.lyra.codec import (
    encode_board_settlement,
    encode_option_settlement,
    encode_trade,
)
from onchain_exec.venues.options.lyra.collateral import Short, get_collateral_min
from onchain_exec.venues.options.lyra.decimal_math import mul_wad
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.reads import read_market, read_positions, read_settlement_terms
from onchain_exec.venues.options.lyra.settlement import SettlementTerms, expect_terms, settle
from onchain_exec.venues.options.lyra.state import Contracts, LyraState, OptionType, StoredPosition
from onchain_exec.venues.options.lyra.trade import Holding, LyraOrder, trade
from onchain_exec.venues.options.market import (
    Flow,
    OptionGreeks,
    OptionOrder,
    OptionPreview,
    Position,
    Series,
    SeriesState,
    Side,
)


@dataclass(frozen=True, slots=True)
class LyraMarket:
    """An `OptionMarket`. ``settled`` are the terms of strikes whose boards are no longer live."""

    state: LyraState
    settled: Mapping[int, SettlementTerms] = field(default_factory=dict)

    @property
    def timestamp(self) -> int:
        """The block's time."""
        return self.state.timestamp

    @property
    def series(self) -> tuple[Series, ...]:
        """A call and a put of each strike of the live boards."""
        return tuple(
            self._make_series(strike.strike_id, is_call, strike.price_wad, board.expiry_at)
            for board in self.state.boards
            for strike in board.strikes
            for is_call in (True, False)
        )

    def find_series(self, strike_id: int, is_call: bool) -> Series:
        """Return a series by its strike.

        Raises:
            InputError: the market has no such strike.
        """
        listed = {(one.series_id, one.is_call): one for one in self.series}
        if (strike_id, is_call) in listed:
            return listed[strike_id, is_call]
        if strike_id in self.settled:
            terms = self.settled[strike_id]
            return self._make_series(strike_id, is_call, terms.strike_wad, terms.expiry_at)
        raise InputError(
            f"strike {strike_id} of market {self.state.contracts.market}",
            needed=f"one of {sorted({one.series_id for one in self.series})}",
        )

    def get_state(self, series: Series) -> SeriesState:
        """Return what may be done with a series; see `OptionMarket.get_state`."""
        if series.series_id in self.settled:
            return SeriesState.SETTLED
        board, _ = self.state.find_strike(series.series_id)
        if self.timestamp >= board.expiry_at:
            return SeriesState.EXPIRED
        if board.is_frozen:
            return SeriesState.FROZEN
        cutoff_s = self.state.parameters.limits.trading_cutoff_s
        return SeriesState.CLOSE_ONLY if self.timestamp + cutoff_s > board.expiry_at else SeriesState.OPEN

    def get_vol_wad(self, series: Series) -> int:
        """Return the board's volatility times the strike's skew, before a trade moves them."""
        board, strike = self.state.find_strike(series.series_id)
        return mul_wad(board.iv_wad, strike.skew_wad)

    def get_forward(self, series: Series) -> float:
        """Return the spot grown at the market's rate."""
        rate = self.state.parameters.greeks.rate_wad / WAD
        return self.state.spot_wad / WAD * math.exp(rate * self._get_years(series))

    def get_greeks(self, series: Series) -> OptionGreeks:
        """Return price and Greeks at the market's volatility and rate."""
        found = black_scholes.get_greeks(
            series.is_call,
            self.state.spot_wad / WAD,
            series.strike_wad / WAD,
            self._get_years(series),
            self.get_vol_wad(series) / WAD,
            black_scholes.Carry(rate=self.state.parameters.greeks.rate_wad / WAD),
        )
        values = (found.price, found.delta, found.gamma, found.vega, found.theta)
        return OptionGreeks(*(float(value) for value in values))

    def preview(self, order: OptionOrder) -> OptionPreview:
        """Return what the order does; see `OptionMarket.preview`, and `trade.trade`."""
        traded = trade(self.state, self.to_lyra_order(order))
        vol_wad = traded.parts[-1].vol_wad if traded.parts else self.get_vol_wad(order.series)
        premium = sum(part.premium for part in traded.parts)
        flows = (Flow(self.state.quote, traded.quote_paid), Flow(self.state.base, traded.base_paid))
        moving = tuple(flow for flow in flows if flow.amount)
        return OptionPreview(order, premium, traded.fee, traded.cost, vol_wad, moving)

    def get_collateral_min(self, order: OptionOrder) -> int:
        """Return the least collateral of the short that the order leaves, by the contract's own function."""
        kind, held = self._get_type(order), order.position.amount if order.position else 0
        if kind.is_long:
            return 0
        amount = held - order.amount if order.is_close else held + order.amount
        short = Short(kind, order.series.strike_wad, order.series.expiry_at, amount, 0)
        return get_collateral_min(short, self.state.spot_wad, self.timestamp, self.state.parameters)

    def encode(self, preview: OptionPreview, slippage_bps: int) -> tuple[Call, ...]:
        """Return the trade, bounded in its total cost, rounded in the trader's favour."""
        order = preview.order
        pays = (order.side is Side.LONG) is not order.is_close
        most = mul_div_down(preview.cost, BPS + slippage_bps, BPS) if pays else MAX_UINT256
        least = 0 if pays else mul_div_up(preview.cost, BPS - slippage_bps, BPS)
        return (encode_trade(self.state.contracts, self.to_lyra_order(order), least, most),)

    def preview_settlement(self, position: Position) -> tuple[Flow, ...]:
        """Return what the owner gets; see `settlement.settle`. Of an expired board that is not settled yet,
        what it would be at the block's spot, as `encode_settlement` settles both."""
        kind = _get_type(position.series, position.side, position.collateral_token)
        token = self.state.base if kind is OptionType.SHORT_CALL_BASE else self.state.quote
        terms = self._get_settlement_terms(position.series)
        arriving, _ = settle(kind, position.amount, position.collateral, terms)
        return (Flow(token, -arriving),) if arriving else ()

    def encode_settlement(self, positions: tuple[Position, ...]) -> tuple[Call, ...]:
        """Return the settlement of the boards that have expired, then of the positions."""
        held = {position.series.series_id for position in positions}
        due = [
            board.board_id
            for board in self.state.boards
            if self.timestamp >= board.expiry_at
            and held.intersection(strike.strike_id for strike in board.strikes)
        ]
        contracts = self.state.contracts
        numbers = tuple(position.position_id for position in positions)
        boards = tuple(encode_board_settlement(contracts, board_id) for board_id in due)
        return (*boards, encode_option_settlement(contracts, numbers))

    def to_position(self, stored: StoredPosition) -> Position:
        """Return a stored position in the words of every protocol."""
        kind = stored.option_type
        held_in = {OptionType.SHORT_CALL_BASE: self.state.base}.get(kind, self.state.quote)
        return Position(
            stored.position_id,
            stored.owner,
            self.find_series(stored.strike_id, kind.is_call),
            Side.LONG if kind.is_long else Side.SHORT,
            stored.amount,
            None if kind.is_long else held_in,
            stored.collateral,
        )

    def to_lyra_order(self, order: OptionOrder) -> LyraOrder:
        """Return the order in Lyra's words, in one iteration.

        Raises:
            UnsupportedOrderError: a forced open, or collateral in a token that the option cannot hold.
        """
        if order.is_forced and not order.is_close:
            raise UnsupportedOrderError("a forced open", needed="a close")
        closes = Direction.FORCE_CLOSE if order.is_forced else Direction.CLOSE
        position = order.position
        return LyraOrder(
            order.series.series_id,
            self._get_type(order),
            closes if order.is_close else Direction.OPEN,
            order.amount,
            Holding(position.position_id, position.amount, position.collateral) if position else Holding(),
            order.collateral_to,
        )

    def _get_settlement_terms(self, series: Series) -> SettlementTerms:
        if series.series_id in self.settled:
            return self.settled[series.series_id]
        spot_wad = self.state.spot_wad if self.timestamp >= series.expiry_at else 0  # 0: not settled
        fee_wad = self.state.parameters.settlement_fee_wad
        return expect_terms(series.strike_wad, series.expiry_at, spot_wad, fee_wad)

    def _get_type(self, order: OptionOrder) -> OptionType:
        token = order.position.collateral_token if order.position else order.collateral_token
        return _get_type(order.series, order.side, token)

    def _make_series(self, strike_id: int, is_call: bool, strike_wad: int, expiry_at: int) -> Series:
        state = self.state
        return Series(
            "lyra",
            state.contracts.market,
            strike_id,
            is_call,
            state.base,
            state.quote,
            strike_wad,
            expiry_at,
        )

    def _get_years(self, series: Series) -> float:
        return max(series.expiry_at - self.timestamp, 1) / SECONDS_PER_YEAR


def _get_type(series: Series, side: Side, held_in: Token | None) -> OptionType:
    if side is Side.LONG:
        return OptionType.LONG_CALL if series.is_call else OptionType.LONG_PUT
    if held_in == series.quote:
        return OptionType.SHORT_CALL_QUOTE if series.is_call else OptionType.SHORT_PUT_QUOTE
    if held_in == series.underlying and series.is_call:
        return OptionType.SHORT_CALL_BASE
    raise UnsupportedOrderError(
        f"a short {'call' if series.is_call else 'put'} with collateral in {held_in}",
        needed=f"{series.quote}{f' or {series.underlying}' * series.is_call}",
    )


def read_lyra(
    contracts: Contracts, owner: Address | None = None
) -> Reading[tuple[LyraMarket, tuple[Position, ...]]]:
    """Read a market, and what ``owner`` holds in it, expired and settled boards included.

    Raises:
        PoolRevertError, StaleStateError, TokenRefusedError, InputError: as of `read_market`.
    """
    state = yield from read_market(contracts)
    stored = (yield from read_positions(contracts, owner)) if owner else ()
    live = {strike.strike_id for strike in chain.from_iterable(board.strikes for board in state.boards)}
    gone = sorted({position.strike_id for position in stored} - live)
    market = LyraMarket(state, (yield from read_settlement_terms(contracts, gone)) if gone else {})
    return market, tuple(market.to_position(position) for position in stored)
