"""The volatilities that a protocol quotes, as smiles for `pricing.smiles.fit.fit_surface`."""

from __future__ import annotations

import math
from collections import defaultdict

from onchain_exec.core.fixed_point import WAD
from onchain_exec.pricing.smiles.fit import Smile
from onchain_exec.venues.options.market import OptionMarket, Series, SeriesState

_SECONDS_PER_YEAR = 365 * 86_400


def collect_smiles(market: OptionMarket) -> tuple[Smile, ...]:
    """Return one smile per expiry of the series that trade, each strike once, by log moneyness."""
    by_expiry: dict[int, dict[int, Series]] = defaultdict(dict)
    for series in market.series:
        if market.get_state(series) is SeriesState.OPEN:
            by_expiry[series.expiry_at][series.strike_wad] = series
    return tuple(
        _make_smile(market, [by_strike[strike] for strike in sorted(by_strike)])
        for _, by_strike in sorted(by_expiry.items())
    )


def _make_smile(market: OptionMarket, strip: list[Series]) -> Smile:
    years = (strip[0].expiry_at - market.timestamp) / _SECONDS_PER_YEAR
    forward = market.get_forward(strip[0])
    k = [math.log(series.strike_wad / WAD / forward) for series in strip]
    return Smile(years, k, [market.get_vol_wad(series) / WAD for series in strip])
