"""A v3 pool's price over a window of time, from the sums of ticks that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from onchain_exec.core import Call, Reading, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT128, MAX_UINT160, Q192
from onchain_exec.errors import InputError, StateError
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.pool import sells_token0
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

_OBSERVE: Final = Function("observe(uint32[])", "(int56[],uint160[])")
_INT56, _UINT160 = 1 << 56, 1 << 160


@dataclass(frozen=True, slots=True)
class Twap:
    """The mean of a v3 pool over the last ``window_s`` seconds.

    ``mean_tick`` is the arithmetic mean of the tick, rounded down, which makes the price a geometric
    mean; ``mean_liquidity`` is the harmonic mean of the liquidity in range.
    """

    pool: UniswapV3Pool
    window_s: int
    mean_tick: int
    mean_liquidity: int

    def get_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return base units of token_out per base unit of token_in at the mean tick, as
        ``OracleLibrary.getQuoteAtTick`` values them, before its rounding."""
        price1_per_0 = Fraction(get_sqrt_price_at_tick(self.mean_tick) ** 2, Q192)
        return price1_per_0 if sells_token0(self.pool, token_in, token_out) else 1 / price1_per_0


def read_twap(pool: UniswapV3Pool, window_s: int) -> Reading[Twap]:
    """Read the mean over the last ``window_s`` seconds. Mirror of v3-periphery's
    ``OracleLibrary.consult``, over ``UniswapV3Pool.observe``.

    Raises:
        InputError: the window is not 1 second to 2**32-1.
        StateError: the pool's observations do not reach as far back.
    """
    if not 0 < window_s < 1 << 32:
        raise InputError(f"a window of {window_s} s", needed="1 to 2**32-1 seconds")
    snapshot = yield (Call(pool.address, _OBSERVE.encode([window_s, 0])),)
    (answer,) = snapshot.answers
    if not answer.success:
        raise StateError(
            f"{pool.key} keeps no observation from {window_s} s ago",
            needed="a pool that has kept some for longer",
            todo="Take a shorter window, or have increaseObservationCardinalityNext called and wait",
        )
    (tick_before, tick_after), (x128_before, x128_after) = _OBSERVE.decode(answer.data)
    return Twap(
        pool,
        window_s,
        get_mean_tick_down(tick_before, tick_after, window_s),
        get_mean_liquidity_down(x128_before, x128_after, window_s),
    )


def read_mean_ticks(pool: UniswapV3Pool, window_s: int, counts: Sequence[int]) -> Reading[tuple[float, ...]]:
    """Read the mean ticks of windows of ``window_s`` seconds that follow one another up to now, the oldest
    first: as many as the largest of ``counts`` for which the pool keeps observations; none if it keeps too
    few for each."""
    ages = [[window_s * windows for windows in range(count, -1, -1)] for count in counts]
    snapshot = yield tuple(Call(pool.address, _OBSERVE.encode(times)) for times in ages)
    told = [_OBSERVE.decode(answer.data)[0] for answer in snapshot.answers if answer.success]
    sums = max(told, key=len, default=())
    return tuple(_get_passed(before, after) / window_s for before, after in pairwise(sums))


def get_mean_tick_down(sum_before: int, sum_after: int, window_s: int) -> int:
    """Return the mean tick between two ``tickCumulative``s (int56, which wrap), rounded to negative
    infinity."""
    return _get_passed(sum_before, sum_after) // window_s


def _get_passed(sum_before: int, sum_after: int) -> int:
    passed = (sum_after - sum_before) % _INT56
    return passed - _INT56 if passed >= _INT56 // 2 else passed


def get_mean_liquidity_down(before_x128: int, after_x128: int, window_s: int) -> int:
    """Return the harmonic mean of the liquidity between two ``secondsPerLiquidityCumulativeX128``s
    (uint160, which wrap), cut to uint128 as the library cuts it.

    Raises:
        StateError: no liquidity counted: the two sums are equal, and the library divides by zero.
    """
    passed = (after_x128 - before_x128) % _UINT160
    if not passed:
        raise StateError("a window of more liquidity than a pool can tell", needed="sums that differ")
    return window_s * MAX_UINT160 // (passed << 32) & MAX_UINT128
