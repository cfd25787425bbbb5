"""Which curves a pool of each class is, in floats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, permutations
from math import log, prod
from operator import add, sub
from typing import Final, TypeAlias

import numpy as np

from onchain_exec.core.fixed_point import PIPS, Q96, WAD
from onchain_exec.routing.oracles.concentrated import Concentrated, Ladder
from onchain_exec.routing.oracles.constant_product import ConstantProduct
from onchain_exec.routing.oracles.crypto import Crypto
from onchain_exec.routing.oracles.linear import LEAST_BEND, Linear
from onchain_exec.routing.oracles.solidly import Solidly
from onchain_exec.routing.oracles.stable import Stable, solve_invariant
from onchain_exec.routing.oracles.weighted import Weighted
from onchain_exec.venues.balancer import BalancerPool, BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.concentrated import ConcentratedPool, Curve
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

_LOG_TICK: Final = log(1.0001) / 2
"""The log of the root price's growth per tick."""

_MOST_IN: Final = 2.0**160
"""More base units of a token than are anywhere."""

_CRYPTO_SWAPS: Final = frozenset(("tricrypto", "tricrypto_ng", "twocrypto_ng_2_0", "twocrypto_ng"))
"""Flavours on the curve of the CryptoSwap whitepaper. Pools that take donations are on another."""

_CRYPTO_A_UNIT: Final = 1e4
_CRYPTO_FEE_UNIT: Final = 1e10

_MAX_IN_RATIO: Final = 0.3
"""Of the balance: Balancer's ``WeightedMath._MAX_IN_RATIO``."""


Side: TypeAlias = tuple[int, int, int]
"""A directed curve's pool (position in the given sequence), token in and token out (its own order)."""


def constant_product(pools: Sequence[UniswapV2Pool]) -> tuple[ConstantProduct, list[Side]] | None:
    """Return both directions of each pair that holds something."""
    return _products(list(enumerate(pools)))


def solidly_volatile(pools: Sequence[SolidlyPool]) -> tuple[ConstantProduct, list[Side]] | None:
    """Return both directions of each volatile pool that holds something."""
    return _products([(number, pool) for number, pool in enumerate(pools) if not pool.stable])


def _products(
    numbered: Sequence[tuple[int, UniswapV2Pool | SolidlyPool]],
) -> tuple[ConstantProduct, list[Side]] | None:
    live = [
        (number, float(pool.reserve0), float(pool.reserve1), 1 - pool.swap_fee_pips / PIPS)
        for number, pool in numbered
        if pool.reserve0 and pool.reserve1 and pool.swap_fee_pips < PIPS
    ]
    if not live:
        return None
    _, reserve0, reserve1, keep = np.array(live).T
    curves = ConstantProduct(
        np.concatenate((reserve0 / keep, reserve1 / keep)), np.concatenate((reserve1, reserve0))
    )
    return curves, [(pool[0], side, 1 - side) for side in (0, 1) for pool in live]


def erc4626(pools: Sequence[Erc4626Pool]) -> tuple[Linear, list[Side]] | None:
    """Return the deposit and the redemption of each vault that its assets back."""
    rows: list[tuple[float, float]] = []
    sides: list[Side] = []
    for number, pool in enumerate(pools):
        backed = pool.total_assets + pool.virtual_assets or not pool.total_supply + pool.virtual_shares
        for side in (0, 1) if backed else ():
            token_in, token_out = pool.tokens[side], pool.tokens[1 - side]
            limit = float(min(pool.depth(token_in, token_out, 0), _MOST_IN))
            if limit:
                rows.append((float(pool.spot_price(token_in, token_out)), limit))
                sides.append((number, side, 1 - side))
    return _linear(rows, sides)


def wrapped_native(pools: Sequence[WrappedNativePool]) -> tuple[Linear, list[Side]] | None:
    """Return the wrapping, and the unwrapping of what each contract holds."""
    rows = [(1.0, float(limit)) for pool in pools for limit in (_MOST_IN, pool.held) if limit]
    sides = [(n, side, 1 - side) for n, pool in enumerate(pools) for side in ((0, 1) if pool.held else (0,))]
    return _linear(rows, sides)


def _linear(rows: Sequence[tuple[float, float]], sides: list[Side]) -> tuple[Linear, list[Side]] | None:
    if not rows:
        return None
    rate, limit = np.array(rows).T
    return Linear(rate, limit, limit, np.full_like(rate, LEAST_BEND)), sides


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


def weighted(pools: Sequence[BalancerWeightedPool]) -> tuple[Weighted, list[Side]] | None:
    """Return each ordered pair of tokens of each pool that holds something."""
    sides = _pairs(pools)
    if not sides:
        return None
    rows = []
    for number, side_in, side_out in sides:
        pool = pools[number]
        keep = 1 - pool.swap_fee_wad / WAD
        weights = pool.weights_wad
        rows.append(
            (
                pool.balances[side_in] / keep,
                float(pool.balances[side_out]),
                weights[side_in] / weights[side_out],
            )
        )
    balance_in, balance_out, ratio = np.array(rows).T
    return Weighted(balance_in, balance_out, ratio, np.full(len(rows), _MAX_IN_RATIO)), sides


def balancer_stable(pools: Sequence[BalancerStablePool]) -> tuple[Stable, list[Side]] | None:
    """Return each ordered pair of tokens of each pool that holds something; the fee is on the input."""
    return _stable(
        pools,
        [pool.scaling_factors_wad for pool in pools],
        [pool.amp * len(pool.tokens) / 1_000 for pool in pools],
        [(1 - pool.swap_fee_wad / WAD, 1.0) for pool in pools],
    )


def curve_stable(pools: Sequence[CurveStablePool]) -> tuple[Stable, list[Side]] | None:
    """Return each ordered pair of tokens of each pool that holds something.

    The fee is on the output. Where it grows off the peg, this is its lowest, so that a bound holds.
    """
    return _stable(
        pools,
        [pool.rates_wad for pool in pools],
        [pool.amp * len(pool.tokens) / pool.flavour.amp_precision for pool in pools],
        [(1.0, 1 - pool.swap_fee_e10 / 1e10) for pool in pools],
    )


def solidly_stable(pools: Sequence[SolidlyPool]) -> tuple[Solidly, list[Side]] | None:
    """Return both directions of each stable pool that holds something."""
    rows, sides = [], []
    for number, pool in enumerate(pools):
        reserves = (pool.reserve0, pool.reserve1)
        units = [10.0**token.decimals for token in pool.tokens]
        if pool.stable and all(reserves) and pool.swap_fee_pips < PIPS:
            total = sum(reserve / unit for reserve, unit in zip(reserves, units, strict=True))
            x, y = (reserve / unit / total for reserve, unit in zip(reserves, units, strict=True))
            k, keep = x * y * (x * x + y * y), 1 - pool.swap_fee_pips / PIPS
            rows += [
                (x, units[0] * total / keep, units[1] * total, k),
                (y, units[1] * total / keep, units[0] * total, k),
            ]
            sides += [(number, 0, 1), (number, 1, 0)]
    return (Solidly(*np.array(rows).T), sides) if sides else None


def is_crypto_swap(pool: CurveCryptoPool) -> bool:
    """Return whether the pool is on the whitepaper's curve of its stored invariant."""
    settled = pool.peg is None or not pool.peg.ramp.is_moving(pool.peg.traded_at)
    return settled and not pool.moved and pool.flavour.value in _CRYPTO_SWAPS


def curve_crypto(pools: Sequence[CurveCryptoPool]) -> tuple[Crypto, list[Side]] | None:
    """Return each ordered pair of tokens of each pool on the whitepaper's curve, at its lowest fee."""
    sides = [side for side in _pairs(pools) if is_crypto_swap(pools[side[0]])]
    rows = []
    for number, side_in, side_out in sides:
        pool = pools[number]
        count, gamma, prices = len(pool.tokens), pool.gamma / WAD, (WAD, *pool.price_scale_wad)
        scales = [
            pool.d * 10.0 ** (token.decimals - 18) * WAD / price
            for token, price in zip(pool.tokens, prices, strict=True)
        ]
        balances = [balance / scale for balance, scale in zip(pool.balances, scales, strict=True)]
        others = [b for side, b in enumerate(balances) if side not in (side_in, side_out)]
        factor = pool.ann * gamma**2 / (_CRYPTO_A_UNIT * count**count)
        keep = 1 - min(pool.mid_fee_e10, pool.out_fee_e10) / _CRYPTO_FEE_UNIT
        curve = (factor, gamma, float(count**count), sum(others), prod(others))
        rows.append((balances[side_in], scales[side_in], scales[side_out] * keep, *curve, balances[side_out]))
    return (Crypto(*np.array(rows).T), sides) if sides else None


def _pairs(pools: Sequence[BalancerPool | CurveCryptoPool | CurveStablePool]) -> list[Side]:
    return [
        (number, *pair)
        for number, pool in enumerate(pools)
        if all(pool.balances)
        for pair in permutations(range(len(pool.tokens)), 2)
    ]


def _stable(
    pools: Sequence[BalancerStablePool | CurveStablePool],
    factors_wad: Sequence[Sequence[int]],
    amp_totals: Sequence[float],
    keeps: Sequence[tuple[float, float]],
) -> tuple[Stable, list[Side]] | None:
    """Return the pairs of StableSwap pools; ``keeps`` is what fees leave of input and of output."""
    sides = _pairs(pools)
    rows = []
    for number, side_in, side_out in sides:
        factors, amp_total = factors_wad[number], amp_totals[number]
        scaled = [b * f / WAD for b, f in zip(pools[number].balances, factors, strict=True)]
        total = sum(scaled)
        balances = [balance / total for balance in scaled]
        invariant, count = solve_invariant(balances, amp_total), len(balances)
        others = [b for side, b in enumerate(balances) if side not in (side_in, side_out)]
        rest = invariant * prod(invariant / (count * b) for b in others) * (invariant / count) ** 2
        keep_in, keep_out = keeps[number]
        units = total * WAD / factors[side_in] / keep_in, total * WAD / factors[side_out] * keep_out
        rows.append((balances[side_in], *units, amp_total, invariant, sum(others), rest))
    return (Stable(*np.array(rows).T), sides) if sides else None


def get_ladder(curve: Curve, down: bool) -> Ladder | None:
    """Return the steps between initialised ticks from the first liquidity on, or None without any."""
    if not curve.sqrt_price_x96 or curve.fee_pips >= PIPS:
        return None
    ticks, order = curve.ticks, -1 if down else 1
    cut = bisect_right(ticks.indexes, curve.tick)
    part = slice(None, cut) if down else slice(cut, None)
    indexes, nets = ticks.indexes[part][::order], ticks.liquidity_net[part][::order]
    # summed as integers: what is left of large opposite nets must be exact
    depth = list(accumulate(nets, sub if down else add, initial=curve.liquidity))[:-1]
    first = next((step for step, liquidity in enumerate(depth) if liquidity), None)
    if first is None:
        return None
    start = (curve.sqrt_price_x96 / Q96) ** -order
    roots = np.concatenate(([start], np.exp(-order * _LOG_TICK * np.array(indexes, float))))
    return Ladder(np.minimum(roots, start)[first:], np.array(depth[first:], float), curve.fee_pips / PIPS)
