"""Options that are quoted and paid in the coin they are on, as on Deribit: Black-76 over the forward."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from onchain_exec.pricing.options import black76
from onchain_exec.pricing.rows import Floats, to_rows


@dataclass(frozen=True, slots=True)
class InverseGreeks:
    """A price in coins, and what hedges it; arrays of one shape.

    ``net_delta`` is the coins of forward that keep the holder's *dollar* value: Black's delta less the
    price itself, since the price is paid in coins that move too (Deribit's "net transaction delta").
    ``gamma`` is Black's, per dollar; ``vega`` in coins per 1.0 of volatility, ``theta`` in coins per
    year that passes.
    """

    price: Floats
    net_delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def get_greeks(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike
) -> InverseGreeks:
    """Return the price in coins and its Greeks; ``forward`` and ``strike`` in dollars per coin.

    There is no rate: both sides of the trade are coins, and the forward carries what there is.

    Raises:
        InputError: a forward, strike, time or volatility that is not above 0.
    """
    found = black76.get_greeks(is_call, forward, strike, years, vol)
    (coin,) = to_rows(forward=forward)
    price = found.price / coin
    return InverseGreeks(price, found.delta - price, found.gamma, found.vega / coin, found.theta / coin)
