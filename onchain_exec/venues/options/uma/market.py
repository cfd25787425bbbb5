"""A long-short pair of a covered call as every options protocol is asked: the long token is a call that is
paid in the collateral, who mints a pair and sells it has written one."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import ZERO_ADDRESS, Call, Token
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import UnsupportedOrderError
from onchain_exec.pricing.options import black76
from onchain_exec.pricing.options.implied_vol import get_implied_vol
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
from onchain_exec.venues.options.uma.codec import (
    encode_create,
    encode_expire,
    encode_redeem,
    encode_settle,
)
from onchain_exec.venues.options.uma.pair import LongShortPair, RequestState
from onchain_exec.venues.options.uma.payout import CoveredCall

_SECONDS_PER_YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class CoveredCallMarket:
    """An `OptionMarket` of one series. The pair knows neither price: ``underlying_wad`` is the collateral's
    in the strike's unit, ``long_price_wad`` the long token's in collateral, of the pool it trades in.

    Raises:
        UnsupportedOrderError: the pair is no covered call.
    """

    pair: LongShortPair
    underlying_wad: int
    long_price_wad: int

    def __post_init__(self) -> None:
        if not isinstance(self.pair.payout, CoveredCall):
            raise UnsupportedOrderError(f"a pair of {self.pair.payout}", needed="a covered call")

    @property
    def timestamp(self) -> int:
        """The block's time."""
        return self.pair.timestamp

    @property
    def series(self) -> tuple[Series, ...]:
        """The call. Its quote is the unit of the price that the oracle is asked for, no token."""
        pair, payout = self.pair, self.pair.payout
        assert isinstance(payout, CoveredCall)  # noqa: S101 - checked when it was made
        unit = pair.request.identifier.rstrip(b"\0").decode(errors="replace")
        quote = Token(pair.collateral.chain_id, ZERO_ADDRESS, unit, 18)
        terms = (pair.collateral, quote, payout.strike_wad, pair.expiry_at)
        return (Series("uma", pair.address, 0, True, *terms),)

    def get_state(self, series: Series) -> SeriesState:
        """Return what may be done: mint and redeem, settle the price, settle the tokens."""
        if self.timestamp < series.expiry_at:
            return SeriesState.OPEN
        has_price = self.pair.long_share_wad is not None or self.pair.request.price_wad is not None
        return SeriesState.SETTLED if has_price else SeriesState.EXPIRED

    def get_vol_wad(self, series: Series) -> int:
        """Return the volatility at which Black's call, paid in the collateral, costs what the pool asks.

        Raises:
            NoArbitrageError: the pool's price is outside of what any volatility gives.
        """
        per_pair = self.long_price_wad / self.pair.collateral_per_pair_wad
        price = per_pair * self.underlying_wad / WAD
        terms = (self.underlying_wad / WAD, series.strike_wad / WAD, self._get_years(series))
        return int(float(get_implied_vol(True, price, *terms)) * WAD)

    def get_forward(self, series: Series) -> float:
        """Return the underlying's price: no rate is known."""
        return self.underlying_wad / WAD

    def get_greeks(self, series: Series) -> OptionGreeks:
        """Return price and Greeks in the strike's unit, of a call on what backs one token."""
        vol = self.get_vol_wad(series) / WAD
        terms = (self.underlying_wad / WAD, series.strike_wad / WAD, self._get_years(series), vol)
        found = black76.get_greeks(True, *terms)
        values = (found.price, found.delta, found.gamma, found.vega, found.theta)
        return OptionGreeks(*(float(value) for value in values))

    def preview(self, order: OptionOrder) -> OptionPreview:
        """Return what minting (an open short) or redeeming (its close) moves: collateral for both tokens.

        Raises:
            UnsupportedOrderError: a long, whose token is bought like any other.
            AmountError, PoolRevertError: as of `LongShortPair.create`.
        """
        if order.side is Side.LONG:
            raise UnsupportedOrderError(
                "an order for the long side", needed="a short", todo="Swap for the long token in its pool"
            )
        pair, sign = self.pair, -1 if order.is_close else 1
        collateral = pair.redeem(order.amount) if order.is_close else pair.create(order.amount)
        flows = (
            Flow(pair.collateral, sign * collateral),
            Flow(pair.long_token, -sign * order.amount),
            Flow(pair.short_token, -sign * order.amount),
        )
        return OptionPreview(order, 0, 0, 0, self.get_vol_wad(order.series), flows)

    def get_collateral_min(self, order: OptionOrder) -> int:
        """Return the collateral that a pair holds for the short: all of it, whatever the price."""
        return self.pair.create(order.amount)

    def encode(self, preview: OptionPreview, slippage_bps: int) -> tuple[Call, ...]:
        """Return the minting or redeeming. Its terms do not move: there is nothing to bound."""
        encode = encode_redeem if preview.order.is_close else encode_create
        return (encode(self.pair, preview.order.amount),)

    def preview_settlement(self, position: Position) -> tuple[Flow, ...]:
        """Return the collateral that a side's tokens are worth; see `LongShortPair.settle`."""
        long, short = _split((position,))
        return (Flow(self.pair.collateral, -self.pair.settle(long, short)),)

    def encode_settlement(self, positions: tuple[Position, ...]) -> tuple[Call, ...]:
        """Return what is due: ask the oracle, or settle the tokens; nothing while a price can be disputed."""
        if self.pair.request.state is RequestState.INVALID:
            return (encode_expire(self.pair),)
        if self.get_state(positions[0].series) is SeriesState.SETTLED:
            return (encode_settle(self.pair, *_split(positions)),)
        return ()

    def _get_years(self, series: Series) -> float:
        return max(series.expiry_at - self.timestamp, 1) / _SECONDS_PER_YEAR


def _split(positions: tuple[Position, ...]) -> tuple[int, int]:
    """Return the long and the short tokens of positions."""
    long = sum(position.amount for position in positions if position.side is Side.LONG)
    return long, sum(position.amount for position in positions) - long
