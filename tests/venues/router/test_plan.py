"""What the planner makes of legs: graphs, remainders, pools paid by the pool before, refusals."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from router_market import RECIPIENT, RouterMarket, get_pair, make_terms

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues import Hop, Leg, Pool
from onchain_exec.venues.curve import CurveStablePool, StableFlavour
from onchain_exec.venues.router import Input, Output, Venue, build_router_call, plan_router_swap
from onchain_exec.venues.router.place import find_place
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.swap_router import SwapTerms

WORTH = 10**6 * 5_000


class Graph:
    """USDC to WETH over two pools, then WETH to WBTC over two others."""

    def __init__(self, market: RouterMarket, share_bps: int) -> None:
        tokens = market.deployment.tokens
        self.usdc, self.weth, self.wbtc = tokens["USDC"], tokens["WETH"], tokens["WBTC"]
        first = [self.find(market, kind, self.usdc, self.weth) for kind in ("uniswap_v3", "uniswap_v2")]
        second = [
            self.find(market, kind, self.weth, self.wbtc) for kind in ("balancer_weighted", "uniswap_v3")
        ]
        ins = [make_hop(pool, self.usdc, self.weth, WORTH) for pool in first]
        held = sum(hop.amount_out for hop in ins)
        part = held * share_bps // 10_000
        outs = [
            make_hop(pool, self.weth, self.wbtc, amount)
            for pool, amount in zip(second, (part, held - part), strict=True)
        ]
        self.legs = tuple(Leg((hop,)) for hop in (*ins, *outs))

    @staticmethod
    def find(market: RouterMarket, kind: str, *pair: Token) -> Pool:
        return next(p for p in market.pools.values() if p.kind == kind and {*pair} <= {*p.tokens})


def make_hop(pool: Pool, token_in: Token, token_out: Token, amount_in: int) -> Hop:
    done = pool.swap(token_in, token_out, amount_in, Exact.IN)
    return Hop(pool, token_in, token_out, done.amount_in, done.amount_out, done.fee_amount)


def tokens_worth(token: Token) -> int:
    return 5_000 * 10**token.decimals


def graph_terms(graph: Graph) -> SwapTerms:
    given = sum(leg.amount_out for leg in graph.legs[2:])
    return replace(make_terms(graph.legs[:2], Exact.IN), amount_out_min=given)


def test_plan_router_swap_graph_fills_as_quoted(market: RouterMarket, rng: Random) -> None:
    graph = Graph(market, rng.randint(1, 9_999))
    terms = graph_terms(graph)
    call = build_router_call(graph.legs, terms, market.router)
    assert market.run(call, (graph.usdc, graph.wbtc), market.trader) == (2 * WORTH, terms.amount_out_min)


def test_plan_router_swap_graph_last_seller_takes_the_remainder(market: RouterMarket) -> None:
    graph = Graph(market, 4_000)
    hops = plan_router_swap(graph.legs, graph_terms(graph), market.router).hops
    assert [hop.amount for hop in hops] == [WORTH, WORTH, graph.legs[2].amount_in, 0]
    assert [hop.input for hop in hops] == [Input.PAYER] * 2 + [Input.ROUTER] * 2
    assert [hop.output for hop in hops] == [Output.ROUTER] * 2 + [Output.RECIPIENT] * 2


def test_plan_router_swap_graph_that_slips_leaves_nothing_behind(market: RouterMarket) -> None:
    graph = Graph(market, 4_000)
    push = (Leg((make_hop(graph.legs[0].hops[0].pool, graph.usdc, graph.weth, 20 * WORTH),)),)
    market.run(
        build_router_call(push, make_terms(push, Exact.IN), market.router), get_pair(push), market.trader
    )
    terms = graph_terms(graph)
    loose = replace(terms, amount_out_min=terms.amount_out_min * 99 // 100)
    call = build_router_call(graph.legs, loose, market.router)
    given, got = market.run(call, (graph.usdc, graph.wbtc), market.trader)
    assert given == 2 * WORTH
    assert loose.amount_out_min <= got < terms.amount_out_min


@pytest.mark.parametrize("exact", Exact)
def test_plan_router_swap_hop_against_the_order_raises_input_error(
    market: RouterMarket, exact: Exact
) -> None:
    """What comes back of token_in would stay in the router, and what goes to the recipient is not there."""
    tokens = {token.symbol: token for token in market.tokens}
    usdc, weth, dai = tokens["USDC"], tokens["WETH"], tokens["DAI"]
    there = make_hop(Graph.find(market, "uniswap_v2", usdc, weth), usdc, weth, WORTH)
    on = make_hop(Graph.find(market, "uniswap_v2", weth, dai), weth, dai, there.amount_out)
    back = make_hop(Graph.find(market, "uniswap_v3", usdc, weth), weth, usdc, there.amount_out // 2)
    for hops in ((there, back, on), (there, on, back, there)):
        legs = tuple(Leg((hop,)) for hop in hops)
        terms = replace(make_terms(legs[:1], exact), amount_in_max=10 * WORTH, amount_out_min=0)
        with pytest.raises(InputError, match="against the order"):
            plan_router_swap(legs, terms, market.router)


@pytest.mark.parametrize(
    "path",
    [
        [("balancer_weighted", "USDC", "WETH"), ("uniswap_v2", "WETH", "DAI")],
        [("uniswap_v4", "DAI", "USDC"), ("uniswap_v4", "USDC", "ETH")],
        [("uniswap_v4", "DAI", "USDC"), ("uniswap_v2", "USDC", "WETH")],
    ],
)
def test_plan_router_swap_pool_that_can_be_paid_ahead_is_paid_by_the_one_before(
    market: RouterMarket, path: list[tuple[str, str, str]]
) -> None:
    tokens = {token.symbol: token for token in market.tokens}
    amount, hops = tokens_worth(tokens[path[0][1]]), list[Hop]()
    for kind, sold, bought in path:
        pair = tokens[sold], tokens[bought]
        hops.append(make_hop(Graph.find(market, kind, *pair), *pair, amount))
        amount = hops[-1].amount_out
    legs = (Leg(tuple(hops)),)
    terms = make_terms(legs, Exact.IN)
    first, second = plan_router_swap(legs, terms, market.router).hops
    assert (first.output, second.input) == (Output.NEXT_POOL, Input.POOL)
    call = build_router_call(legs, terms, market.router)
    got = market.run(call, get_pair(legs), market.trader)
    assert got == (terms.amount_in_max, terms.amount_out_min)


def test_plan_router_swap_what_cannot_run_raises_input_error(market: RouterMarket) -> None:
    graph = Graph(market, 4_000)
    terms, legs = graph_terms(graph), graph.legs
    back = Leg((make_hop(legs[0].hops[0].pool, graph.weth, graph.usdc, 10**15),))
    for wrong, why in (
        ((), "no legs"),
        ((*legs[:2], back, *legs[2:]), "against the order"),
        (legs[1:], "more than the hops before it give"),
    ):
        with pytest.raises(InputError, match=why):
            plan_router_swap(wrong, replace(terms, amount_out_min=0, amount_in_max=10**30), market.router)
    for bounds in ({"amount_in_max": 2 * WORTH - 1}, {"amount_out_min": terms.amount_out_min + 1}):
        with pytest.raises(InputError):
            plan_router_swap(legs, replace(terms, **bounds), market.router)


def test_find_place_pool_of_other_contracts_raises_input_error(market: RouterMarket) -> None:
    stranger = replace(
        market.router, pool_manager=RECIPIENT, balancer_vault=RECIPIENT, wrapped_native=RECIPIENT
    )
    for pool in market.pools.values():
        hop = Hop(pool, pool.tokens[0], pool.tokens[1], 1, 1, 0)
        assert find_place(hop, market.router)
        if pool.kind not in ("uniswap_v2", "uniswap_v3"):
            with pytest.raises(InputError, match="does not reach"):
                find_place(hop, stranger)


def test_find_place_curve_and_solidly_name_their_pool_and_sides(market: RouterMarket) -> None:
    dai, usdc, weth = (market.deployment.tokens[symbol] for symbol in ("DAI", "USDC", "WETH"))
    address = to_address("0x" + "cc" * 20)
    stable = CurveStablePool(
        address, (weth, dai, usdc), (1, 1, 1), (1, 1, 1), 100, 0, 0, 0, StableFlavour.THREEPOOL
    )
    place = find_place(Hop(stable, usdc, dai, 1, 1, 0), market.router)
    assert (place.venue, place.pool, place.data) == (Venue.CURVE, address, 2 | 1 << 8)
    solidly = SolidlyPool(address, dai, usdc, 1, 1, True, 0)
    place = find_place(Hop(solidly, usdc, dai, 1, 1, 0), market.router)
    assert (place.venue, place.pool, place.data) == (Venue.SOLIDLY, address, 0)
