"""Exponential and logarithm of 18-decimal numbers: mirror of Lyra's ``FixedPointMathLib``.

Both reduce their argument in binary fixed point of 96 bits and evaluate a rational approximation.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core.fixed_point import div_trunc
from onchain_exec.errors import PoolRevertError

_LEAST: Final = -42_139_678_854_452_767_551
"""Below, the result is under half a unit."""
_TOO_LARGE: Final = 135_305_999_368_893_231_589
_LN2_X96: Final = 54_916_777_467_707_473_351_141_471_128
_EXP_SCALE: Final = 3_822_833_074_963_236_453_042_738_258_902_158_003_155_416_615_667
_LN_SCALE: Final = 1_677_202_110_996_718_588_342_820_967_067_443_963_516_166
_LN2_SCALED: Final = (
    16_597_577_552_685_614_221_487_285_958_193_947_469_193_820_559_219_878_177_908_093_499_208_371
)
_LN_BASE: Final = (
    600_920_179_829_731_861_736_702_779_321_621_459_595_472_258_049_074_101_567_377_883_020_018_308
)


def exp_wad(x: int) -> int:
    """Return e**x, rounded down; mirror of ``FixedPointMathLib.exp``.

    Raises:
        PoolRevertError: the result does not fit.
    """
    if x <= _LEAST:
        return 0
    if x >= _TOO_LARGE:
        raise PoolRevertError("ExpOverflow", found=f"e to the {x} / 1e18")
    x = div_trunc(x << 78, 5**18)
    k = (div_trunc(x << 96, _LN2_X96) + 2**95) >> 96
    x -= k * _LN2_X96
    p = x + 2772001395605857295435445496992
    p = (p * x >> 96) + 44335888930127919016834873520032
    p = (p * x >> 96) + 398888492587501845352592340339721
    p = (p * x >> 96) + 1993839819670624470859228494792842
    p = p * x + (4385272521454847904632057985693276 << 96)
    z = x + 750530180792738023273180420736
    z = (z * x >> 96) + 32788456221302202726307501949080
    w = x - 2218138959503481824038194425854
    w = (w * z >> 96) + 892943633302991980437332862907700
    q = z + w - 78174809823045304726920794422040
    q = (q * w >> 96) + 4203224763890128580604056984195872
    return div_trunc(p, q) * _EXP_SCALE >> (195 - k)


def ln_wad(x: int) -> int:
    """Return the natural logarithm, rounded down; mirror of ``FixedPointMathLib.ln``.

    Raises:
        PoolRevertError: x is not above 0.
    """
    if x < 1:
        raise PoolRevertError("LnNegativeUndefined" if x < 0 else "Overflow", found=f"ln of {x}")
    k = x.bit_length() - 97
    x = x >> k if k >= 0 else x << -k
    p = x + 3273285459638523848632254066296
    p = (p * x >> 96) + 24828157081833163892658089445524
    p = (p * x >> 96) + 43456485725739037958740375743393
    p = (p * x >> 96) - 11111509109440967052023855526967
    p = (p * x >> 96) - 45023709667254063763336534515857
    p = (p * x >> 96) - 14706773417378608786704636184526
    p = p * x - (795164235651350426258249787498 << 96)
    q = x + 5573035233440673466300451813936
    q = (q * x >> 96) + 71694874799317883764090561454958
    q = (q * x >> 96) + 283447036172924575727196451306956
    q = (q * x >> 96) + 401686690394027663651624208769553
    q = (q * x >> 96) + 204048457590392012362485061816622
    q = (q * x >> 96) + 31853899698501571402653359427138
    q = (q * x >> 96) + 909429971244387300277376558375
    return (div_trunc(p, q) * _LN_SCALE + _LN2_SCALED * k + _LN_BASE) >> 174


def exp_ray(x: int) -> int:
    """Return e**x with 27 decimals, of which 18 count: ``expPrecise``."""
    return exp_wad(div_trunc(x, 10**9)) * 10**9


def ln_ray(x: int) -> int:
    """Return ln x with 27 decimals, of which 18 count: ``lnPrecise``."""
    return ln_wad(x // 10**9) * 10**9
