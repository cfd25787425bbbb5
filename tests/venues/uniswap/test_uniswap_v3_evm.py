"""The v3 model against the real bytecode: random layouts, random swaps, the state after each."""

from __future__ import annotations

import random

import pytest
from evm_market import SPACINGS, Market, get_reason, list_ticks, log_uniform, undone

from onchain_exec.core import Exact, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT160
from onchain_exec.errors import PartialFillError, PoolRevertError, RevertError
from onchain_exec.venues import SwapResult
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.concentrated.tick_math import (
    MAX_SQRT_PRICE_X96,
    MIN_SQRT_PRICE_X96,
    get_sqrt_price_at_tick,
    get_tick_at_sqrt_price,
)
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool, read_v3_pool, read_v3_pools

SWAPS_PER_LAYOUT = 100
LAYOUTS = 100
SEEDS = [*range(LAYOUTS), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(LAYOUTS, 2_000))]

QUOTE = {
    Exact.IN: Function(
        "quoteExactInputSingle((address,address,uint256,uint24,uint160))", "(uint256,uint160,uint32,uint256)"
    ),
    Exact.OUT: Function(
        "quoteExactOutputSingle((address,address,uint256,uint24,uint160))", "(uint256,uint160,uint32,uint256)"
    ),
}


def make_layout(market: Market, rng: random.Random) -> UniswapV3Pool:
    """Create a random pool with up to 12 positions and read it through the lens."""
    # small spacings seldom: the contract takes 30 ms to walk the words of spacing 1 to the end
    (fee_pips,) = rng.choices(list(SPACINGS), (1, 6, 18, 18))
    if rng.random() < 0.1:
        price = log_uniform(rng, MIN_SQRT_PRICE_X96 + 1, MAX_SQRT_PRICE_X96 - 1)
    else:
        price = get_sqrt_price_at_tick(rng.randint(-40_000, 40_000)) + rng.randrange(2) * rng.getrandbits(60)
    address = market.create_v3_pool(fee_pips, price)
    tick, spacing = get_tick_at_sqrt_price(price), SPACINGS[fee_pips]
    for _ in range(rng.randint(1, 12)):
        amounts = (log_uniform(rng, 10**3, 2**100), log_uniform(rng, 10**3, 2**100))
        market.add_position(fee_pips, list_ticks(rng, tick, spacing), amounts)
    return market.perform(read_v3_pool(address, spacing=rng.choice((None, spacing))))


def pick_amount(pool: UniswapV3Pool, rng: random.Random, down: bool, exact: Exact) -> int:
    """Return an amount: any size, or within two units of where a step ends."""
    path = pool.curve.path(down)
    pool.curve.swap(down, 2 ** rng.randint(60, 120), exact, get_end_price(down))
    sums, offset = (
        (path.ladder.sum_in, path.offset_in) if exact is Exact.IN else (path.ladder.sum_out, path.offset_out)
    )
    if rng.random() < 0.4:
        return max(1, rng.choice(sums[path.place :]) + offset + rng.randint(-2, 2))
    return log_uniform(rng, 1, rng.choice((2**40, 2**110, 2**130, 2**255 - 1)))


def check_against_chain(market: Market, pool: UniswapV3Pool, rng: random.Random) -> UniswapV3Pool:
    """Make one swap in both, compare all there is to compare, return the model's pool after it."""
    down, exact = rng.random() < 0.5, rng.choice(list(Exact))
    amount = pick_amount(pool, rng, down, exact)
    fee_pips, pair = pool.curve.fee_pips, market.pair(down)
    limit = None
    if rng.random() < 0.25:
        distance = 1 + rng.random() ** 4 * rng.choice((-1, 1))
        limit = min(max(1, int(pool.curve.sqrt_price_x96 * distance)), MAX_UINT160)
        if rng.random() < 0.3:
            limit = get_sqrt_price_at_tick(pool.curve.ticks.find_boundary(pool.curve.tick, down)[0])
    mark = market.evm.snapshot()
    try:
        chain = market.swap_v3(fee_pips, down, amount, exact, limit or 0)
    except RevertError as error:
        market.evm.revert(mark)
        expect_revert(market, pool, (down, amount, exact, limit), error)
        return pool
    amount_in, amount_out = chain[:2]
    if limit is None and amount != (amount_in if exact is Exact.IN else amount_out):
        with pytest.raises(PartialFillError) as caught:
            pool.quote(*pair, amount, exact)
        assert (caught.value.amount_in, caught.value.amount_out) == (amount_in, amount_out)
        limit = get_end_price(down)
    if limit is None:
        result = pool.swap(*pair, amount, exact)
        quoted = pool.quote(*pair, amount, exact)
        assert quoted == (amount_out if exact is Exact.IN else amount_in)
    else:
        result = pool.swap_to_price(*pair, amount, exact, limit)
    assert describe(result) == chain
    return result.pool_after


def describe(result: SwapResult) -> tuple[int, int, int, int, int]:
    curve = result.pool_after.curve
    return result.amount_in, result.amount_out, curve.sqrt_price_x96, curve.liquidity, curve.tick


def expect_revert(
    market: Market, pool: UniswapV3Pool, swap: tuple[bool, int, Exact, int | None], error: RevertError
) -> None:
    down, amount, exact, limit = swap
    pair = market.pair(down)
    if limit is not None and get_reason(error) == "":
        # the router's callback refuses what the pool allows: a swap all in a gap of liquidity
        result = pool.swap_to_price(*pair, amount, exact, limit)
        assert (result.amount_in, result.amount_out) == (0, 0)
        return
    with pytest.raises(PoolRevertError) as caught:
        swap_as_asked(pool, pair, amount, exact, limit)
    if not isinstance(caught.value, PartialFillError):
        assert caught.value.reason == get_reason(error)
    elif caught.value.amount_out:
        # the router refuses less output than asked; with a limit the pool shows how much there is
        assert exact is Exact.OUT
        chain = undone(
            market.evm, lambda: market.swap_v3(pool.curve.fee_pips, down, amount, exact, get_end_price(down))
        )
        assert (caught.value.amount_in, caught.value.amount_out) == chain[:2]


def swap_as_asked(
    pool: UniswapV3Pool, pair: tuple[Token, Token], amount: int, exact: Exact, limit: int | None
) -> SwapResult:
    if limit is None:
        return pool.swap(*pair, amount, exact)
    return pool.swap_to_price(*pair, amount, exact, limit)


@pytest.mark.parametrize("seed", SEEDS)
def test_swap_random_layout_equals_contract(market: Market, seed: int) -> None:
    rng = random.Random(f"v3 {seed}")
    pool = make_layout(market, rng)
    for _ in range(SWAPS_PER_LAYOUT):
        before = pool
        pool = check_against_chain(market, pool, rng)
        assert before.curve.ladders is pool.curve.ladders
    assert market.perform(read_v3_pool(pool.address)) == pool


@pytest.mark.parametrize("seed", range(10))
def test_quote_random_layout_equals_quoter_v2(market: Market, seed: int) -> None:
    rng = random.Random(f"v3 quoter {seed}")
    pool = make_layout(market, rng)
    for _ in range(50):
        down, exact = rng.random() < 0.5, rng.choice(list(Exact))
        amount, pair = pick_amount(pool, rng, down, exact), market.pair(down)
        arguments = (pair[0].address, pair[1].address, amount, pool.curve.fee_pips, 0)
        try:
            answer = market.evm.static_call(market.v3["quoter"], QUOTE[exact].encode(arguments))
        except RevertError:
            with pytest.raises(PoolRevertError):
                pool.quote(*pair, amount, exact)
            continue
        try:
            quoted = pool.quote(*pair, amount, exact)
        except PartialFillError as error:
            # the quoter passes off the part that fits as the answer for exact input
            assert exact is Exact.IN
            quoted = error.amount_out
        assert quoted == QUOTE[exact].decode(answer)[0]


def test_read_v3_pools_pair_with_and_without_liquidity_only_pools_that_fill(market: Market) -> None:
    seeded = market.create_v3_pool(500, 2**96)
    market.add_position(500, (-100, 100), (10**18, 10**18))
    market.create_v3_pool(3_000, 2**96)
    pools = market.perform(read_v3_pools(market.v3_deployment, market.token1, market.token0))
    assert [pool.address for pool in pools] == [seeded]
    assert pools[0].tokens == (market.token0, market.token1)
    assert market.v3_deployment.get_pool_address(market.token1.address, market.token0.address, 500) == seeded


def test_read_v3_pool_narrow_spacing_unknown_all_ticks_found(market: Market) -> None:
    address = market.create_v3_pool(100, 2**96)
    market.add_position(100, (-887_272, 887_272), (10**18, 10**18))
    market.add_position(100, (-3, 700_001), (10**18, 10**18))
    pool = market.perform(read_v3_pool(address))
    assert pool.curve.ticks.indexes == (-887_272, -3, 700_001, 887_272)


def test_quote_pool_without_price_raises_lok(market: Market) -> None:
    address = market.create_v3_pool(500, 2**96)
    pool = market.perform(read_v3_pool(address))
    unseeded = pool.with_curve(pool.curve.moved_to(0, 0, 0))
    with pytest.raises(PoolRevertError) as caught:
        unseeded.quote(market.token0, market.token1, 1, Exact.IN)
    assert caught.value.reason == "LOK"
