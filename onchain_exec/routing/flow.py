"""The float solution as flows between tokens, and an order of the tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from onchain_exec.core import Token
from onchain_exec.venues import Pool


class Flow(NamedTuple):
    """A proposed trade through one pool, in float base units; ``value`` is what it takes, in units of
    the priced token. ``edge`` is its number where it was found."""

    pool: Pool
    token_in: Token
    token_out: Token
    amount_in: float
    amount_out: float
    value: float
    edge: int


def keep_through(flows: Sequence[Flow], start: Token, end: Token) -> list[Flow]:
    """Return the flows that lie on a way from ``start`` to ``end``."""
    after, before = {start}, {end}
    for _ in flows:
        after |= {flow.token_out for flow in flows if flow.token_in in after}
        before |= {flow.token_in for flow in flows if flow.token_out in before}
    return [flow for flow in flows if flow.token_in in after and flow.token_out in before]


def order_tokens(flows: Iterable[Flow]) -> list[Token]:
    """Return the tokens of ``flows`` so that these lead forwards as far as they can.

    Acyclic flows come out in topological order. Where cycles stand in the way, the token that gives
    most beyond what it takes goes first (Eades, Lin, Smyth 1993).
    """
    given: dict[Token, dict[Token, float]] = {}
    taken: dict[Token, dict[Token, float]] = {}
    for flow in flows:
        for token in (flow.token_in, flow.token_out):
            given.setdefault(token, {})
            taken.setdefault(token, {})
        total = given[flow.token_in].get(flow.token_out, 0.0) + flow.value
        given[flow.token_in][flow.token_out] = taken[flow.token_out][flow.token_in] = total
    head: list[Token] = []
    tail: list[Token] = []
    while given:
        first = next((token for token in given if not taken[token]), None)
        last = next((token for token in given if not given[token]), None) if first is None else None
        token = first or last or max(given, key=lambda t: sum(given[t].values()) - sum(taken[t].values()))
        (tail if last else head).append(token)
        for other in given.pop(token):
            del taken[other][token]
        for other in taken.pop(token):
            del given[other][token]
    return head + tail[::-1]


def is_acyclic(flows: Sequence[Flow], order: Sequence[Token]) -> bool:
    """Return whether every flow leads forwards in ``order``."""
    place = {token: index for index, token in enumerate(order)}
    return all(place[flow.token_in] < place[flow.token_out] for flow in flows)
