"""Matches are checked by what they must hold, and against every choice there is on small books."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
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
    require_settles,
)
from scipy.optimize import linprog

from onchain_exec.clearing.settle import Flags
from onchain_exec.core import Exact, to_address
from onchain_exec.errors import InputError
from onchain_exec.routing.matching import BookOrder, find_match
from onchain_exec.venues import PoolSet
from onchain_exec.venues.balancer import BalancerWeightedPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

# Laws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pools", [0, 6])
def test_find_match_random_books_settle_and_reach_the_bound(rng: random.Random, pools: int) -> None:
    for _ in range(15):
        book = random_book(rng, rng.randrange(1, 60), 4, must_fill=0)
        market = random_pools(rng, pools, 4)
        match = find_match(book, market, PRICES)
        require_settles(match, market)
        assert match.gain >= match.bound * (1 - 1e-5) - 1e-6 * UNIT


def test_find_match_small_books_equals_the_best_of_every_choice(rng: random.Random) -> None:
    for _ in range(25):
        book = random_book(rng, rng.randrange(2, 8), 3, must_fill=0.5)
        match = find_match(book, NO_POOLS, PRICES)
        require_settles(match, NO_POOLS)
        assert match.gain >= find_best_gain(book) * (1 - 1e-5) - 1e-6 * UNIT


def find_best_gain(book: Sequence[BookOrder]) -> float:
    """Return the most that any choice of whole orders, and any parts of the others, gains: a linear program
    for each choice. An owner can be given ten times what it buys, or be spared what it pays."""
    whole = [number for number, entry in enumerate(book) if entry.must_fill]
    subsets = (itertools.combinations(whole, size) for size in range(len(whole) + 1))
    return max(_solve_program(book, whole, chosen) for chosen in itertools.chain(*subsets))


def _solve_program(book: Sequence[BookOrder], whole: Sequence[int], chosen: Sequence[int]) -> float:
    tokens, count = sorted(PRICES), len(book)
    flows, room = np.zeros((len(tokens), count)), np.zeros((len(tokens), count))
    for number, entry in enumerate(book):
        order = entry.order
        flows[tokens.index(order.token_in), number] += entry.most_in / UNIT
        flows[tokens.index(order.token_out), number] -= entry.least_out / UNIT
        if order.is_exact_out:
            room[tokens.index(order.token_in), number] = entry.most_in / UNIT
        else:
            room[tokens.index(order.token_out), number] = 10 * entry.least_out / UNIT
    given = np.eye(len(tokens))
    bounds = [
        (1.0 if n in chosen else 0.0, 1.0 if n in chosen or n not in whole else 0.0) for n in range(count)
    ]
    found = linprog(
        -np.concatenate((np.zeros(count), [PRICES[token] for token in tokens])),
        A_ub=np.block([[-flows, given], [-room, given]]),
        b_ub=np.zeros(2 * len(tokens)),
        bounds=bounds + [(0.0, None)] * len(tokens),
    )
    return -float(found.fun) * UNIT if found.success else 0.0


# Examples -----------------------------------------------------------------------------------------


def test_find_match_ring_needs_no_pool() -> None:
    book = [
        make_order((0, 1), 2 * UNIT, UNIT),
        make_order((1, 2), UNIT, 4 * UNIT),
        make_order((2, 0), 4 * UNIT, 2 * UNIT),
    ]
    match = find_match(book, NO_POOLS, PRICES)
    assert [(fill.amount_in, fill.amount_out) for fill in match.fills] == [
        (2 * UNIT, UNIT),
        (UNIT, 4 * UNIT),
        (4 * UNIT, 2 * UNIT),
    ]


def test_find_match_nothing_fits_is_empty() -> None:
    book = [make_order((0, 1), UNIT, UNIT), make_order((1, 0), UNIT, 3 * UNIT)]
    match = find_match(book, NO_POOLS, PRICES)
    assert match.fills == find_match([], NO_POOLS, PRICES).fills == ()
    assert match.hops == ()


def test_find_match_gain_is_shared_by_those_who_buy_the_token() -> None:
    book = [
        make_order((0, 1), 2 * UNIT, UNIT // 2, owner=1),
        make_order((0, 1), 2 * UNIT, UNIT // 2, owner=2),
        make_order((1, 0), 2 * UNIT, 4 * UNIT, owner=3),
    ]
    match = find_match(book, NO_POOLS, PRICES)
    assert [fill.amount_out for fill in match.fills][:2] == [UNIT, UNIT]


def test_find_match_lone_order_trades_with_the_pools() -> None:
    pool = UniswapV2Pool(to_address(b"\1" * 20), TOKENS[0], TOKENS[1], 2000 * UNIT, 1000 * UNIT)
    market = PoolSet(BLOCK, (pool,))
    match = find_match([make_order((0, 1), 2 * UNIT, UNIT * 9 // 10)], market, PRICES)
    require_settles(match, market)
    (fill,) = match.fills
    assert fill.amount_in == 2 * UNIT
    assert abs(fill.amount_out - pool.quote(TOKENS[0], TOKENS[1], 2 * UNIT, Exact.IN)) <= 1


def test_find_match_partly_filled_order_stays_within_what_remains() -> None:
    entry = replace(make_order((0, 1), 2 * UNIT, UNIT), remaining=UNIT)
    match = find_match([entry, make_order((1, 0), 5 * UNIT, 10 * UNIT)], NO_POOLS, PRICES)
    assert [fill.amount_in for fill in match.fills] == [UNIT, UNIT // 2]


def test_find_match_no_price_of_a_token_refuses() -> None:
    with pytest.raises(InputError, match="no reference price"):
        find_match([make_order((0, 1), UNIT, UNIT)], NO_POOLS, {TOKENS[0].address: 1.0})


def test_find_match_pool_of_three_tokens_is_not_counted_twice() -> None:
    """Several flows through one pool get less than each alone: the match still fills, to the unit."""
    address, balances = to_address(b"\1" * 20), (4_000 * UNIT, 1_200 * UNIT, 3_200 * UNIT)
    weights_wad = (UNIT // 2, UNIT * 3 // 10, UNIT // 5)
    pool = BalancerWeightedPool(
        address, "0x" + "11" * 32, address, tuple(TOKENS[:3]), balances, UNIT // 400, weights_wad, 2
    )
    market = PoolSet(BLOCK, (pool,))
    book = [
        make_order((0, 1), 500 * UNIT, 180 * UNIT, owner=1),
        make_order((0, 2), 500 * UNIT, 700 * UNIT, owner=2),
        make_order((1, 2), 200 * UNIT, 600 * UNIT, owner=3),
    ]
    match = find_match(book, market, PRICES)
    require_settles(match, market)
    assert match.gain > 0


def test_find_match_whole_order_moves_a_pool_further_than_its_limit_alone_would() -> None:
    """In part it would gain more, and its last part is had for less than its limit: all of it still gains."""
    pool = UniswapV2Pool(to_address(b"\1" * 20), TOKENS[0], TOKENS[1], 20 * UNIT, 10 * UNIT)
    market, limit = PoolSet(BLOCK, (pool,)), UNIT * 9 // 10
    match = find_match([make_order((0, 1), 2 * UNIT, limit, Flags.FILL_OR_KILL)], market, PRICES)
    require_settles(match, market)
    (fill,) = match.fills
    assert fill.amount_in == 2 * UNIT
    assert fill.amount_out == pool.quote(TOKENS[0], TOKENS[1], 2 * UNIT, Exact.IN) > limit
    dear = make_order((0, 1), 2 * UNIT, fill.amount_out + 1, Flags.FILL_OR_KILL)
    assert find_match([dear], market, PRICES).fills == ()


def test_find_match_pool_of_dust_at_any_price_hinders_nobody() -> None:
    dust = UniswapV2Pool(to_address(b"\1" * 20), TOKENS[0], TOKENS[1], 1, 10**9)
    market = PoolSet(BLOCK, (dust,))
    book = [make_order((0, 1), 2 * UNIT, UNIT, owner=1), make_order((1, 0), UNIT, 2 * UNIT, owner=2)]
    match = find_match(book, market, PRICES)
    require_settles(match, market)
    assert len(match.fills) == 2
