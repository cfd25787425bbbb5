"""A v3 pool's price over a window of time, from the sums of ticks that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
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


def get_mean_tick_down(sum_before: int, sum_after: int, window_s: int) -> int:
    """Return the mean tick between two ``tickCumulative``s (int56, which wrap), rounded to negative
    infinity."""
    passed = (sum_after - sum_before) % _INT56
    return (passed - _INT56 if passed >= _INT56 // 2 else passed) // window_s


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
