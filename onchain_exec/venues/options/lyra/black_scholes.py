"""Black-Scholes as Lyra's contracts compute it: mirror of its library ``BlackScholes``.

Inside, numbers have 27 decimals (``_ray``); the exponential and the logarithm have 18 good ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

from onchain_exec.core.fixed_point import RAY
from onchain_exec.venues.options.lyra.decimal_math import div_ray, mul_ray, to_ray, to_wad
from onchain_exec.venues.options.lyra.exp_ln import exp_ray, ln_ray

SECONDS_PER_YEAR: Final = 31_536_000
_ROOT_2_PI: Final = 2506628274631000502415765285
_LEAST_YEARS: Final = RAY // SECONDS_PER_YEAR
_LEAST_VOL: Final = RAY // 10_000
_DAY_S: Final = 86_400
_SPLIT: Final = 7071067811865470000000000000
"""Where the distribution's rational approximation gives way to a continued fraction."""
_NUMERATOR: Final = (
    35262496599891100000000000,
    700383064443688000000000000,
    6373962203531650000000000000,
    33912866078383000000000000000,
    112079291497871000000000000000,
    221213596169931000000000000000,
    220206867912376000000000000000,
)
_DENOMINATOR: Final = (
    88388347648318400000000000,
    1755667163182640000000000000,
    16064177579207000000000000000,
    86780732202946100000000000000,
    296564248779674000000000000000,
    637333633378831000000000000000,
    793826512519948000000000000000,
    440413735824752000000000000000,
)


@dataclass(frozen=True, slots=True)
class OptionInputs:
    """What an option's value follows from: seconds to expiry, volatility and rate per year, prices in
    quote per underlying; ``BlackScholesInputs``."""

    seconds: int
    vol_wad: int
    spot_wad: int
    strike_wad: int
    rate_wad: int


@dataclass(frozen=True, slots=True)
class OptionValues:
    """Prices in quote per contract, deltas, vega (quote per unit of volatility) and vega as if of 30 days
    (``stdVega``), all with 18 decimals; ``PricesDeltaStdVega``."""

    call_wad: int
    put_wad: int
    call_delta_wad: int
    vega_wad: int
    std_vega_wad: int


def get_prices(inputs: OptionInputs) -> tuple[int, int]:
    """Return the call's and the put's price, 18 decimals; mirror of ``optionPrices``."""
    call, put, _ = _price(inputs)
    return to_wad(call), to_wad(put)


def get_values(inputs: OptionInputs) -> OptionValues:
    """Return prices and Greeks; mirror of ``pricesDeltaStdVega``."""
    call, put, d1 = _price(inputs)
    density = div_ray(exp_ray(-mul_ray(abs(d1), abs(d1) // 2)), _ROOT_2_PI)
    root_years = _sqrt_ray(div_ray(inputs.seconds, SECONDS_PER_YEAR))
    vega = mul_ray(root_years, mul_ray(density, to_ray(inputs.spot_wad)))
    days = max(inputs.seconds, 7 * _DAY_S) // _DAY_S
    std_vega = mul_ray(vega, _sqrt_ray(30 * RAY // days) // 100)
    delta = get_normal_cdf(d1)
    return OptionValues(to_wad(call), to_wad(put), to_wad(delta), to_wad(vega), to_wad(std_vega))


def get_normal_cdf(x_ray: int) -> int:
    """Return the standard normal distribution at x, 27 decimals; mirror of ``_stdNormalCDF``."""
    z, tail = abs(x_ray), 0
    if z <= 37 * RAY:
        e = exp_ray(-mul_ray(z, z // 2))
        if z < _SPLIT:
            tail = mul_ray(div_ray(_horner(_NUMERATOR, z), _horner(_DENOMINATOR, z)), e)
        else:
            fraction = z + RAY * 13 // 20
            for step in (4, 3, 2, 1):
                fraction = z + div_ray(step * RAY, fraction)
            tail = div_ray(e, mul_ray(fraction, _ROOT_2_PI))
    return tail if x_ray <= 0 else RAY - tail


def _price(inputs: OptionInputs) -> tuple[int, int, int]:
    """Return the call's price, the put's and d1, 27 decimals; ``_d1d2`` and ``_optionPrices``."""
    years, spot = div_ray(inputs.seconds, SECONDS_PER_YEAR), to_ray(inputs.spot_wad)
    strike, rate = to_ray(inputs.strike_wad), to_ray(inputs.rate_wad)
    longer, vol = max(years, _LEAST_YEARS), max(to_ray(inputs.vol_wad), _LEAST_VOL)
    deviation = mul_ray(vol, _sqrt_ray(longer))
    drift = mul_ray(mul_ray(vol, vol) // 2 + rate, longer)
    d1 = div_ray(ln_ray(div_ray(spot, strike)) + drift, deviation)
    present_strike = mul_ray(strike, exp_ray(-mul_ray(rate, years)))
    asset = mul_ray(spot, get_normal_cdf(d1))
    cash = mul_ray(present_strike, get_normal_cdf(d1 - deviation))
    call = max(asset - cash, 0)
    return call, max(call + present_strike - spot, 0), d1


def _sqrt_ray(x: int) -> int:
    """Return the root of x, rounded down; the contract's Newton steps have converged by then."""
    return isqrt(x * RAY)


def _horner(coefficients: tuple[int, ...], z: int) -> int:
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * z // RAY + coefficient
    return value
