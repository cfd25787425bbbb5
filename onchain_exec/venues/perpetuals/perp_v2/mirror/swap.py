"""A taker's swap in the market's v3 pool, with the exchange's fee in place of the pool's.

The exchange runs the swap twice: a replay that counts its fees step by step, and the pool's own with an
amount scaled so that the pool's fee has no effect. Mirror of ``Exchange._swap``, ``OrderBook.replaySwap`` and
``UniswapV3Broker.swap``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.core import Exact
from onchain_exec.core.fixed_point import MAX_INT256, PIPS, Q128, mul_div_down, mul_div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.concentrated.curve import Curve, Move
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.concentrated.swap_math import compute_swap_step
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick, get_tick_at_sqrt_price
from onchain_exec.venues.concentrated.ticks import add_liquidity
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Growth, Market, Rules, TickGrowth

_DUST: Final = 10
_WRAP: Final = 1 << 256


@dataclass(frozen=True, slots=True)
class Swap:
    """What to swap: ``sells`` base for quote or quote for base; ``amount`` in 1e18 of the side that ``exact``
    fixes; it ends at ``limit_x96`` (0: none) without a revert."""

    sells: bool
    exact: Exact
    amount: int
    limit_x96: int = 0


@dataclass(frozen=True, slots=True)
class Swapped:
    """What a swap did, in 1e18 and signed for the taker. ``notional`` is before the fee."""

    market: Market
    size: int
    notional: int
    fee: int
    insurance_fund_fee: int

    @property
    def quote(self) -> int:
        """What the taker's quote changes by: the notional less the fee."""
        return self.notional - self.fee


def swap(market: Market, wish: Swap, exchange_fee_pips: int, rules: Rules, at: int) -> Swapped:
    """Return the swap with the market after it; ``exchange_fee_pips`` is the trader's own.

    Raises:
        PoolRevertError: the contracts would revert: no liquidity (``CH_F0S``, ``UB_UOA``), a price too far
            from the index (``EX_OPB``) or moved too far in one block (``EX_OPLAS``), a paused market
            (``EX_MIP``).
    """
    if not market.max_ticks_per_block:
        raise PoolRevertError("EX_MIP", found=f"{market.symbol} takes no trades")
    if not 0 < wish.amount <= MAX_INT256:
        raise PoolRevertError("AS", found=f"an amount of {wish.amount}", needed="1 to 2**255-1")
    replayed = _replay(market, wish, exchange_fee_pips, market.get_growth(rules, at))
    spread_before = market.get_spread_pips(0, at)
    scaled = _scale(wish, exchange_fee_pips, market.fees.pool)
    base, quote, curve = _swap_in_pool(market.curve, replace(wish, amount=scaled))
    if curve.tick != replayed.tick:
        raise PoolRevertError(
            "EX_TKMM", found=f"the replay ends at {replayed.tick}, the pool at {curve.tick}"
        )
    after = replace(
        market.with_curve(curve, at), fee_growth_x128=replayed.growth_x128, outside=replayed.outside
    )
    _require_spread(after, spread_before, at)
    if not after.first_traded_at:
        after = replace(after, first_traded_at=at)
    _require_tick(after)
    size, notional = _exchanged(wish, scaled, base, quote, (market.fees.pool, replayed.fee))
    return Swapped(after, size, notional, replayed.fee, replayed.insurance_fund_fee)


def _exchanged(
    wish: Swap, scaled: int, base: int, quote: int, pool_fee_and_fee: tuple[int, int]
) -> tuple[int, int]:
    """Return signed size and notional: what the pool took and gave, freed of its fee."""
    pool_fee_pips, fee = pool_fee_and_fee
    if wish.sells:
        return -signed.scale_down_by_fee(base, pool_fee_pips), quote
    if wish.exact is Exact.IN and quote == scaled:
        return base, fee - wish.amount
    return base, -signed.scale_down_by_fee(quote, pool_fee_pips)


def _scale(wish: Swap, exchange_fee_pips: int, pool_fee_pips: int) -> int:
    """Return the pool's amount. Mirror of ``SwapMath.calcScaledAmountForSwaps``."""
    if wish.sells:
        fee_pips = pool_fee_pips if wish.exact is Exact.IN else exchange_fee_pips
        return signed.scale_up_by_fee(wish.amount, fee_pips)
    if wish.exact is Exact.IN:
        return signed.replace_fee(wish.amount, exchange_fee_pips, pool_fee_pips)
    return wish.amount


def _swap_in_pool(curve: Curve, wish: Swap) -> tuple[int, int, Curve]:
    """Return base and quote moved, and the curve after. Mirror of ``UniswapV3Broker.swap``."""
    move = curve.swap(wish.sells, wish.amount, wish.exact, _require_limit(curve, wish))
    base, quote = (move.amount_in, move.amount_out) if wish.sells else (move.amount_out, move.amount_in)
    if not base or not quote:
        raise PoolRevertError(
            "CH_F0S", found="the pool has no liquidity here, or the amount is dust", todo="Ask for more"
        )
    if wish.exact is Exact.OUT and not wish.limit_x96:
        _require_output(move, wish.amount)
        return (base, wish.amount, move.curve) if wish.sells else (wish.amount, quote, move.curve)
    return base, quote, move.curve


def _require_output(move: Move, amount: int) -> None:
    if abs(move.amount_out - amount) >= _DUST:
        raise PoolRevertError(
            "UB_UOA",
            found=f"the pool's liquidity ends at {move.amount_out} of {amount}",
            todo="Ask for less",
        )


def _require_limit(curve: Curve, wish: Swap) -> int:
    end = get_end_price(wish.sells)
    limit = wish.limit_x96 or end
    ahead = end <= limit < curve.sqrt_price_x96 if wish.sells else end >= limit > curve.sqrt_price_x96
    if not ahead:
        raise PoolRevertError("SPL", found=f"a price limit of {limit} at {curve.sqrt_price_x96}")
    return limit


def _require_spread(market: Market, before_pips: int, at: int) -> None:
    most, after = market.fees.max_price_spread, market.get_spread_pips(0, at)
    if not min(before_pips, -most) <= after <= max(before_pips, most):
        raise PoolRevertError(
            "EX_OPB",
            found=f"the trade would leave the price {after / 10_000:.2f} % off the index",
            needed=f"{most / 10_000:.2f} % at most",
            todo="Trade less",
        )


def _require_tick(market: Market) -> None:
    moved = market.curve.tick - market.last_tick
    if abs(moved) > market.max_ticks_per_block:
        raise PoolRevertError(
            "EX_OPLAS",
            found=f"the trade would move the price {moved} ticks from where the block found it",
            needed=f"{market.max_ticks_per_block} at most",
            todo="Trade less, or later",
        )


@dataclass(frozen=True, slots=True)
class _Replayed:
    tick: int
    fee: int
    insurance_fund_fee: int
    growth_x128: int
    outside: Mapping[int, TickGrowth]


def _replay(market: Market, wish: Swap, exchange_fee_pips: int, growth: Growth) -> _Replayed:
    """Return the fees of the swap, counted step by step. Mirror of ``OrderBook.replaySwap``."""
    down, curve, fees = wish.sells, market.curve, market.fees
    price, tick, liquidity = curve.sqrt_price_x96, curve.tick, curve.liquidity
    left = _scale(wish, exchange_fee_pips, fees.pool) if down else wish.amount
    limit = wish.limit_x96 or get_end_price(down)
    fee = fund_fee = 0
    fee_growth, outside = market.fee_growth_x128, dict(market.outside)
    while left and price != limit:
        boundary, net = curve.ticks.find_boundary(tick, down)
        initialised = curve.ticks.is_initialised(boundary)
        next_price = get_sqrt_price_at_tick(boundary)
        target = max(next_price, limit) if down else min(next_price, limit)
        start = price
        step_fee_pips = fees.pool if down else exchange_fee_pips
        step = compute_swap_step(price, target, liquidity, left, step_fee_pips, wish.exact)
        price = step.sqrt_price_x96
        left -= step.amount_in + step.fee_amount if wish.exact is Exact.IN else step.amount_out
        if liquidity:
            step_fee = mul_div_up(step.amount_out, exchange_fee_pips, PIPS) if down else step.fee_amount
            step_fund_fee = mul_div_up(step_fee, fees.insurance_fund, PIPS)
            fee, fund_fee = fee + step_fee, fund_fee + step_fund_fee
            fee_growth = (fee_growth + mul_div_down(step_fee - step_fund_fee, Q128, liquidity)) % _WRAP
        if price == next_price:
            if initialised:
                if boundary in outside:
                    outside[boundary] = _cross(outside[boundary], fee_growth, growth)
                liquidity = add_liquidity(liquidity, -net if down else net)
            tick = boundary - down
        elif price != start:
            tick = get_tick_at_sqrt_price(price)
    return _Replayed(tick, fee, fund_fee, fee_growth, outside)


def _cross(outside: TickGrowth, fee_growth_x128: int, growth: Growth) -> TickGrowth:
    """Return the growth on the other side of a tick. Mirror of ``Tick.cross``."""
    return TickGrowth(
        (fee_growth_x128 - outside.fee_x128) % _WRAP,
        growth.tw_premium_x96 - outside.tw_premium_x96,
        growth.tw_premium_div_by_sqrt_price_x96 - outside.tw_premium_div_by_sqrt_price_x96,
    )
