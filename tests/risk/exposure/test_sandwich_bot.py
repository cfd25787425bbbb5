"""The computed exposure against a bot that knows only the real contracts. Catalogue entry 71 (any price)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from sandwich_market import LAYOUTS, SandwichMarket

from onchain_exec.core import Order
from onchain_exec.risk.exposure import (
    Attacker,
    Inclusion,
    Sandwich,
    Volatility,
    bound_quote,
    get_exposure,
)
from onchain_exec.routing import GasModel, Route, get_mid_values, make_quote
from onchain_exec.testing.sandwich import Loot

COUNTS = {"v2": 6, "v3": 6, "split": 1, "chain": 1}
"""How many cases of each layout the gate has; 125 of each the deep run."""


def list_cases(counts: dict[str, int]) -> list[object]:
    return [
        pytest.param(layout, number, marks=() if number < counts[layout] else pytest.mark.deep)
        for layout in LAYOUTS
        for number in range(125)
    ]


@pytest.fixture(scope="module")
def deployed() -> SandwichMarket:
    return SandwichMarket.deploy()


@pytest.fixture
def market(deployed: SandwichMarket) -> Iterator[SandwichMarket]:
    """The contracts without pools; what the test does to them is undone."""
    mark = deployed.market.evm.snapshot()
    yield deployed
    deployed.market.evm.revert(mark)


@pytest.fixture
def depth(request: pytest.FixtureRequest) -> dict[str, int]:
    """How closely the bot searches: in the gate less."""
    deep = request.node.get_closest_marker("deep") is not None
    return {} if deep else {"grid": 3, "rounds": 4}


def send_bot(market: SandwichMarket, route: Route, amount_out_min: int, depth: dict[str, int]) -> Loot:
    bot = market.make_bot(get_mid_values(route), **depth)
    return bot.find_best(market.make_transaction(route, amount_out_min), market.list_places(route))


@pytest.mark.parametrize(("layout", "number"), list_cases(COUNTS))
def test_get_exposure_of_a_route_equals_what_the_bot_takes_on_the_real_contracts(
    market: SandwichMarket, layout: str, number: int, depth: dict[str, int]
) -> None:
    rng = Random(f"{layout} {number}")
    route = market.make_route(rng, layout)
    amount_out_min = route.amount_out - route.amount_out * rng.choice((10, 30, 100, 300)) // 10_000
    sandwich = get_exposure(route, amount_out_min, Attacker(GasModel(1, 1.0))).sandwich
    loot = send_bot(market, route, amount_out_min, depth)
    assert sandwich.gross == pytest.approx(float(loot.gross), rel=0.01, abs=10)
    again = replay(market, route, sandwich, amount_out_min)
    assert again.gross == pytest.approx(sandwich.gross, abs=2)
    assert sandwich.gas_cost <= again.gas_used


def replay(market: SandwichMarket, route: Route, sandwich: Sandwich, amount_out_min: int) -> Loot:
    """Return what the computed front-runs leave on the real contracts."""
    amounts = {run.pool_key: run.amount_in for run in sandwich.front_runs}
    places = market.list_places(route)
    loot = market.make_bot(get_mid_values(route)).play(
        market.make_transaction(route, amount_out_min),
        places,
        [amounts.get(place.pool.key, 0) for place in places],
    )
    assert loot is not None
    return loot


@pytest.mark.parametrize(("layout", "number"), list_cases({"v2": 4, "v3": 4, "split": 0, "chain": 1}))
def test_bound_quote_of_an_order_without_a_slippage_leaves_the_bot_nothing(
    market: SandwichMarket, layout: str, number: int, depth: dict[str, int]
) -> None:
    rng = Random(f"bound {layout} {number}")
    route = market.make_route(rng, layout)
    gas = GasModel(10**9, 10 ** rng.uniform(-1, 4))
    volatility = rng.choice((None, Volatility(10 ** rng.uniform(-5, -2))))
    order = make_order(route)
    quote = bound_quote(make_quote(order, route, gas, 0), volatility, Attacker(gas), Inclusion(), given=False)
    loot = send_bot(market, route, quote.amount_out_min, depth)
    assert quote.amount_out_min >= route.amount_out * 99 // 100
    assert loot.gross <= gas.cost(loot.gas_used) + 2


def make_order(route: Route) -> Order:
    account = route.hops[0].pool.address
    return Order(
        "1", "", account, account, route.token_in, route.token_out, route.amount_in, route.exact, 100, 1
    )
