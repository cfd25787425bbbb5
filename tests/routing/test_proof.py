"""Proofs with gas: a stranger with decimals can check them, and sees through those that are tampered with."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import permutations, takewhile
from math import floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markets import A, B, C, D, make_pool, markets, pool_set
from proof_checker import HOP_GAS, Checker, RefusedError

from onchain_exec.cli.printing.route_views import proof_to_json
from onchain_exec.core import Exact
from onchain_exec.errors import NoRouteError
from onchain_exec.routing import Basket, GasModel, Options, Shape, Swap, find_basket_route, find_route
from onchain_exec.routing.proof import Closing, Edge, Fixing, Proof, Split, Valuation

GRAPH = Options(shape=Shape.GRAPH, max_hops=6, proof=True)
gassy_markets = markets(max_pools=10, least=10**18, most=10**22)
amounts = st.integers(10**15, 10**22)
log_costs = st.floats(-7, -1)


def price_gas(amount, log_cost):
    """A swap's gas as a part of what is traded, a fifth of it for calldata."""
    return GasModel(8, 10**log_cost * amount / HOP_GAS / 10, hop_data_wei=2 * HOP_GAS)


def find_or_skip(find, *terms, options=GRAPH):
    try:
        return find(*terms, options=options)
    except NoRouteError:
        assume(False)


def find_both(market, amount, exact, log_cost, options=GRAPH):
    """The route with gas, and the gas."""
    swap = Swap(A, B, amount, exact)
    free = find_or_skip(find_route, swap, market, options=options)
    gas = price_gas(free.searched_amount, log_cost)
    return find_route(swap, market, gas, options=options), gas


def make_checker(route, market, gas, proof=None):
    owned = {A: route.amount_in} if route.exact is Exact.IN else {B: -route.amount_out}
    return Checker(proof or route.certificate.proof, market, gas, owned, route.priced)


def require_covered(found, market, sold, bought):
    """Every swap that may be part of a route is covered, but for those of pools that are said not to be."""
    certificate = found.certificate
    apart = {key for exclusion in certificate.excluded for key in exclusion.pools}
    every = {
        Edge(pool.key, *pair)
        for pool in market.pools
        for pair in permutations(pool.tokens)
        if pair[0] not in bought and pair[1] not in sold and set(pair) <= certificate.prices.keys()
    }
    assert {edge.pool for edge in every.symmetric_difference(certificate.proof.edges)} <= apart


def require_bound(found, gas):
    """The bound is the proof's worth with the gas of the route itself."""
    wei = len(found.hops) * (HOP_GAS * gas.price_wei + gas.hop_data_wei)
    paid = wei * Fraction(gas.token_per_wei)
    most = floor(found.certificate.proof.worth) + floor(paid) + 1
    assert found.bound == (most if found.exact is Exact.IN else max(1, -most))


@given(gassy_markets, amounts, st.sampled_from(Exact), log_costs, st.sampled_from(Shape))
def test_proof_of_any_route_with_gas_is_accepted(market, amount, exact, log_cost, shape):
    route, gas = find_both(market, amount, exact, log_cost, replace(GRAPH, shape=shape))
    make_checker(route, market, gas).check()
    require_covered(route, market, {A}, {B})
    require_bound(route, gas)


@given(gassy_markets, amounts, log_costs)
def test_proof_with_cycles_is_accepted_without_what_ways_lose(market, amount, log_cost):
    route, gas = find_both(market, amount, Exact.IN, log_cost, replace(GRAPH, cycles=True))
    Checker(route.certificate.proof, market, gas, {A: amount}, B, leads=False).check()
    require_covered(route, market, set(), set())
    require_bound(route, gas)


@given(
    st.dictionaries(st.sampled_from((A, C, D)), amounts, min_size=2),
    gassy_markets,
    st.sampled_from(Exact),
    log_costs,
)
def test_proof_of_a_basket_is_accepted(amounts, market, exact, log_cost):
    links = [make_pool(90 + n, (token, B), (10**22, 10**22)) for n, token in enumerate((A, C, D))]
    market, basket = replace(market, pools=(*market.pools, *links)), Basket(amounts, B, exact)
    gas = price_gas(sum(amounts.values()), log_cost)
    found = find_or_skip(find_basket_route, basket, market, gas)
    sign = 1 if exact is Exact.IN else -1
    owned = {token: sign * amount for token, amount in amounts.items()}
    Checker(found.certificate.proof, market, gas, owned, B, leads=False).check()
    require_covered(found, market, *((set(), {B}) if exact is Exact.IN else ({B}, set())))
    require_bound(found, gas)


@pytest.fixture(scope="module")
def detour():
    """A route over a direct pool and a detour worth its two swaps, which take a split, fixings and payments
    to prove: with the market and the gas."""
    market = pool_set(
        make_pool(1, (A, B), (10**22, 10**22)),
        make_pool(2, (A, C), (10**27, 10**27)),
        *(make_pool(number, (C, B), (number * 10**20, number * 10**20)) for number in range(4, 8)),
        make_pool(20, (A, D), (10**22, 10**22)),
        make_pool(21, (D, B), (10**25, 10**25)),
        make_pool(22, (D, C), (10**22, 10**22)),
    )
    gas = GasModel(1, 20 * 10**18 / HOP_GAS)
    return find_route(Swap(A, B, 10**21), market, gas, options=GRAPH), market, gas


def test_proof_of_a_detour_takes_a_split_fixings_and_payments(detour):
    route, market, gas = detour
    proof = route.certificate.proof
    make_checker(route, market, gas).check()
    assert len(route.hops) == 3
    assert 0 <= route.gap_bps <= 1e-6
    assert {type(step) for step in proof.steps} == {Closing, Fixing, Split}
    assert any(step.on for step in proof.steps if isinstance(step, Fixing))
    assert any(valuation.paid_after for valuation in proof.valuations)


def test_proof_of_a_search_out_of_time_is_accepted_with_its_gap(detour):
    route, market, gas = detour
    options = replace(GRAPH, time_limit_ms=0, clock=iter(range(10_000)).__next__)
    hurried = find_route(Swap(A, B, 10**21), market, gas, options=options)
    make_checker(hurried, market, gas).check()
    require_bound(hurried, gas)
    assert hurried.gap_bps > route.gap_bps


def drop_steps(proof):
    """The proof without each of its leaves and splits, and with its last step twice."""
    steps = proof.steps
    for number, step in enumerate(steps):
        if not isinstance(step, Fixing):
            yield replace(proof, steps=steps[:number] + steps[number + 1 :])
    yield replace(proof, steps=(*steps, steps[-1]))


def reverse_fixings(proof):
    """The proof with each edge that is fixed for all routes, the best too, fixed the other way."""
    for number, step in enumerate(takewhile(lambda step: isinstance(step, Fixing), proof.steps)):
        for edge in step.on + step.off:
            on, off = (tuple({edge}.symmetric_difference(edges)) for edges in (step.on, step.off))
            fixing = Fixing(step.valuation, on, off)
            yield replace(proof, steps=(*proof.steps[:number], fixing, *proof.steps[number + 1 :]))


def claim_less(proof):
    """A millionth of a basis point less than what the proof says is enough to be found out."""
    yield replace(proof, worth=proof.worth * (1 - 1e-10))


def change_valuations(proof):
    """Payments below nothing, by edges that need no other one, and another unit."""
    needless = {
        "paid_before": next(number for number, edge in enumerate(proof.edges) if edge.token_in == A),
        "paid_after": next(number for number, edge in enumerate(proof.edges) if edge.token_out == B),
    }
    for number, valuation in enumerate(proof.valuations):
        changes = [
            {"prices": {**valuation.prices, B: 1 + 1e-12}},
            {"prices": {**valuation.prices, A: -1e-12}},
        ]
        for side, edge in needless.items():
            changes.append({side: {edge: 1.0}})
            changes += [{side: {paying: -1.0}} for paying in range(len(proof.edges)) if paying != edge]
        for change in changes:
            changed = replace(valuation, **change)
            yield replace(
                proof, valuations=(*proof.valuations[:number], changed, *proof.valuations[number + 1 :])
            )


@pytest.mark.parametrize("tamper", [drop_steps, reverse_fixings, claim_less, change_valuations])
def test_proof_tampered_with_is_refused(detour, tamper):
    route, market, gas = detour
    tampered = list(tamper(route.certificate.proof))
    assert tampered
    for proof in tampered:
        with pytest.raises(RefusedError):
            make_checker(route, market, gas, proof).check()


@given(gassy_markets, amounts, st.sampled_from(Exact), log_costs)
def test_proof_of_less_than_the_route_is_worth_is_refused(market, amount, exact, log_cost):
    route, gas = find_both(market, amount, exact, log_cost)
    traded = route.searched_amount if exact is Exact.IN else -route.searched_amount
    worth = traded - gas.cost(len(route.hops) * HOP_GAS, len(route.hops))
    less = float(worth) - 1e-9 * (abs(worth) + gas.cost(HOP_GAS, 1)) - 2
    with pytest.raises(RefusedError):
        make_checker(route, market, gas, replace(route.certificate.proof, worth=less)).check()


def test_proof_without_gas_or_unless_asked_for_is_none(detour):
    route, market, gas = detour
    swap = Swap(A, B, 10**21)
    assert find_route(swap, market, options=GRAPH).certificate.proof is None
    asked_for = find_route(swap, market, gas, options=replace(GRAPH, proof=False))
    assert asked_for.certificate == replace(route.certificate, proof=None)
    assert asked_for.legs == route.legs


def read_proof(document, tokens):
    """The proof in a JSON document; ``tokens`` by their addresses."""
    tokens = [tokens[address] for address in document["tokens"]]
    edges = (
        Edge(document["pools"][pool], tokens[taken], tokens[given])
        for pool, taken, given in document["edges"]
    )
    valuations = (
        Valuation(
            dict(zip(tokens, part["prices"], strict=True)),
            *(
                {int(edge): amount for edge, amount in part[side].items()}
                for side in ("paid_before", "paid_after")
            ),
        )
        for part in document["valuations"]
    )
    return Proof(document["worth"], tuple(edges), tuple(valuations), tuple(map(read_step, document["steps"])))


def read_step(step):
    if "split" in step:
        return Split(step["split"])
    if "close_at" in step:
        return Closing(step["close_at"])
    return Fixing(step["fix_at"], tuple(step["on"]), tuple(step["off"]))


def test_proof_to_json_leaves_nothing_out(detour):
    proof = detour[0].certificate.proof
    document = json.loads(json.dumps(proof_to_json(proof)))
    assert read_proof(document, {token.address: token for token in (A, B, C, D)}) == proof
