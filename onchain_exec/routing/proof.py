"""Why no route is worth more where gas counts: a value that can be checked without the search.

A *case* is all routes that use every edge of one set (on) and none of another (off). Steps are read in
their order, with a stack of cases that begins with the one that decides nothing: each step takes the top
case, and after the last one the stack is empty, so that the steps cover all routes. All that a checker
evaluates is what a case is worth at most at a valuation,

    W = sum(price * owned) + sum of s[e] over edges on + sum of max(0, s[e]) over edges undecided - L
    s[e] = profit[e] - cost[e] - before[e] - after[e]
           + sum of before[f] over edges f with token_in[f] = token_out[e]
           + sum of after[f] over edges f with token_out[f] = token_in[e]

and each time it has to be ``Proof.worth`` or less, but for what floats lose in adding up costs. ``owned`` is
the amounts of the order, negative for what is bought with Exact.OUT; ``profit[e]`` is the most by which
any one trade through the edge gives more, at the prices, than it takes; ``cost[e]`` is the gas of one such
swap, with the calldata of a hop. ``before`` and ``after`` are what edges pay those that they are of no use
without: 0 or more, ``before`` where token_in is not sold, ``after`` where token_out is not bought, and
neither where that token is the priced one. Since such an edge needs another one into token_in, or out of
token_out, a route is given back at least what it pays, and W bounds it at the true costs.

Routes of an order that do not go round use all edges of some way from what is sold to what is bought, and
every edge on such a way: with a loss of 0 on edges on, infinite on edges off, and max(0, -s[e]) on the
others, L is the least loss of any way or, if that is more, the highest among the edges on of the least loss
of a way over the edge. For a basket of several tokens, and with cycles, L is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from onchain_exec.core import Token


class Edge(NamedTuple):
    """Swaps through a pool, by its key, in one direction."""

    pool: str
    token_in: Token
    token_out: Token


@dataclass(frozen=True, slots=True)
class Valuation:
    """What the tokens are worth, and what edges, by their numbers, pay those before and after them: units of
    the priced token."""

    prices: Mapping[Token, float]
    paid_before: Mapping[int, float]
    paid_after: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Fixing:
    """At the numbered valuation the case is worth no more where an edge of ``off`` is used, nor where one of
    ``on`` is not: each by itself. Back on the stack goes the case with all of them decided."""

    valuation: int
    on: tuple[int, ...]
    off: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The case in two: back on the stack goes that with ``edge`` off, and then that with it on."""

    edge: int


@dataclass(frozen=True, slots=True)
class Closing:
    """At the numbered valuation the whole case is worth no more."""

    valuation: int


Step: TypeAlias = Fixing | Split | Closing


@dataclass(frozen=True, slots=True)
class Proof:
    """No route over ``edges`` is worth more than ``worth``: units of the priced token that it gives
    (Exact.IN), or takes (Exact.OUT, negative), less the gas of its swaps but not of the ticks they cross.
    Edges and valuations are numbered from 0."""

    worth: float
    edges: tuple[Edge, ...]
    valuations: tuple[Valuation, ...]
    steps: tuple[Step, ...]
