"""Find the route: solve for prices, choose the pools, settle in integers, prove how good it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, floor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onchain_exec.core import Address, BlockRef, Exact
from onchain_exec.errors import InputError, NoRouteError, StaleStateError
from onchain_exec.routing.basket import Basket, BasketRoute
from onchain_exec.routing.branch import Choice, Support, choose_edges
from onchain_exec.routing.certificate import upper_surplus
from onchain_exec.routing.dual import TRIFLE, DualPoint, Problem, evaluate, solve
from onchain_exec.routing.flow import Flow, keep_through, list_flows, order_tokens, sort_tokens
from onchain_exec.routing.gas import ROUTE_GAS, TICK_GAS
from onchain_exec.routing.market import RefusedError, Settlement, get_worth
from onchain_exec.routing.network import Network
from onchain_exec.routing.oracles import Edges, FloatArray, IndexArray
from onchain_exec.routing.route import (
    FIXED,
    Certificate,
    GasModel,
    Options,
    Route,
    Shape,
    Terms,
    exclude,
)
from onchain_exec.routing.scope import best_rates, make_scope
from onchain_exec.routing.settle import settle
from onchain_exec.routing.singles import find_singles, settle_best
from onchain_exec.venues import PoolSet

_NO_GAS: Final = GasModel()
_DEFAULTS: Final = Options()
_GRAPH: Final = Options(shape=Shape.GRAPH)
_LOST: Final = 1e-6
_MOST_BROUGHT: Final = 16.0
"""Times what the best rates bring of the order to a token."""

_MOST_REFUSALS: Final = 20
"""Where one pool after the other refuses, the amount is beyond them all."""

_SETTLED: Final = 1e-12
"""The relative gap to which the chosen pools are solved before they are settled."""


def find_route(
    terms: Terms,
    pools: PoolSet | Network,
    gas: GasModel = _NO_GAS,
    *,
    block: BlockRef | None = None,
    options: Options = _DEFAULTS,
) -> Route:
    """Return the route that is worth most after gas, in exact integers, with its certificate.

    Exact.IN maximises what comes out, Exact.OUT minimises what goes in; either way the result is
    not worth less after gas than the best single path of two hops. The same input gives the same
    route. For many orders at one block build the `Network` once and pass it.

    Raises:
        InputError: the terms trade a token for itself, or nothing; or cycles are asked for with
            Exact.OUT.
        StaleStateError: ``block`` is given and the pools were read at another.
        NoPoolError: no pool connects the tokens.
        NoRouteError: pools connect them, but none can fill the amount.
    """
    search = _Search(Basket.of(terms), pools, gas, block, options)
    found = search.run()
    return Route(
        block=search.network.block,
        token_in=terms.token_in,
        token_out=terms.token_out,
        exact=terms.exact,
        amount_in=-found.settled.bought(terms.token_in),
        amount_out=found.settled.bought(terms.token_out),
        legs=found.settled.legs,
        best_single_amount=found.best_single_amount,
        gas_units=found.settled.gas_units,
        certificate=found.certificate,
    )


def find_basket_route(
    basket: Basket,
    pools: PoolSet | Network,
    gas: GasModel = _NO_GAS,
    *,
    block: BlockRef | None = None,
    options: Options = _GRAPH,
) -> BasketRoute:
    """Return the route that trades all of ``basket`` at once and is worth most after gas; see `find_route`.

    A token of the basket may be sold by way of another one, and flows of several share pools. With
    Exact.IN a token is left alone where that is worth more; with Exact.OUT all are bought.

    Raises:
        InputError: the basket is not sound (`Basket.require_sound`), or ``options`` ask for another shape
            than `Shape.GRAPH`; and as `find_route`.
        StaleStateError, NoPoolError, NoRouteError: as `find_route`, for any token of the basket.
    """
    if options.shape is not Shape.GRAPH:
        raise InputError(f"a basket in {options.shape.value}", needed="Shape.GRAPH: its flows merge")
    search = _Search(basket, pools, gas, block, options)
    found = search.run()
    sold = {token: -found.settled.bought(token) for token in basket.tokens_in}
    return BasketRoute(
        block=search.network.block,
        exact=basket.exact,
        amounts_in={token: amount for token, amount in sold.items() if amount},
        amounts_out={token: found.settled.bought(token) for token in basket.tokens_out},
        legs=found.settled.legs,
        gas_units=found.settled.gas_units,
        certificate=found.certificate,
    )


def _require_sound(basket: Basket, found: BlockRef, block: BlockRef | None, options: Options) -> None:
    basket.require_sound()
    if options.cycles and basket.exact is Exact.OUT:
        raise InputError(
            "cycles are allowed for an exact amount out",
            needed="an exact amount in: only then is it certain what an arbitrage on the way adds",
            todo="Give amount_in, or search without cycles",
        )
    if block is not None and block != found:
        raise StaleStateError(
            f"the pools were read at {found}",
            needed=f"pools at {block}",
            todo="Read the pools again at the block of the decision",
        )


class _Found(NamedTuple):
    """The best that was found, its proof, and what the best single path alone has, if there is one."""

    settled: Settlement
    certificate: Certificate
    best_single_amount: int | None


class _Solution(NamedTuple):
    """A problem, its solution without gas and the flows of that, and the part of the network that closes
    the cycles, which was left out."""

    problem: Problem
    point: DualPoint
    flows: list[Flow]
    backward: Problem


class _Search:
    """One search: what it was asked, and the part of the network it looks at."""

    def __init__(
        self,
        basket: Basket,
        pools: PoolSet | Network,
        gas: GasModel,
        block: BlockRef | None,
        options: Options,
    ) -> None:
        _require_sound(basket, pools.block, block, options)
        network = pools if isinstance(pools, Network) else Network.build(pools)
        self.left_out = network.fixed if options.cycles else ()
        network = network.without_fixed() if options.cycles else network
        self.basket, self.network, self.gas, self.options = basket, network, gas, options
        self.forwards = basket.exact is Exact.IN
        self.scope = make_scope(network, basket, options.max_hops, cycles=options.cycles)
        self.tokens = [network.tokens[number] for number in self.scope.tokens.tolist()]
        ends = self.scope.sources, self.scope.targets
        self.fixed, (self.priced,) = ends if self.forwards else ends[::-1]

    def run(self) -> _Found:
        """Return the best route; see `find_route`."""
        solution = self._solve()
        choice = choose_edges(solution.problem, solution.point, self._deadline())
        best_single = self._settle_single(solution)
        several = self._settle_worth_its_ticks(solution, choice.support)
        found = max((way for way in (best_single, several) if way), key=self._worth, default=None)
        if found is None:
            raise self._no_route()
        return _Found(
            found,
            self._certify(choice, found, solution.backward),
            None if best_single is None else abs(best_single.bought(self.basket.priced)),
        )

    def _worth(self, settled: Settlement) -> int:
        return get_worth(settled, self.basket, self.gas)

    def _best_rates(self, unit: int, *, to_unit: bool) -> FloatArray:
        size = len(self.scope.tokens)
        return best_rates(self.scope.edges, size, unit, self.options.max_hops, to_unit=to_unit)

    def _sized_edges(self) -> Edges:
        """Return the edges of the scope for what the order can bring to each token."""
        edges = self.scope.edges
        if not len(edges.linear):
            return edges
        brought = np.zeros(len(self.scope.tokens))
        for token, amount in zip(self.fixed.tolist(), self.basket.amounts.values(), strict=True):
            rates = self._best_rates(token, to_unit=not self.forwards)
            reached = np.nan_to_num(rates if self.forwards else -rates, neginf=0.0, posinf=0.0)
            brought += float(amount) * np.exp(reached)
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
        rates = self._best_rates(int(self.priced), to_unit=self.forwards)
        start = np.nan_to_num(rates if self.forwards else -rates, neginf=0.0, posinf=0.0)
        point = solve(problem, start, _SETTLED)
        flows = self._flows(problem, point)
        if self.options.cycles or sort_tokens(flows) is not None:
            return _Solution(problem, point, flows, problem.take(np.empty(0, np.intp)))
        forward = self._lead_forward(problem.edges, order_tokens(flows))
        backward = problem.take(np.flatnonzero(~forward))
        problem = problem.take(np.flatnonzero(forward))
        solved = solve(problem, point.log_prices, _SETTLED)
        if solved.gap > _LOST * abs(solved.value):  # what goes round had carried the prices away
            solved = min(solved, solve(problem, start, _SETTLED), key=lambda ended: ended.value)
        return _Solution(problem, solved, self._flows(problem, solved), backward)

    def _settle_worth_its_ticks(self, solution: _Solution, support: Support) -> Settlement | None:
        """Return the support in exact integers, without pools that are not worth the ticks they cross:
        the choice of pools counts their swaps' gas only."""
        best = self._settle_support(solution, support)
        tick_cost = TICK_GAS * self.gas.price_wei * self.gas.token_per_wei
        while tick_cost and best is not None and best.ticks:
            part = solution.problem.take(support.edges)
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
        edges, problem = support.edges, solution.problem
        flows = None if problem.costs.any() else solution.flows
        for _ in range(_MOST_REFUSALS):
            if flows is None:
                flows = self._solve_flows(problem, edges, support.log_prices)
            if not self.options.cycles or sort_tokens(flows) is not None:
                flows = keep_through(flows, self.basket.tokens_in, self.basket.tokens_out)
            try:
                return self._settle_flows(solution, flows)
            except RefusedError as refused:
                edges, flows = edges[edges != refused.flow.edge], None
        return None

    def _settle_flows(self, solution: _Solution, flows: list[Flow]) -> Settlement | None:
        """Return the flows in exact integers, with what they leave of a basket if that is worth more."""
        ways = [self._settle_served(flows)]
        if len(unseen := self._with_unseen(solution, flows)) > len(flows):
            ways.append(self._settle_served(unseen))
        return max((way for way in ways if way), key=self._worth, default=None)

    def _settle_served(self, flows: list[Flow]) -> Settlement | None:
        served = self._served(flows)
        return settle(served, flows, self.options.shape) if served.amounts else None

    def _with_unseen(self, solution: _Solution, flows: list[Flow]) -> list[Flow]:
        """Return the flows with a path for each token of a basket that none of them trades: floats do not
        see amounts that move no price."""
        served = self._served(flows).fixed
        for token, number in zip(self.basket.amounts, self.fixed.tolist(), strict=True):
            if token.address in served or len(self.fixed) == 1:
                continue
            worth = self.basket.amounts[token] * exp(solution.point.log_prices[number])
            path, _ = self._find_single(solution, self.basket.only((token.address,)), number, worth) or (
                (),
                None,
            )
            edges = {flow.edge for flow in flows}
            joined = [*flows, *(flow for flow in path if flow.edge not in edges)]
            if self.options.cycles or sort_tokens(joined) is not None:
                flows = joined
        return flows

    def _served(self, flows: Sequence[Flow]) -> Basket:
        """Return the part of the basket that the flows trade: with Exact.OUT all or nothing."""
        served = self.basket.only(
            (flow.token_in if self.forwards else flow.token_out).address for flow in flows
        )
        return served if self.forwards or len(served.amounts) == len(self.basket.amounts) else served.only(())

    def _solve_flows(self, problem: Problem, edges: IndexArray, log_prices: FloatArray) -> list[Flow]:
        part, numbers = problem.take(edges).compact()
        point = solve(part, log_prices[numbers], _SETTLED)
        tokens = [self.tokens[number] for number in numbers.tolist()]
        flows = list_flows(self.network.pools, tokens, part, point)
        return [flow._replace(edge=int(edges[flow.edge])) for flow in flows]

    def _flows(self, problem: Problem, point: DualPoint) -> list[Flow]:
        return list_flows(self.network.pools, self.tokens, problem, point)

    def _lead_forward(self, edges: Edges, order: Sequence[Address]) -> NDArray[np.bool_]:
        """Return which edges lead nearer to the end, or else forwards in ``order``."""
        numbers = {token: number for number, token in enumerate(order)}
        place = np.array([numbers.get(token.address, -1) for token in self.tokens])
        rank = self.scope.level * (len(order) + 1) + place
        return np.asarray(rank[edges.source] < rank[edges.target])

    def _settle_single(self, solution: _Solution) -> Settlement | None:
        """Return the best path without a split, in exact integers; a basket of several tokens has none."""
        if len(self.fixed) > 1:
            return None
        found = self._find_single(solution, self.basket, int(self.fixed[0]), -solution.point.value)
        return found and found[1]

    def _find_single(
        self, solution: _Solution, basket: Basket, fixed: int, worth: float
    ) -> tuple[Sequence[Flow], Settlement] | None:
        """Return the best path for a basket of the one token numbered ``fixed``, with its settlement;
        ``worth`` is about what it costs with Exact.OUT."""
        edges = solution.problem.edges
        (amount,) = basket.amounts.values()
        amount_in = float(amount) if self.forwards else max(1.0, worth)
        ends = (fixed, int(self.priced)) if self.forwards else (int(self.priced), fixed)
        paths = [
            [
                Flow(
                    self.network.pools[edges.pool[edge]],
                    self.tokens[edges.source[edge]],
                    self.tokens[edges.target[edge]],
                    *(1.0, 1.0, 1.0),
                    edge,
                )
                for edge in path
            ]
            for path in find_singles(edges, len(self.tokens), ends, amount_in)
        ]
        return settle_best(basket, paths, self.gas)

    def _certify(self, choice: Choice, found: Settlement, backward: Problem) -> Certificate:
        """Return the bound for routes that pay the gas that ``found`` pays."""
        bound, arbitrage = _bound_beside(choice, backward)
        gas = self.gas.cost(found.gas_units - ROUTE_GAS, found.hop_count)
        total = floor(bound) + gas + (1 if gas else 0)
        prices = np.exp(choice.root.log_prices).tolist()
        return Certificate(
            bound=total if self.forwards else max(1, -total),  # nothing is had for nothing
            prices=dict(zip(self.tokens, prices, strict=True)),
            excluded=(
                *exclude(self.network.unknown, "no oracle for this kind of pool"),
                *exclude(self.left_out, FIXED),
                *exclude(
                    [self.network.pools[pool] for pool in sorted(arbitrage)],
                    "trades only as part of an arbitrage: cycles=True takes it",
                ),
            ),
        )

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


def _bound_beside(choice: Choice, backward: Problem) -> tuple[float, set[int]]:
    """Return the bound of all cases and the pools that it leaves out.

    What closes a cycle was not searched. Where it earns a trifle at the prices of a case, that is added
    to the bound; where it earns more, its pool is left out.
    """
    bound, left_out = choice.support.worth, set[int]()
    for case_bound, case in choice.cases:
        surplus = np.maximum(upper_surplus(backward, case.log_prices), 0.0)
        earning = surplus > TRIFLE * abs(case_bound)
        left_out |= set(backward.edges.pool[earning].tolist())
        bound = max(bound, case_bound + float(surplus[~earning].sum()))
    return bound, left_out
