"""How much a price moves from block to block, told from its history."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt

from onchain_exec.core.fixed_point import PIPS
from onchain_exec.errors import InputError
from onchain_exec.risk.exposure.lateness import Volatility

_LOG_TICK = log(1.0001)


def estimate_volatility(prices: Sequence[tuple[int, float]], fee_pips: int = 0) -> Volatility:
    """Return the volatility that (block number, price) pairs tell, the oldest first.

    The variance per block is the mean of squared logarithmic returns, not less their mean: a trend counts
    as risk. A pool shows no moves within its fee, ``fee_pips``: the variance of a price anywhere within
    the fee either way is added once to the whole history.

    Raises:
        InputError: fewer than two prices, one that is not positive, or blocks that do not rise.
    """
    if len(prices) < 2 or any(price <= 0 for _, price in prices):
        raise InputError(f"{len(prices)} prices", needed="two or more, all above 0")
    if any(before >= after for (before, _), (after, _) in pairwise(prices)):
        raise InputError("blocks that do not rise", needed="prices in the order of their blocks")
    returns = [log(after / before) for (_, before), (_, after) in pairwise(prices)]
    blocks = prices[-1][0] - prices[0][0]
    variance = (sum(move * move for move in returns) + _get_hidden_variance(fee_pips)) / blocks
    return Volatility(sqrt(variance), sum(returns) / blocks, blocks)


def estimate_volatility_of_means(mean_ticks: Sequence[float], blocks_each: int, fee_pips: int) -> Volatility:
    """Return the volatility of a price of which a pool told the mean ticks over windows of
    ``blocks_each`` blocks that follow one another, the oldest first.

    Means move less than what they are of: those of two neighbouring windows of n steps of a random walk
    differ by a variance of (2 n**2 + 1) / (3 n) steps.

    Raises:
        InputError: fewer than two means, or windows of no blocks.
    """
    if len(mean_ticks) < 2 or blocks_each < 1:
        raise InputError(
            f"{len(mean_ticks)} means over {blocks_each} blocks", needed="two or more, over 1 or more"
        )
    returns = [(after - before) * _LOG_TICK for before, after in pairwise(mean_ticks)]
    steps = (2 * blocks_each**2 + 1) / (3 * blocks_each)
    blocks = len(mean_ticks) * blocks_each
    variance = sum(move * move for move in returns) / (len(returns) * steps)
    drift = sum(returns) / (len(returns) * blocks_each)
    return Volatility(sqrt(variance + _get_hidden_variance(fee_pips) / blocks), drift, blocks)


def combine(legs: Sequence[Volatility]) -> Volatility:
    """Return the volatility of a price that is the product of several that move apart from one another."""
    return Volatility(
        sqrt(sum(leg.per_block**2 for leg in legs)),
        sum(leg.drift_per_block for leg in legs),
        min(leg.blocks for leg in legs),
    )


def _get_hidden_variance(fee_pips: int) -> float:
    return (fee_pips / PIPS) ** 2 / 3
