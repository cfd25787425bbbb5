"""Flows as whole paths, for executors that cannot split and merge on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from onchain_exec.core import Address, Exact
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.market import Market, Settlement, divide
from onchain_exec.routing.settlement.flow import Flow
from onchain_exec.venues import Hop

_TINY: Final = 1e-12


def settle_paths(
    basket: Basket, flows: Sequence[Flow], order: Sequence[Address], graph: Sequence[Hop]
) -> Settlement:
    """Return acyclic ``flows`` of a basket of one token as paths that run one after the other, in exact
    integers.

    A pool on several paths is met by each as the ones before left it, and pays its gas each time. A
    path gets its share of what the settled ``graph`` passes on where it last parts from another, and
    the pools say what that takes at its start. The widest path runs last and takes the rest.

    Raises:
        RefusedError: a pool would revert on its part.
    """
    forwards = basket.exact is Exact.IN
    if not forwards:
        flows = [_turned(flow)._replace(amount_in=flow.amount_out) for flow in flows]
        order = order[::-1]
    ((start, left),), end = basket.amounts.items(), basket.priced
    leaving: dict[Address, list[Flow]] = defaultdict(list)
    for flow in flows:
        leaving[flow.token_in.address].append(flow)
    passed = _passed_on(basket, graph)
    market, legs = Market(basket.exact), []
    paths = _split(leaving, order, start.address, end.address)
    for path, share in reversed(paths):
        steps = path if forwards else tuple(_turned(flow) for flow in path)
        parting = max(n for n, flow in enumerate(path) if n == 0 or len(leaving[flow.token_in.address]) > 1)
        amount = divide(passed[path[parting].token_in.address], share[parting])
        for step in reversed(steps[:parting]):
            amount = market.quote_other(step, amount)
        amount = left if path is paths[0][0] else min(amount, left)
        left -= amount
        legs.append(market.run(steps if forwards else steps[::-1], amount))
    return market.settle(legs)


def _turned(flow: Flow) -> Flow:
    return flow._replace(token_in=flow.token_out, token_out=flow.token_in)


def _passed_on(basket: Basket, graph: Sequence[Hop]) -> dict[Address, int]:
    """Return what each token of the settled graph passes on."""
    passed: dict[Address, int] = defaultdict(int)
    for hop in graph:
        if basket.exact is Exact.IN:
            passed[hop.token_in.address] += hop.amount_in
        else:
            passed[hop.token_out.address] += hop.amount_out
    return passed


def _split(
    leaving: dict[Address, list[Flow]], order: Sequence[Address], start: Address, end: Address
) -> list[tuple[tuple[Flow, ...], tuple[float, ...]]]:
    """Return paths from ``start`` to ``end``, the widest first, with the share each has of what every
    token on it passes on. A token passes on in proportion to what its flows carry."""
    reached = dict.fromkeys(order, 0.0)
    reached[start] = 1.0
    left: dict[int, float] = {}
    for token in order:
        total = sum(flow.amount_in for flow in leaving[token])
        for flow in leaving[token]:
            left[flow.edge] = reached[token] * flow.amount_in / total
            reached[flow.token_out.address] += left[flow.edge]
    paths: list[tuple[tuple[Flow, ...], tuple[float, ...]]] = []
    while True:
        path: list[Flow] = []
        token, width = start, 1.0
        while token != end:
            path.append(max(leaving[token], key=lambda flow: left[flow.edge]))
            token, width = path[-1].token_out.address, min(width, left[path[-1].edge])
        if width <= _TINY:
            return paths
        for flow in path:
            left[flow.edge] -= width
        paths.append((tuple(path), tuple(width / reached[flow.token_in.address] for flow in path)))
