"""The exponential function as Curve's averages over time compute it."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.fixed_point import div_trunc

_LEAST: Final = -42_139_678_854_452_767_551
"""Below, the result is under half a unit of 1e-18."""
_LN2_X96: Final = 54_916_777_467_707_473_351_141_471_128
_SCALE: Final = 3_822_833_074_963_236_453_042_738_258_902_158_003_155_416_615_667


def exp_of_negative(x_wad: int) -> int:
    """Return e**x with 18 decimals for x <= 0, rounded down; mirror of ``wad_exp`` (snekmate).

    x = x' + k ln 2, then a (6, 7)-term rational approximation of e**x', in 2**-96.
    """
    if x_wad <= _LEAST:
        return 0
    value = div_trunc(x_wad << 78, 5**18)
    k = (div_trunc(value << 96, _LN2_X96) + 2**95) >> 96
    value -= k * _LN2_X96
    y = ((value + 1_346_386_616_545_796_478_920_950_773_328) * value >> 96) + (
        57_155_421_227_552_351_082_224_309_758_442
    )
    p = ((y + value - 94_201_549_194_550_492_254_356_042_504_812) * y >> 96) + (
        28_719_021_644_029_726_153_956_944_680_412_240
    )
    p = p * value + (4_385_272_521_454_847_904_659_076_985_693_276 << 96)
    q = ((value - 2_855_989_394_907_223_263_936_484_059_900) * value >> 96) + (
        50_020_603_652_535_783_019_961_831_881_945
    )
    q = (q * value >> 96) - 533_845_033_583_426_703_283_633_433_725_380
    q = (q * value >> 96) + 3_604_857_256_930_695_427_073_651_918_091_429
    q = (q * value >> 96) - 14_423_608_567_350_463_180_887_372_962_807_573
    q = (q * value >> 96) + 26_449_188_498_355_588_339_934_803_723_976_023
    return div_trunc(p, q) * _SCALE >> (195 - k)
