"""What it takes to move a v3 pool's mean price: an estimate from the pool's own liquidity."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import Final

from onchain_exec.core import Exact, Token
from onchain_exec.core.fixed_point import BPS, MAX_INT256, Q192
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.concentrated.tick_math import MAX_TICK, MIN_TICK, get_sqrt_price_at_tick
from onchain_exec.venues.pool import SwapResult, sells_token0
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

_LOG_TICK: Final = log(1.0001)


@dataclass(frozen=True, slots=True)
class TwapAttack:
    """What an attacker pays to lower the mean price of token_in by ``shift_bps``; base units of token_in.

    ``ticks`` is how far the price must stand off for ``held_s`` of the window's seconds. ``capital`` is
    what has to be sold to bring it there. ``loss`` is what that costs if others trade the price back
    (the value given away at the price before), ``fees`` what it costs if the attacker owns the blocks
    in between and trades it back itself. ``reached`` is False where no price is as far off: it must be
    held for longer, and the amounts are those of the last price there is.
    """

    shift_bps: int
    window_s: int
    held_s: int
    ticks: int
    capital: int
    loss: int
    fees: int
    reached: bool


def estimate_twap_attack(
    pool: UniswapV3Pool,
    pair: tuple[Token, Token],
    shift_bps: int,
    window_s: int,
    held_s: int = 12,
) -> TwapAttack:
    """Return what it costs to lower the mean price of ``pair`` (token_in, token_out) over ``window_s``.

    The mean is of ticks, so a displacement of D ticks for ``held_s`` seconds moves it by
    D * held_s / window_s: the price must stand off by a factor of (1 - shift)^(window_s / held_s), the
    geometric counterpart of the single-block attack of Mackinga, Nadahalli and Wattenhofer ("TWAP
    Oracle Attacks: Easier Done than Said?", eprint 2022/445, section on single-block attacks; the mean
    is that of the Uniswap v3 white paper, section 5.2). The swaps there and back are exact; liquidity
    is taken to stay where it is. ``held_s`` of one block is an attacker without control of the next.

    Raises:
        InputError: a shift outside 1..9,999 bps, or a time that does not lie within the window.
    """
    if not 0 < shift_bps < BPS:
        raise InputError(f"a shift of {shift_bps} bps", needed="1 to 9,999")
    if not 0 < held_s <= window_s:
        raise InputError(f"a price held {held_s} s of {window_s} s", needed="1 s to the whole window")
    down = sells_token0(pool, *pair)
    ticks = ceil(-log(1 - shift_bps / BPS) / _LOG_TICK * window_s / held_s)
    target = pool.curve.tick + (-ticks if down else ticks)
    limit_x96 = get_end_price(down)
    if MIN_TICK < target < MAX_TICK:
        limit_x96 = get_sqrt_price_at_tick(target)
    there = pool.swap_to_price(*pair, MAX_INT256, Exact.IN, limit_x96)
    squared, capital = pool.curve.sqrt_price_x96**2, there.amount_in
    kept = there.amount_out * Q192 // squared if down else there.amount_out * squared // Q192
    return TwapAttack(
        shift_bps=shift_bps,
        window_s=window_s,
        held_s=held_s,
        ticks=ticks,
        capital=capital,
        loss=max(0, capital - kept),
        fees=capital - _trade_back(there, pair),
        reached=MIN_TICK < target < MAX_TICK,
    )


def _trade_back(there: SwapResult, pair: tuple[Token, Token]) -> int:
    """Return what the output of the way there gives on the way back; it may be too little to swap."""
    token_in, token_out = pair
    try:
        return there.pool_after.quote(token_out, token_in, there.amount_out, Exact.IN)
    except PoolRevertError:
        return 0
