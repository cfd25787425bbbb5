"""Settlements are held to what both contracts would do with them, token by token and unit by unit."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from matching_books import (
    BLOCK,
    NO_POOLS,
    PRICES,
    TOKENS,
    UNIT,
    make_order,
    random_book,
    random_pools,
)

from onchain_exec.clearing.settle import Scheme, Signed
from onchain_exec.clearing.settle.replica import require_allowed
from onchain_exec.core import ZERO_ADDRESS, Address, to_address
from onchain_exec.errors import InputError, NoRouteError
from onchain_exec.routing.matching import (
    Match,
    MatchedFill,
    SolverCall,
    SolverTerms,
    build_settlement,
    decode_solver_call,
    find_match,
)
from onchain_exec.routing.matching.settlement import group_hops
from onchain_exec.venues import Hop
from onchain_exec.venues.router import Input, RouterDeployment
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

SOLVER, ROUTER, TREASURY = (to_address(bytes([n]) * 20) for n in (0xA1, 0xA2, 0xA3))
TERMS = SolverTerms(
    SOLVER, RouterDeployment(ROUTER, *[ZERO_ADDRESS] * 3), TREASURY, deadline_at=BLOCK.timestamp + 60
)
PRESIGNED = Signed(Scheme.PRESIGN)


def settle(match: Match, terms: SolverTerms = TERMS) -> SolverCall:
    return build_settlement(
        match, dict.fromkeys([fill.entry.order for fill in match.fills], PRESIGNED), terms
    )


def run(call: SolverCall) -> Counter[Address]:
    """Return the surplus after what Settle and the solver would do in their order; neither ever gives more of
    a token than it has, and the swaps give what they promise."""
    hub, solver = Counter[Address](), Counter[Address]()
    for fill in call.batch.fills:
        require_allowed(fill, BLOCK.timestamp)
        hub[fill.order.token_in] += fill.amount_in
    for advance in call.batch.advances:
        move(hub, solver, advance.token, advance.amount)
    for swap in call.swaps:
        assert swap.terms.recipient == SOLVER
        solver[swap.terms.token_in] -= swap.terms.amount_in_max
        assert solver[swap.terms.token_in] >= 0
        solver[swap.terms.token_out] += swap.terms.amount_out_min
    for due in call.dues:
        move(solver, hub, due.token, due.amount)
    for fill in call.batch.fills:
        hub[fill.order.token_out] -= fill.amount_out
        assert hub[fill.order.token_out] >= 0
    for fill in call.batch.fills:
        move(hub, solver, fill.order.token_out, fill.fee)
    assert not +hub, "the settlement keeps nothing"
    return +solver


def move(source: Counter[Address], target: Counter[Address], token: Address, amount: int) -> None:
    source[token] -= amount
    assert source[token] >= 0
    target[token] += amount


@pytest.mark.parametrize("fee_bps", [0, 30])
def test_build_settlement_random_matches_balance_and_leave_what_the_match_left(
    rng: random.Random, fee_bps: int
) -> None:
    swapped = round_trips = 0
    for _ in range(6):
        book = [
            replace(entry, order=replace(entry.order, max_fee_bps=rng.choice((0, 10, 100))))
            for entry in random_book(rng, rng.randrange(1, 30), 4)
        ]
        match = find_match(book, random_pools(rng, 6, 4), PRICES)
        try:
            call = settle(match, replace(TERMS, fee_bps=fee_bps))
        except NoRouteError:  # pools so far apart that they trade with each other more than the orders sell
            round_trips += 1
            continue
        surplus = run(call)
        fees = Counter[Address]()
        for fill, matched in zip(call.batch.fills, match.fills, strict=True):
            assert fill.amount_out + fill.fee == matched.amount_out
            assert fill.fee <= matched.amount_out * fee_bps // 10_000
            fees[fill.order.token_out] += fill.fee
        for token in call.batch.tokens:  # of others, the router swaps what is left too
            assert surplus[token] == match.left.get(token, 0) + fees[token]
        assert decode_solver_call(call.encode(), SOLVER) == call
        swapped += bool(call.swaps)
    assert swapped > round_trips


def test_build_settlement_fee_stays_above_the_limit() -> None:
    book = [make_order((0, 1), 2 * UNIT, UNIT - 1), make_order((1, 0), UNIT, 2 * UNIT)]
    book = [replace(entry, order=replace(entry.order, max_fee_bps=10_000)) for entry in book]
    fills = settle(find_match(book, NO_POOLS, PRICES), replace(TERMS, fee_bps=10_000)).batch.fills
    assert [(fill.amount_out, fill.fee) for fill in fills] == [(UNIT - 1, 1), (2 * UNIT, 0)]


def test_build_settlement_ends_with_the_first_order() -> None:
    book = [make_order((0, 1), 2 * UNIT, UNIT), make_order((1, 0), UNIT, 2 * UNIT)]
    early = replace(book[0], order=replace(book[0].order, deadline_at=BLOCK.timestamp + 7))
    assert settle(find_match(book, NO_POOLS, PRICES)).deadline_at == TERMS.deadline_at
    assert settle(find_match([early, book[1]], NO_POOLS, PRICES)).deadline_at == BLOCK.timestamp + 7


def test_decode_solver_call_other_calldata_refuses() -> None:
    with pytest.raises(InputError, match="selector"):
        decode_solver_call(b"\1\2\3\4", SOLVER)


# Swaps --------------------------------------------------------------------------------------------


def hop(number: int, source: int, target: int, amount: int = UNIT) -> Hop:
    tokens = sorted((TOKENS[source], TOKENS[target]), key=lambda token: token.address)
    pool = UniswapV2Pool(to_address(bytes([number]) * 20), *tokens, 1000 * UNIT, 1000 * UNIT)
    return Hop(pool, TOKENS[source], TOKENS[target], amount, amount, 0)


def traded(*numbers: int) -> set[Address]:
    return {TOKENS[number].address for number in numbers}


def test_group_hops_of_one_pair_are_one_swap() -> None:
    hops = [hop(1, 0, 1), hop(2, 0, 1), hop(3, 1, 2)]
    assert group_hops(hops, traded(0, 1, 2)) == [tuple(hops[:2]), (hops[2],)]


def test_group_hops_through_a_token_that_nobody_trades_are_one_swap() -> None:
    hops = [hop(1, 0, 1), hop(2, 0, 3), hop(3, 1, 2), hop(4, 1, 2)]
    assert group_hops(hops, traded(0, 2, 3)) == [(hops[0], *hops[2:]), (hops[1],)]


def test_group_hops_from_two_tokens_through_one_stay_apart() -> None:
    hops = [hop(1, 0, 2), hop(2, 1, 2), hop(3, 2, 3, 2 * UNIT)]
    assert group_hops(hops, traded(0, 1, 3)) == [(hops[0],), (hops[1],), (hops[2],)]


def test_group_hops_that_share_a_pool_with_others_stay_in_their_order() -> None:
    hops = [hop(1, 0, 1), hop(3, 0, 3), hop(3, 1, 2)]
    assert group_hops(hops, traded(0, 2, 3)) == [(hops[0],), (hops[1],), (hops[2],)]


def test_build_settlement_path_through_a_token_that_nobody_trades_stays_in_the_router() -> None:
    entry = make_order((0, 2), UNIT, UNIT)
    match = Match((MatchedFill(entry, UNIT, UNIT),), (hop(1, 0, 1), hop(2, 1, 2)), 0.0, 0.0, {})
    (swap,) = settle(match).swaps
    assert [step.input for step in swap.hops] == [Input.PAYER, Input.POOL]
    assert run(settle(match)) == Counter()


def test_build_settlement_swaps_that_go_round_begin_where_there_is_something_to_sell() -> None:
    def sells(sold: int) -> Match:
        fills = (MatchedFill(make_order((0, 3), sold, sold), sold, sold),)
        round_trip = (hop(1, 1, 2), hop(2, 2, 0), hop(3, 0, 1))
        return Match(fills, (*round_trip, hop(4, 0, 3, sold)), 0.0, 0.0, {})

    with_enough = settle(sells(UNIT))
    assert [call.terms.token_in for call in with_enough.swaps] == [TOKENS[n].address for n in (0, 1, 2, 0)]
    assert run(with_enough) == Counter()
    with pytest.raises(NoRouteError, match="first"):
        settle(sells(UNIT - 1))
