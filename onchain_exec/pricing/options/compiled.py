"""Implied volatility in compiled code (``pip install 'onchain-exec[numba]'``): the functions of `implied_vol`
and `normalised` themselves, row by row, each for as many steps as it needs."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CFUNCTYPE, c_double
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from onchain_exec.errors import MissingToolError
from onchain_exec.pricing.options import implied_vol
from onchain_exec.pricing.options.implied_vol import MOST_STEPS, STILL_MOVING, Refine, find_step
from onchain_exec.pricing.options.normalised import (
    ROOT_HALF,
    ROOT_HALF_PI,
    SERIES_BELOW,
    get_log_price,
    get_mills_ratio,
    get_spread,
    sum_series,
)
from onchain_exec.pricing.rows import Floats

_ERFCX: Final = ("scipy.special.cython_special", "__pyx_fuse_1erfcx")
"""Where SciPy lends the very function that `normalised` calls; the other of the two is of complex numbers."""


def get_implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Floats:
    """Return what `implied_vol.get_implied_vol` returns, but for the last bits. The first call of a process
    compiles, which takes some seconds.

    Raises:
        MissingToolError: numba is not installed.
        InputError, NoArbitrageError: as of `implied_vol.get_implied_vol`.
    """
    return implied_vol.invert(_compile(), is_call, price, forward, strike, years, rate)


@cache
def _compile() -> Refine:
    try:
        import numba  # noqa: PLC0415 - an extra, and slow to import
        from numba import extending  # noqa: PLC0415
    except ImportError as error:
        raise MissingToolError(
            "numba is not installed", todo="Run: pip install 'onchain-exec[numba]'"
        ) from error
    erfcx = CFUNCTYPE(c_double, c_double)(extending.get_cython_function_address(*_ERFCX))

    def mills_ratio(z: float) -> Any:
        return ROOT_HALF_PI * erfcx(-ROOT_HALF * z)

    for shared in (sum_series, get_log_price, find_step):
        extending.register_jitable(shared)
    for of_arrays, of_numbers in ((get_mills_ratio, mills_ratio), (get_spread, _get_spread)):
        extending.overload(of_arrays, strict=False)(_stand_in(of_numbers))
    compiled: Refine = numba.njit(error_model="numpy")(_refine)
    return compiled


def _stand_in(of_numbers: Callable[..., Any]) -> Callable[..., Any]:
    """Return what numba asks for the code of a function: here the same for all types."""

    def write(*_: Any) -> Callable[..., Any]:
        return of_numbers

    return write


def _get_spread(h: Any, t: Any, sign: Any, series_below: float) -> Any:
    """As `get_spread`, of numbers."""
    if sign > 0 and t < series_below:
        return sum_series(h, t)
    return get_mills_ratio(sign * (h + t)) - sign * get_mills_ratio(h - t)


def _refine(x: Floats, stdev: Floats, target: Floats, sign: Floats) -> Floats:
    found = np.empty_like(stdev)
    for row in range(len(stdev)):
        at = stdev[row]
        for _ in range(1 + MOST_STEPS):
            step = find_step(x[row], at, target[row], sign[row], SERIES_BELOW)
            at += step
            if abs(step) <= STILL_MOVING * at:
                break
        found[row] = at
    return found
