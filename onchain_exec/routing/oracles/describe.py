"""Which curves a pool of each class is, in floats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import log
from typing import Final, TypeAlias

import numpy as np

from onchain_exec.core.fixed_point import PIPS, Q96
from onchain_exec.routing.oracles.concentrated import Concentrated, Ladder
from onchain_exec.routing.oracles.constant_product import ConstantProduct
from onchain_exec.venues.concentrated import ConcentratedPool, Curve
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

_LOG_TICK: Final = log(1.0001) / 2
"""The log of the root price's growth per tick."""


Side: TypeAlias = tuple[int, int, int]
"""A directed curve's pool (position in the given sequence), token in and token out (its own order)."""


def constant_product(pools: Sequence[UniswapV2Pool]) -> tuple[ConstantProduct, list[Side]] | None:
    """Return both directions of each pair that holds something."""
    live = [
        (number, float(pool.reserve0), float(pool.reserve1), 1 - pool.swap_fee_pips / PIPS)
        for number, pool in enumerate(pools)
        if pool.reserve0 and pool.reserve1 and pool.swap_fee_pips < PIPS
    ]
    if not live:
        return None
    _, reserve0, reserve1, keep = np.array(live).T
    curves = ConstantProduct(
        np.concatenate((reserve0 / keep, reserve1 / keep)), np.concatenate((reserve1, reserve0))
    )
    return curves, [(pool[0], side, 1 - side) for side in (0, 1) for pool in live]


def concentrated(pools: Sequence[ConcentratedPool]) -> tuple[Concentrated, list[Side]] | None:
    """Return each direction of each pool in which there is liquidity."""
    found = [
        (ladder, (number, side, 1 - side))
        for number, pool in enumerate(pools)
        for side in (0, 1)
        if (ladder := get_ladder(pool.curve, side == 0)) is not None
    ]
    if not found:
        return None
    return Concentrated.build([ladder for ladder, _ in found]), [side for _, side in found]


def get_ladder(curve: Curve, down: bool) -> Ladder | None:
    """Return the steps between initialised ticks from the first liquidity on, or None without any."""
    if not curve.sqrt_price_x96 or curve.fee_pips >= PIPS:
        return None
    ticks, order = curve.ticks, -1 if down else 1
    cut = bisect_right(ticks.indexes, curve.tick)
    part = slice(None, cut) if down else slice(cut, None)
    indexes, nets = ticks.indexes[part][::order], ticks.liquidity_net[part][::order]
    # summed as integers: what is left of large opposite nets must be exact
    depth = list(accumulate((order * net for net in nets), initial=curve.liquidity))[:-1]
    first = next((step for step, liquidity in enumerate(depth) if liquidity), None)
    if first is None:
        return None
    start = (curve.sqrt_price_x96 / Q96) ** -order
    roots = np.concatenate(([start], np.exp(-order * _LOG_TICK * np.array(indexes, float))))
    return Ladder(np.minimum(roots, start)[first:], np.array(depth[first:], float), curve.fee_pips / PIPS)
