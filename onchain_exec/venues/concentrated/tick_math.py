"""Ticks and square-root prices. Mirror of Uniswap v3 and v4 ``TickMath``."""

from __future__ import annotations

from functools import lru_cache
from math import floor, log
from typing import Final

from onchain_exec.core.fixed_point import MAX_UINT256, Q96
from onchain_exec.errors import PoolRevertError

MIN_TICK: Final = -887_272
MAX_TICK: Final = 887_272
MIN_SQRT_PRICE_X96: Final = 4_295_128_739
MAX_SQRT_PRICE_X96: Final = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342

_TICKS_PER_LOG: Final = 2 / log(1.0001)
_POWERS_X128: Final = (  # sqrt(1.0001) ** -(2 ** bit), bit 0 to 19, rounded as the contract's constants
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)


@lru_cache(maxsize=65_536)
def get_sqrt_price_at_tick(tick: int) -> int:
    """Return sqrt(1.0001 ** tick) in x96, rounded up. Mirror of ``TickMath.getSqrtRatioAtTick``.

    Raises:
        PoolRevertError: ``T``, a tick outside MIN_TICK..MAX_TICK.
    """
    distance = abs(tick)
    if distance > MAX_TICK:
        raise PoolRevertError("T", found=f"tick {tick}", needed=f"{MIN_TICK} to {MAX_TICK}")
    ratio_x128 = 1 << 128
    for bit, power_x128 in enumerate(_POWERS_X128):
        if distance >> bit & 1:
            ratio_x128 = ratio_x128 * power_x128 >> 128
    if tick > 0:
        ratio_x128 = MAX_UINT256 // ratio_x128
    return -(-ratio_x128 >> 32)


def get_tick_at_sqrt_price(sqrt_price_x96: int) -> int:
    """Return the greatest tick whose price is at most ``sqrt_price_x96``.

    Same results as ``TickMath.getTickAtSqrtRatio``: a float proposes, `get_sqrt_price_at_tick`
    disposes.

    Raises:
        PoolRevertError: ``R``, a price below the lowest tick's or not below the highest tick's.
    """
    if not MIN_SQRT_PRICE_X96 <= sqrt_price_x96 < MAX_SQRT_PRICE_X96:
        raise PoolRevertError("R", found=f"sqrt price {sqrt_price_x96}", needed="a price between the ticks")
    tick = max(MIN_TICK, floor(log(sqrt_price_x96 / Q96) * _TICKS_PER_LOG))
    while get_sqrt_price_at_tick(tick) > sqrt_price_x96:
        tick -= 1
    while get_sqrt_price_at_tick(tick + 1) <= sqrt_price_x96:
        tick += 1
    return tick
