"""What a batch may hold side by side, and what tokens are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from matching_books import BLOCK, TOKENS, UNIT, make_order, random_book, random_pools
from test_settlement import PRESIGNED, TERMS, run

from onchain_exec.clearing.settle import Flags, Lane
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.clearing.settle.verification import Verified
from onchain_exec.core import to_address
from onchain_exec.routing.matching import find_prices, select_orders, solve
from onchain_exec.venues import PoolSet
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

UNIT_TOKEN = TOKENS[0].address


def verified(amount: int, funds: int, standing: Lane | None = None, **terms: Any) -> Verified:
    """Return an order of T0 for T1 whose owner has ``funds`` and allows more."""
    order = replace(make_order((0, 1), amount, amount).order, **terms)
    resting = OpenOrder(repr(order).encode(), order, PRESIGNED)
    return Verified(resting, standing or Lane(), funds, 2 * funds)


def remaining(*found: Verified) -> list[tuple[int, int]]:
    """Return lane and what remains of each order selected."""
    return [(entry.order.lane, entry.remaining) for entry in select_orders(found)]


def test_select_orders_of_one_lane_takes_the_lowest_seq() -> None:
    later, first = verified(5, 100, seq=8), verified(4, 100, seq=7)
    assert [entry.order.seq for entry in select_orders((later, first))] == [7]
    assert len(select_orders((later, verified(4, 100, seq=7, lane=1)))) == 2


def test_select_orders_of_one_owner_spend_its_funds_in_turn() -> None:
    orders = [verified(60, 100, lane=lane) for lane in range(3)]
    assert remaining(*orders) == [(0, 60), (1, 40)]
    whole = verified(60, 100, lane=1, flags=Flags.FILL_OR_KILL)
    assert remaining(orders[0], whole, orders[2]) == [(0, 60), (2, 40)]


def test_select_orders_of_another_token_or_owner_have_funds_of_their_own() -> None:
    other = verified(60, 100, lane=1, token_in=TOKENS[2].address)
    stranger = verified(60, 100, owner=to_address(b"\7" * 20))
    assert len(select_orders((verified(60, 100), other, stranger))) == 3


def test_select_orders_partly_filled_leaves_the_rest() -> None:
    assert remaining(verified(60, 100, Lane(1, 20), seq=1)) == [(0, 40)]
    exact_out = verified(60, 30, amount_in=120, flags=Flags.EXACT_OUT)
    assert remaining(exact_out, verified(60, 30, lane=1)) == [(0, 15)]


def test_find_prices_deepest_pool_counts_and_limits_where_there_is_none() -> None:
    def pool(number: int, depth: int, price: int) -> UniswapV2Pool:
        tokens = TOKENS[0], TOKENS[1]
        return UniswapV2Pool(to_address(bytes([number]) * 20), *tokens, depth * price * UNIT, depth * UNIT)

    orders = [make_order((1, 2), 10 * UNIT, 40 * UNIT).order]
    prices = find_prices(orders, [pool(1, 10, 9), pool(2, 1000, 2), pool(3, 100, 3)], UNIT_TOKEN)
    assert prices == pytest.approx({TOKENS[0].address: 1, TOKENS[1].address: 2, TOKENS[2].address: 0.5})


def test_find_prices_nothing_leads_to_the_unit_weighs_among_themselves() -> None:
    orders = [make_order((1, 2), 10 * UNIT, 40 * UNIT).order]
    prices = find_prices(orders, [], UNIT_TOKEN)
    assert prices[TOKENS[1].address] / prices[TOKENS[2].address] == pytest.approx(4)


def test_solve_no_more_orders_than_may_be(rng: Any) -> None:
    book = dict.fromkeys(random_book(rng, 40, 4), PRESIGNED)
    pools = random_pools(rng, 3, 4)
    solved = solve(book, pools, UNIT_TOKEN, TERMS, 8)
    assert solved.call is not None
    assert 0 < len(solved.match.fills) <= 8
    surplus, prices = run(solved.call), find_prices([entry.order for entry in book], pools.pools, UNIT_TOKEN)
    worth = sum(amount * prices[token] for token, amount in surplus.items())
    assert solved.income == pytest.approx(worth, abs=1e-6 * UNIT)


def test_solve_pools_that_lead_round_are_left_out() -> None:
    def pool(number: int, source: int, target: int, price: float) -> UniswapV2Pool:
        reserves = 10**6 * UNIT, int(10**6 * UNIT * price)
        return UniswapV2Pool(to_address(bytes([number]) * 20), TOKENS[source], TOKENS[target], *reserves)

    round_trip = PoolSet(BLOCK, (pool(1, 1, 2, 8.0), pool(2, 1, 2, 1.0)))
    book = [make_order((0, 1), 2 * UNIT, UNIT, owner=1), make_order((1, 0), UNIT, 2 * UNIT, owner=2)]
    solved = solve(dict.fromkeys(book, PRESIGNED), round_trip, UNIT_TOKEN, TERMS, 50)
    assert solved.call is not None
    assert len(solved.match.fills) == 2
    run(solved.call)


def test_solve_nothing_fits_is_no_call() -> None:
    book = {make_order((0, 1), UNIT, 2 * UNIT): PRESIGNED}
    assert solve(book, PoolSet(BLOCK, ()), UNIT_TOKEN, TERMS, 50).call is None
