"""All directed curves of a search, whatever their kinds, as one array of edges between tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from onchain_exec.routing.oracles.curves import NO_TRADES, Curves, FloatArray, IndexArray, Trade, resist
from onchain_exec.routing.oracles.linear import Linear


@dataclass(frozen=True, slots=True)
class Edges:
    """Edge e leads from token ``source[e]`` to ``target[e]`` through pool ``pool[e]`` (indexes).

    ``groups`` hold the curves in the edges' order, ``ends`` where each group ends. ``rounding`` is what
    a contract's integers may give beyond its curve in one swap, base units of the target; ``resistance``
    the slope of the trade where it starts.
    """

    source: IndexArray
    target: IndexArray
    pool: IndexArray
    rounding: FloatArray
    resistance: FloatArray
    groups: tuple[Curves, ...]
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.source)

    def take(self, index: IndexArray) -> Self:
        """Return the edges at ``index``, which ascends."""
        cuts = index.searchsorted(self.ends).tolist()
        groups: list[Curves] = []
        ends: list[int] = []
        for group, begin, low, high in zip(self.groups, (0, *self.ends), (0, *cuts), cuts, strict=False):
            if high > low:
                groups.append(group.take(index[low:high] - begin))
                ends.append(high)
        source, target, pool = self.source[index], self.target[index], self.pool[index]
        rounding, resistance = self.rounding[index], self.resistance[index]
        return type(self)(source, target, pool, rounding, resistance, tuple(groups), tuple(ends))

    def sized(self, most_in: FloatArray) -> Self:
        """Return the edges for amounts in of at most ``most_in``; only `Linear` ones need to know."""
        groups, rounding, resistance = list(self.groups), self.rounding.copy(), self.resistance.copy()
        for number, (begin, end) in enumerate(zip((0, *self.ends), self.ends, strict=False)):
            if isinstance(group := groups[number], Linear):
                groups[number] = sized = group.sized(most_in[begin:end])
                rounding[begin:end], resistance[begin:end] = sized.slack, resist(sized)
        return replace(self, groups=tuple(groups), rounding=rounding, resistance=resistance)

    @property
    def linear(self) -> IndexArray:
        """The edges at a fixed rate."""
        parts = [
            np.arange(begin, end)
            for group, begin, end in zip(self.groups, (0, *self.ends), self.ends, strict=False)
            if isinstance(group, Linear)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.intp)

    def number_tokens(self, size: int, *others: int) -> tuple[IndexArray, IndexArray]:
        """Return which of ``size`` tokens the edges touch, or are among ``others``, and of each of these its
        place there."""
        touched = np.zeros(size, bool)
        touched[self.source] = touched[self.target] = True
        touched[list(others)] = True
        (tokens,) = touched.nonzero()
        label = np.zeros(size, np.intp)
        label[tokens] = np.arange(len(tokens))
        return tokens, label

    def relabelled(self, label: IndexArray) -> Self:
        """Return the edges with token t called ``label[t]``."""
        return replace(self, source=label[self.source], target=label[self.target])

    def start(self) -> FloatArray:
        """Return each edge's log marginal rate at zero, after the fee."""
        if len(self.groups) == 1:
            return self.groups[0].start()
        return np.concatenate([group.start() for group in self.groups] or [np.empty(0)])

    def trade(self, log_prices: FloatArray, reach: float = 0.0, lift: float = 0.0) -> Trade:
        """Return each edge's most profitable trade at the log prices of the tokens, what comes out being
        worth ``lift`` more."""
        log_ratio = log_prices[self.target] - log_prices[self.source]
        if lift:
            log_ratio += lift
        parts: list[Trade] = []
        for group, begin, end in zip(self.groups, (0, *self.ends), self.ends, strict=False):
            which, *amounts = group.trade(log_ratio[begin:end], reach)
            if len(which):
                parts.append(Trade(which + begin if begin else which, *amounts))
        if not parts:
            return NO_TRADES
        if len(parts) == 1:
            return parts[0]
        return Trade(*map(np.concatenate, zip(*parts, strict=True)))
