"""Concentrated liquidity: constant product between ticks (Uniswap v3, v4 and their kin)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple, Self

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, IndexArray, Rows, Trade

_STRIDE: Final = 256.0
"""Apart from each other by more than any log root price: the tables share one sorted array."""


class Ladder(NamedTuple):
    """One direction of one pool. ``roots[k]`` is the root of the price (out per in) where step k
    starts, falling; the last one is where the liquidity ends. ``liquidity[k]`` is that of step k."""

    roots: FloatArray
    liquidity: FloatArray
    fee: float


@dataclass(frozen=True, slots=True)
class Concentrated(Rows):
    """Ladders of many pools laid end to end, with what all steps before each took and gave.

    Going down to the root price z within a step gives ``L * (z_k - z)`` and takes, before the fee,
    ``L * (1/z - 1/z_k)``: the same for both directions, as each has its own root price.
    """

    shared: ClassVar = frozenset(("keys", "root", "root_end", "liquidity", "sum_in", "sum_out"))

    first: IndexArray
    last: IndexArray
    keep: FloatArray
    offset: FloatArray
    keys: FloatArray
    root: FloatArray
    root_end: FloatArray
    liquidity: FloatArray
    sum_in: FloatArray
    sum_out: FloatArray
    _log_keep: FloatArray = field(init=False)
    _start: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_log_keep", np.log(self.keep))
        object.__setattr__(self, "_start", self._log_keep + 2 * np.log(self.root[self.first]))

    @classmethod
    def build(cls, ladders: Sequence[Ladder]) -> Self:
        """Return the curves of ``ladders``, each with at least one step."""
        sizes = np.array([len(ladder.liquidity) for ladder in ladders])
        last = np.cumsum(sizes) - 1
        first = last - sizes + 1
        root = np.concatenate([ladder.roots[:-1] for ladder in ladders])
        root_end = np.concatenate([ladder.roots[1:] for ladder in ladders])
        liquidity = np.concatenate([ladder.liquidity for ladder in ladders])
        offset = np.arange(len(ladders)) * _STRIDE
        return cls(
            first,
            last,
            np.array([1 - ladder.fee for ladder in ladders]),
            offset,
            np.repeat(offset, sizes) - np.log(root),
            root,
            root_end,
            liquidity,
            _sums_before(liquidity * (1 / root_end - 1 / root), first, last),
            _sums_before(liquidity * (root - root_end), first, last),
        )

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return self._start

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        (near,) = (log_price + self._start > -reach).nonzero()
        keep = self.keep[near]
        target_log = (log_price[near] + self._log_keep[near]) * -0.5
        step = self.keys.searchsorted(self.offset[near] - target_log, side="right") - 1
        step = np.minimum(np.maximum(step, self.first[near]), self.last[near])
        start, end, liquidity = self.root[step], self.root_end[step], self.liquidity[step]
        root = np.minimum(np.maximum(np.exp(target_log), end), start)
        fallen = liquidity * (start - root)
        return Trade(
            near,
            (self.sum_in[step] + fallen / (start * root)) / keep,
            self.sum_out[step] + fallen,
            liquidity / (2.0 * keep * root) * (root > end),
        )


def _sums_before(steps: FloatArray, first: IndexArray, last: IndexArray) -> FloatArray:
    """Return for each step the sum of the steps before it in its ladder."""
    sums = np.zeros_like(steps)
    for begin, end in zip(first.tolist(), last.tolist(), strict=True):
        np.cumsum(steps[begin:end], out=sums[begin + 1 : end + 1])
    return sums
