"""One search: solve for prices, choose the pools, settle in integers, prove how good it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, floor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onchain_exec.core import Address, Exact, Token
from onchain_exec.errors import NoRouteError
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.gas import ROUTE_GAS, TICK_GAS
from onchain_exec.routing.market import RefusedError, Settlement, get_worth
from onchain_exec.routing.oracles import Edges, FloatArray, IndexArray
from onchain_exec.routing.proof import Proof
from onchain_exec.routing.route import FIXED, Certificate, GasModel, Options, exclude
from onchain_exec.routing.settlement.flow import Flow, Flows, order_tokens
from onchain_exec.routing.settlement.settle import settle
from onchain_exec.routing.solver.branch import Choice, choose_edges
from onchain_exec.routing.solver.certificate import Ways
from onchain_exec.routing.solver.dual import DualPoint, Problem, evaluate, solve
from onchain_exec.routing.solver.network import Network
from onchain_exec.routing.solver.record import Covered, make_proof
from onchain_exec.routing.solver.scope import best_rates, make_scope
from onchain_exec.routing.solver.singles import find_singles, settle_best
from onchain_exec.routing.solver.supports import Support

_LOST: Final = 1e-6
_FREE: Final = 10.0
"""In log price below the start: going round gives more of the token than is owed. Without it the token is
missing, but worth next to nothing: the dual is as good as flat there, far from its minimum."""

_MOST_BROUGHT: Final = 16.0
"""Times what the best rates bring of the order to a token."""

_MOST_REFUSALS: Final = 20
"""Where one pool after the other refuses, the amount is beyond them all."""

_SETTLED: Final = 1e-12
"""The relative gap to which the chosen pools are solved before they are settled."""


class Found(NamedTuple):
    """The best that was found, its proof, and what the best single path alone has, if there is one."""

    settled: Settlement
    certificate: Certificate
    best_single_amount: int | None


class _Solution(NamedTuple):
    """The solution without gas, its flows, and the part of the network that closes the cycles, which was
    left out."""

    point: DualPoint
    flows: Flows
    backward: Problem


class Search:
    """One search: what it was asked, and the part of the network it looks at."""

    def __init__(self, basket: Basket, network: Network, gas: GasModel, options: Options) -> None:
        self.left_out = network.fixed if options.cycles else ()
        network = network.without_fixed() if options.cycles else network
        self.basket, self.network, self.gas, self.options = basket, network, gas, options
        self.forwards = basket.exact is Exact.IN
        self.scope = make_scope(network, basket, options.max_hops, cycles=options.cycles)
        self.tokens = [network.tokens[number] for number in self.scope.tokens.tolist()]
        ends = self.scope.sources, self.scope.targets
        self.fixed, (self.priced,) = ends if self.forwards else ends[::-1]

    def run(self) -> Found:
        """Return the best route that was found.

        Raises:
            NoRouteError: none fills the basket.
        """
        solution = self._solve()
        path, best_single = self._find_best_single(solution) or ((), None)
        choice = choose_edges(
            solution.point,
            self._ways(solution.backward),
            [flow.edge for flow in path],
            self._deadline(),
            recorded=self.options.proof,
        )
        several = self._settle_worth_its_ticks(solution, choice.support)
        found = max((way for way in (best_single, several) if way), key=self._worth, default=None)
        if found is None:
            raise self._no_route()
        return Found(
            found,
            self._certify(choice, found, solution),
            None if best_single is None else abs(best_single.bought(self.basket.priced)),
        )

    def _worth(self, settled: Settlement) -> int:
        return get_worth(settled, self.basket, self.gas)

    def _best_rates(self, unit: int, *, to_unit: bool) -> FloatArray:
        size = len(self.scope.tokens)
        rates = best_rates(self.scope.edges, size, unit, self.options.max_hops, to_unit=to_unit)
        return rates if self.forwards else -rates

    def _sized_edges(self) -> Edges:
        """Return the edges of the scope for what the order can bring to each token."""
        edges = self.scope.edges
        if not len(edges.linear):
            return edges
        brought = np.zeros(len(self.scope.tokens))
        for token, amount in zip(self.fixed.tolist(), self.basket.amounts.values(), strict=True):
            brought += float(amount) * np.exp(self._best_rates(token, to_unit=not self.forwards))
        return edges.sized(_MOST_BROUGHT * brought[edges.source])

    def _problem(self, edges: Edges) -> Problem:
        amounts = np.array(list(self.basket.amounts.values()), float)
        endowment = np.zeros(len(self.scope.tokens))
        endowment[self.fixed] = amounts if self.forwards else -amounts
        fees_wei = self.network.gas_units[edges.pool] * self.gas.price_wei + self.gas.hop_data_wei
        return Problem(edges, endowment, int(self.priced), fees_wei * self.gas.token_per_wei)

    def _solve(self) -> _Solution:
        """Return the solution without gas, and without cycles unless they are asked for."""
        problem = self._problem(self._sized_edges())
        start = self._best_rates(int(self.priced), to_unit=self.forwards)
        point = solve(problem, start, _SETTLED)
        flows = self._flows(point)
        if self.options.cycles or flows.order is not None:
            return _Solution(point, flows, problem.take(np.empty(0, np.intp)))
        forward = self._lead_forward(problem.edges, order_tokens(flows.each))
        backward = problem.take(np.flatnonzero(~forward))
        problem = problem.take(np.flatnonzero(forward))
        solved = solve(problem, point.log_prices, _SETTLED)
        free = not self.forwards and bool((solved.log_prices < start - _FREE).any())
        if free or solved.gap > _LOST * abs(solved.value):  # what goes round had carried the prices away
            solved = min(solved, solve(problem, start, _SETTLED), key=lambda ended: ended.value)
        return _Solution(solved, self._flows(solved), backward)

    def _settle_worth_its_ticks(self, solution: _Solution, support: Support) -> Settlement | None:
        """Return the support in exact integers, without pools that are not worth the ticks they cross:
        the choice of pools counts their swaps' gas only."""
        best = self._settle_support(solution, support)
        tick_cost = TICK_GAS * self.gas.price_wei * self.gas.token_per_wei
        while tick_cost and best is not None and best.ticks:
            part = solution.point.problem.take(support.edges)
            ticks = [best.ticks.get(self.network.pools[pool].key, 0) for pool in part.edges.pool.tolist()]
            profits = evaluate(part, support.log_prices).profits(len(ticks))
            surplus = profits - part.costs - tick_cost * np.array(ticks)
            if surplus.min() >= 0 or len(surplus) == 1:
                break
            support = replace(support, edges=np.delete(support.edges, np.argmin(surplus)))
            fewer = self._settle_support(solution, support)
            if fewer is None or self._worth(fewer) <= self._worth(best):
                break
            best = fewer
        return best

    def _settle_support(self, solution: _Solution, support: Support) -> Settlement | None:
        """Return the support in exact integers; edges whose pools refuse their part are left out. Where no
        edge has a cost, the flows of the solution are those of the support."""
        edges, problem = support.edges, solution.point.problem
        flows = None if problem.costs.any() else solution.flows
        for _ in range(_MOST_REFUSALS):
            if flows is None:
                flows = self._solve_flows(problem, edges, support.log_prices)
            if not self.options.cycles or flows.order is not None:
                flows = flows.keep_through(self.scope.sources, self.scope.targets)
            try:
                return self._settle_flows(solution, flows)
            except RefusedError as refused:
                edges, flows = edges[edges != refused.edge], None
        return None

    def _settle_flows(self, solution: _Solution, flows: Flows) -> Settlement | None:
        """Return the flows in exact integers, with a path for every token of a basket that none of them
        trades, if that is worth more: floats do not see amounts that move no price."""
        best = self._settle_served(flows)
        for token, number in zip(self.basket.amounts, self.fixed.tolist(), strict=True):
            if len(self.fixed) == 1 or token.address in self._traded(flows):
                continue
            joined = self._with_path(solution, flows, token, number)
            if joined is flows:
                continue
            try:
                found = self._settle_served(joined)
            except RefusedError:
                continue
            if found is None or best is None or self._worth(found) > self._worth(best):
                best, flows = found, joined
        return best

    def _settle_served(self, flows: Flows) -> Settlement | None:
        """Return the part of the basket that the flows trade in exact integers; all of it with Exact.OUT."""
        served = self.basket.only(self._traded(flows))
        if not served.amounts or not (self.forwards or len(served.amounts) == len(self.fixed)):
            return None
        return settle(served, flows, self.options.shape)

    def _traded(self, flows: Flows) -> set[Address]:
        """Return the tokens of the basket that flows sell, or buy with Exact.OUT."""
        counts = (flows.leaving if self.forwards else flows.arriving)[self.fixed].tolist()
        return {token.address for token, count in zip(self.basket.amounts, counts, strict=True) if count}

    def _with_path(self, solution: _Solution, flows: Flows, token: Token, number: int) -> Flows:
        """Return the flows with the best path for ``token``, if there is one that lets them lead forwards."""
        worth = self.basket.amounts[token] * exp(solution.point.log_prices[number])
        found = self._find_single(solution, self.basket.only((token.address,)), number, worth)
        if found is None:
            return flows
        path, settled = found
        edges, known = solution.point.problem.edges, set(flows.edge.tolist())
        more = [
            (edges.pool[e], edges.source[e], edges.target[e], hop.amount_in, hop.amount_out, flow.value, e)
            for flow, hop in zip(path, (hop for leg in settled.legs for hop in leg.hops), strict=True)
            if (e := flow.edge) not in known
        ]
        joined = flows.with_more(more)
        return joined if self.options.cycles or joined.order is not None else flows

    def _solve_flows(self, problem: Problem, edges: IndexArray, log_prices: FloatArray) -> Flows:
        part, numbers = problem.take(edges).compact()
        point = solve(part, log_prices[numbers], _SETTLED)
        flows = self._flows(point)  # in the part's numbers
        source, target = numbers[flows.source], numbers[flows.target]
        return replace(flows, source=source, target=target, edge=edges[flows.edge])

    def _flows(self, point: DualPoint) -> Flows:
        return Flows.of(self.network.pools, self.tokens, point)

    def _lead_forward(self, edges: Edges, order: Sequence[Address]) -> NDArray[np.bool_]:
        """Return which edges lead nearer to the end, or else forwards in ``order``."""
        numbers = {token: number for number, token in enumerate(order)}
        place = np.array([numbers.get(token.address, -1) for token in self.tokens])
        rank = self.scope.level * (len(order) + 1) + place
        return np.asarray(rank[edges.source] < rank[edges.target])

    def _ways(self, beside: Problem) -> Ways:
        """Return the ways of which every route takes one, if all begin at one token and end at one other."""
        if self.options.cycles or len(self.fixed) > 1:
            return Ways(None, beside)
        return Ways((int(self.scope.sources[0]), int(self.scope.targets[0])), beside)

    def _find_best_single(self, solution: _Solution) -> tuple[Sequence[Flow], Settlement] | None:
        """Return the best path without a split, in exact integers; a basket of several tokens has none."""
        if len(self.fixed) > 1:
            return None
        return self._find_single(solution, self.basket, int(self.fixed[0]), -solution.point.value)

    def _find_single(
        self, solution: _Solution, basket: Basket, fixed: int, worth: float
    ) -> tuple[Sequence[Flow], Settlement] | None:
        """Return the best path for a basket of the one token numbered ``fixed``, with its settlement;
        ``worth`` is about what it costs with Exact.OUT."""
        edges = solution.point.problem.edges
        (amount,) = basket.amounts.values()
        amount_in = float(amount) if self.forwards else max(1.0, worth)
        ends = (fixed, int(self.priced)) if self.forwards else (int(self.priced), fixed)
        paths = find_singles(edges, len(self.tokens), ends, amount_in)
        chosen = np.array(sorted({edge for path in paths for edge in path}), np.intp)
        pool, source, target = edges.pool[chosen], edges.source[chosen], edges.target[chosen]
        unknown = np.ones(len(chosen))
        columns = Flows(
            self.network.pools, self.tokens, pool, source, target, unknown, unknown, unknown, chosen
        )
        flows = {flow.edge: flow for flow in columns.each}
        return settle_best(basket, [[flows[edge] for edge in path] for path in paths], self.gas)

    def _certify(self, choice: Choice, found: Settlement, solution: _Solution) -> Certificate:
        """Return the bound for routes that pay the gas that ``found`` pays."""
        backward = solution.backward
        arbitrage = set(backward.edges.pool[choice.left_out].tolist())
        gas = self.gas.cost(found.gas_units - ROUTE_GAS, found.hop_count)
        total = floor(choice.bound) + gas + (1 if solution.point.problem.costs.any() else 0)
        prices = np.exp(choice.log_prices).tolist()
        return Certificate(
            bound=total if self.forwards else max(1, -total),  # nothing is had for nothing
            prices=dict(zip(self.tokens, prices, strict=True)),
            excluded=(
                *exclude(self.network.unknown, "no oracle for this kind of pool"),
                *exclude(self.left_out, FIXED),
                *exclude(
                    [self.network.pools[pool] for pool in self.scope.far.tolist()],
                    f"only on ways of more than {self.options.max_hops} hops: a larger max_hops takes them",
                ),
                *exclude(
                    [self.network.pools[pool] for pool in sorted(arbitrage)],
                    "trades only as part of an arbitrage: cycles=True takes it",
                ),
            ),
            proof=self._prove(choice, solution) if self.options.proof else None,
        )

    def _prove(self, choice: Choice, solution: _Solution) -> Proof | None:
        """Return why no choice of edges is worth more; without gas the prices are why."""
        if choice.record is None:
            return None
        backward = solution.backward
        beside = backward.take(np.delete(np.arange(len(backward.edges)), choice.left_out))
        covered = Covered(solution.point.problem, beside, self.tokens, self.network.pools)
        return make_proof(choice.record, choice.bound, covered)

    def _deadline(self) -> Callable[[], bool]:
        clock, limit_ms = self.options.clock, self.options.time_limit_ms
        if clock is None or limit_ms is None:
            return lambda: False
        end = clock() + limit_ms / 1_000
        return lambda: clock() >= end

    def _no_route(self) -> NoRouteError:
        return NoRouteError(
            f"{len(set(self.scope.edges.pool.tolist()))} pools at {self.network.block} connect the tokens of "
            f"{self.basket} (base units), but do not fill it",
            needed="liquidity for the whole amount",
            todo="Trade less, or add pools to the search",
        )
