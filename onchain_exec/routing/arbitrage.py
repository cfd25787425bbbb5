"""Trades that end with more of the token they began with: the best cycles, sized, in exact integers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor
from operator import mul
from typing import Final

import numpy as np

from onchain_exec.core import BlockRef, Exact, Token
from onchain_exec.core.fixed_point import BPS
from onchain_exec.routing.market import Market
from onchain_exec.routing.route import FIXED, Certificate, GasModel, exclude
from onchain_exec.routing.settlement.flow import Flow, Flows
from onchain_exec.routing.solver.certificate import Case, Ways, find_bounds
from onchain_exec.routing.solver.cycles import find_cycles, run_cycle, size_cycle
from onchain_exec.routing.solver.dual import DualPoint, Problem, solve
from onchain_exec.routing.solver.network import Network
from onchain_exec.routing.solver.scope import best_rates
from onchain_exec.venues import Leg, PoolSet

_NO_GAS: Final = GasModel()
_NOTHING: Final = np.empty(0, np.intp)
_SETTLED: Final = 1e-12
_MOST_LEGS: Final = 1_000
_SPENT: Final = 1e-9
"""Of a flow: what is left of it when only rounding is."""


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """Closed chains of hops that run one after the other: each takes ``token`` and gives more of it.

    All amounts are base units of ``token``, recomputed by the pools' exact arithmetic. The bound of
    ``certificate`` is on what any trades of all pools together gain before gas. A gain that lies on no
    way through ``token`` counts in the bound, but cannot be begun with it.
    """

    block: BlockRef
    token: Token
    legs: tuple[Leg, ...]
    gas_units: int
    certificate: Certificate

    @property
    def amount_in(self) -> int:
        """What the legs take together; the first may pay for the later ones."""
        return sum(leg.amount_in for leg in self.legs)

    @property
    def profit(self) -> int:
        """What is gained before gas."""
        return sum(leg.amount_out - leg.amount_in for leg in self.legs)

    @property
    def gap_bps(self) -> float:
        """How far the profit may be from the highest, in 1e-4 of the bound."""
        return (self.certificate.bound - self.profit) / self.certificate.bound * BPS


def find_arbitrage(token: Token, pools: PoolSet | Network, gas: GasModel = _NO_GAS) -> Arbitrage | None:
    """Return the cycles from ``token`` back to it that gain most, or None where none gains after gas.

    All pools are solved together, so cycles that share one are sized together. A gain elsewhere that is
    only brought to ``token`` needs no ``token`` to begin with and is not among them; the gap shows it.
    Then cycles of up to four hops are added as long as one gains on the pools as the others leave them:
    when this returns none does, but for what rounding takes. ``gas.token_per_wei`` prices wei in
    ``token``.

    Raises:
        NoPoolError: no pool holds ``token``.
    """
    whole = pools if isinstance(pools, Network) else Network.build(pools)
    network = whole.without_fixed()
    number, size = network.number(token), len(network.tokens)
    nothing = np.zeros(len(network.edges))
    problem = Problem(network.edges, np.zeros(size), number, nothing)
    rates = best_rates(network.edges, size, number, size, to_unit=True)
    point = solve(problem, rates, _SETTLED)
    book = _Book(gas)
    for cycle, amount in _divide(Flows.of(network.pools, network.tokens, point).each, token):
        after = book.market.fork()
        leg = run_cycle(after, cycle, amount)
        if leg is not None:
            book.take(leg, after)
    while len(book.legs) < _MOST_LEGS and any(
        book.take(*sized)
        for cycle in find_cycles(network, book.market, number)
        if (sized := size_cycle(book.market, cycle)) is not None
    ):
        pass
    if book.profit <= gas.cost(book.market.gas_units, sum(len(leg.hops) for leg in book.legs)):
        return None
    return Arbitrage(network.block, token, tuple(book.legs), book.market.gas_units, _certify(whole, point))


class _Book:
    """Legs that are worth their gas, and the market after them."""

    def __init__(self, gas: GasModel) -> None:
        self.gas, self.market, self.legs = gas, Market(Exact.IN), list[Leg]()

    @property
    def profit(self) -> int:
        return sum(leg.amount_out - leg.amount_in for leg in self.legs)

    def take(self, leg: Leg, after: Market) -> bool:
        """Add the leg, which leaves the market ``after``, if it gains more than its gas."""
        extra_gas = self.gas.cost(after.gas_units - self.market.gas_units, len(leg.hops))
        gains = leg.amount_out - leg.amount_in > extra_gas
        if gains:
            self.market = after
            self.legs.append(leg)
        return gains


def _certify(network: Network, point: DualPoint) -> Certificate:
    ways = Ways(None, point.problem.take(_NOTHING))
    return Certificate(
        bound=floor(find_bounds(point.problem, Case(point.log_prices), ways).whole),
        prices=dict(zip(network.tokens, point.prices.tolist(), strict=True)),
        excluded=(
            *exclude(network.unknown, "no oracle for this kind of pool"),
            *exclude(network.fixed, FIXED),
        ),
    )


def _divide(flows: Sequence[Flow], token: Token) -> list[tuple[tuple[Flow, ...], int]]:
    """Return chains from ``token`` back to it that together carry the flows, with what each takes.

    A chain follows the widest flow out of each token and carries what the narrowest of them has left.
    What goes round elsewhere is taken off the flows.
    """
    leaving: dict[Token, list[Flow]] = defaultdict(list)
    for flow in flows:
        leaving[flow.token_in].append(flow)
    left = {flow.edge: flow.amount_in for flow in flows}
    cycles: list[tuple[tuple[Flow, ...], int]] = []
    while chain := _follow(leaving, left, token):
        begin = [flow.token_in for flow in chain].index(chain[-1].token_out) if _closes(chain) else -1
        loop = chain[begin:]
        rates = list(accumulate((flow.amount_out / flow.amount_in for flow in loop), mul, initial=1.0))
        amount = min(left[flow.edge] / rate for flow, rate in zip(loop, rates, strict=False))
        if begin == 0 and _closes(chain) and amount >= 1:
            cycles.append((tuple(chain), int(amount)))
        for flow, rate in zip(loop, rates, strict=False):
            spent = left[flow.edge] - amount * rate
            left[flow.edge] = spent if spent > _SPENT * flow.amount_in else 0.0
    return cycles


def _follow(leaving: dict[Token, list[Flow]], left: dict[int, float], token: Token) -> list[Flow]:
    """Return the widest flows one after the other, until they come back to a token or lead nowhere."""
    chain: list[Flow] = []
    at, seen = token, set[Token]()
    while at not in seen:
        seen.add(at)
        widest = max(leaving[at], key=lambda flow: left[flow.edge], default=None)
        if widest is None or not left[widest.edge]:
            break
        chain.append(widest)
        at = widest.token_out
    return chain


def _closes(chain: list[Flow]) -> bool:
    return any(flow.token_in == chain[-1].token_out for flow in chain)
