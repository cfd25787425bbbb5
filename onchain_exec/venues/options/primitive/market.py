"""An RMM-01 pool as every options protocol is asked: who provides liquidity has written a covered call, whose
premium comes as swap fees."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Address, Call
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError, UnsupportedOrderError
from onchain_exec.pricing.options import black76
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
from onchain_exec.venues.options.primitive.codec import encode_allocate, encode_remove, encode_withdraw
from onchain_exec.venues.options.primitive.curve import SECONDS_PER_YEAR, SIGMA_SCALE
from onchain_exec.venues.options.primitive.pool import RmmPool


@dataclass(frozen=True, slots=True)
class RmmMarket:
    """An `OptionMarket` of one series, for ``owner``, who has margin at the engine. Amounts are liquidity:
    1e18 is one covered call."""

    pool: RmmPool
    owner: Address

    @property
    def timestamp(self) -> int:
        """The block's time."""
        return self.pool.timestamp

    @property
    def series(self) -> tuple[Series, ...]:
        """The call that the pool's liquidity is short of."""
        pool = self.pool
        number = int.from_bytes(pool.pool_id)
        strike_wad = pool.terms.strike * WAD // 10**pool.stable.decimals
        terms = (pool.risky, pool.stable, strike_wad, pool.terms.maturity)
        return (Series("primitive", pool.engine, number, True, *terms),)

    def get_state(self, series: Series) -> SeriesState:
        """Return open until maturity; then all that is left is to take liquidity out."""
        return SeriesState.OPEN if self.timestamp <= series.expiry_at else SeriesState.SETTLED

    def get_vol_wad(self, series: Series) -> int:
        """Return the pool's sigma, which is the same for as long as it exists."""
        return self.pool.terms.sigma * WAD // SIGMA_SCALE

    def get_forward(self, series: Series) -> float:
        """Return the pool's marginal price: it knows no rate."""
        return self.pool.get_price()

    def get_greeks(self, series: Series) -> OptionGreeks:
        """Return price and Greeks of the call at the pool's price and sigma."""
        years = max(series.expiry_at - self.timestamp, 1) / SECONDS_PER_YEAR
        vol = self.get_vol_wad(series) / WAD
        found = black76.get_greeks(True, self.pool.get_price(), series.strike_wad / WAD, years, vol)
        values = (found.price, found.delta, found.gamma, found.vega, found.theta)
        return OptionGreeks(*(float(value) for value in values))

    def preview(self, order: OptionOrder) -> OptionPreview:
        """Return the tokens that liquidity takes or gives.

        Raises:
            UnsupportedOrderError: a long: the pool sells none.
            PoolRevertError: more than the position holds, or the pool has matured (`RmmPool.allocate`).
            AmountError: as of `RmmPool.allocate`.
        """
        if order.side is Side.LONG:
            raise UnsupportedOrderError("an order for the long side", needed="a short: the pool's liquidity")
        if not order.is_close:
            risky, stable, _ = self.pool.allocate(order.amount)
            return self._make_preview(order, risky, stable)
        held = order.position.amount if order.position else 0
        if order.amount > held:
            raise PoolRevertError("Panic", found=f"close {order.amount}", needed=f"at most the {held} held")
        risky, stable = self.pool.remove(order.amount)
        return self._make_preview(order, -risky, -stable)

    def get_collateral_min(self, order: OptionOrder) -> int:
        """Return 0: the liquidity itself covers the call."""
        return 0

    def encode(self, preview: OptionPreview, slippage_bps: int) -> tuple[Call, ...]:
        """Return adding exactly the previewed tokens, or taking liquidity out and paying it to the owner.

        The engine bounds neither: adding pays what was previewed for more or less liquidity, if the pool has
        moved; paying out reverts if less came, and leaves the rest in the margin if more did.
        """
        risky, stable = (flow.amount for flow in preview.flows)
        if not preview.order.is_close:
            return (encode_allocate(self.pool, risky, stable, self.owner),)
        return (
            encode_remove(self.pool, preview.order.amount),
            encode_withdraw(self.pool, -risky, -stable, self.owner),
        )

    def preview_settlement(self, position: Position) -> tuple[Flow, ...]:
        """Return the tokens that a matured position gives: all risky below the strike, all stable above it,
        if arbitrage has run.

        Raises:
            UnsupportedOrderError: before maturity.
        """
        return self._close(position).flows

    def encode_settlement(self, positions: tuple[Position, ...]) -> tuple[Call, ...]:
        """Return what takes matured positions out. Raises as `preview_settlement`."""
        return tuple(call for position in positions for call in self.encode(self._close(position), 0))

    def _close(self, position: Position) -> OptionPreview:
        if self.get_state(position.series) is SeriesState.OPEN:
            raise UnsupportedOrderError(
                f"settling {position.series.expiry_at - self.timestamp} s before maturity",
                needed="a matured pool",
                todo="Close the position",
            )
        order = OptionOrder(position.series, Side.SHORT, position.amount, is_close=True, position=position)
        return self.preview(order)

    def _make_preview(self, order: OptionOrder, risky: int, stable: int) -> OptionPreview:
        flows = (Flow(self.pool.risky, risky), Flow(self.pool.stable, stable))
        return OptionPreview(order, 0, 0, 0, self.get_vol_wad(order.series), flows)
