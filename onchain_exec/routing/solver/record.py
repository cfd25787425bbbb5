"""What a search infers of each case of choices, and the proof that is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from onchain_exec.core import Token
from onchain_exec.routing.oracles import IndexArray
from onchain_exec.routing.proof import Closing, Edge, Fixing, Proof, Split, Step, Valuation
from onchain_exec.routing.solver.certificate import Bounds, Case
from onchain_exec.routing.solver.contributions import find_payers
from onchain_exec.routing.solver.dual import Problem
from onchain_exec.venues import Pool


class Round(NamedTuple):
    """A case at the prices and payments that bound it best, what bounds it there, and the edges that are
    decided then: on and off, at which prices and payments."""

    case: Case
    whole: float
    fixings: Sequence[tuple[Case, IndexArray, IndexArray]]


@dataclass(slots=True)
class Record:
    """The rounds in which a case was narrowed, and the edge by which it was split: with it on, and off."""

    rounds: list[Round] = field(default_factory=list)
    split: tuple[int, Record, Record] | None = None

    def note(
        self, case: Case, whole: float, tried: Sequence[tuple[Case, Bounds]], on: IndexArray, off: IndexArray
    ) -> None:
        """Add a round: each edge is decided where the bound without it, or with it, is lowest."""
        on_by = np.argmin([bounds.without[on] for _, bounds in tried], axis=0)
        off_by = np.argmin([bounds.using[off] for _, bounds in tried], axis=0)
        fixings = [(at, on[on_by == place], off[off_by == place]) for place, (at, _) in enumerate(tried)]
        self.rounds.append(Round(case, whole, fixings))


@dataclass(frozen=True, slots=True)
class Covered:
    """What a proof is about: the edges of ``problem``, then those ``beside`` that are not left out, between
    ``tokens``, through ``pools``."""

    problem: Problem
    beside: Problem
    tokens: Sequence[Token]
    pools: Sequence[Pool]


def make_proof(record: Record, worth: float, covered: Covered) -> Proof:
    """Return the proof that no choice of edges is worth more than ``worth``, which bounds every case of
    ``record`` that was not split: a case is not followed further than that needs."""
    valuations = _Valuations(covered)
    steps = tuple(_list_steps(record, worth, valuations))
    return Proof(worth, _list_edges(covered), tuple(valuations.each), steps)


def _list_edges(covered: Covered) -> tuple[Edge, ...]:
    tokens, pools = covered.tokens, covered.pools
    return tuple(
        Edge(pools[pool].key, tokens[source], tokens[target])
        for edges in (covered.problem.edges, covered.beside.edges)
        for pool, source, target in zip(
            edges.pool.tolist(), edges.source.tolist(), edges.target.tolist(), strict=True
        )
    )


class _Valuations:
    """The prices and payments that steps name, each once, in the order in which they are named first."""

    def __init__(self, covered: Covered) -> None:
        self.each: list[Valuation] = []
        self._tokens, self._may_pay = covered.tokens, find_payers(covered.problem)
        self._known: dict[tuple[int, int], int] = {}

    def number(self, case: Case) -> int:
        """Return the number of the prices and payments of ``case``: cases that share them share arrays."""
        number = self._known.setdefault((id(case.log_prices), id(case.paid)), len(self.each))
        if number == len(self.each):
            prices = dict(zip(self._tokens, np.exp(case.log_prices).tolist(), strict=True))
            paid = np.where(self._may_pay, 0.0 if case.paid is None else case.paid, 0.0)
            before, after = (
                {edge: float(row[edge]) for edge in np.flatnonzero(row).tolist()} for row in paid
            )
            self.each.append(Valuation(prices, before, after))
        return number


def _list_steps(record: Record, worth: float, valuations: _Valuations) -> Iterator[Step]:
    records = [record]
    while records:
        record = records.pop()
        for case, whole, fixings in record.rounds:
            if whole <= worth:
                yield Closing(valuations.number(case))
                break
            for at, on, off in fixings:
                if len(on) or len(off):
                    yield Fixing(valuations.number(at), tuple(on.tolist()), tuple(off.tolist()))
        else:
            if record.split is not None:
                edge, using, without = record.split
                yield Split(edge)
                records += [without, using]
