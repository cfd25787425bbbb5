"""The v4 model against the real PoolManager: random pools, random swaps, the state after each."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from eth_utils import keccak
from evm_market import Market, log_uniform
from evm_v4_market import ETHER, V4Market

from onchain_exec.core import ZERO_ADDRESS, Exact, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import NoPoolError, PartialFillError, PoolRefusedError, PoolRevertError, RevertError
from onchain_exec.venues import SwapResult
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.uniswap_v4 import (
    HookFlag,
    PoolKey,
    UniswapV4Deployment,
    UniswapV4Pool,
    read_v4_pool,
    read_v4_pools,
)
from onchain_exec.venues.uniswap_v4.key import CHANGES_SWAPS, KEY_TYPE

SWAPS_PER_LAYOUT = 100
LAYOUTS = 100
SEEDS = [*range(LAYOUTS), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(LAYOUTS, 2_000))]

REVERTS = {
    keccak(text=signature)[:4]: signature.split("(")[0]
    for signature in (
        "PriceLimitAlreadyExceeded(uint160,uint160)",
        "PriceLimitOutOfBounds(uint160)",
        "SwapAmountCannotBeZero()",
        "PoolNotInitialized()",
        "SafeCastOverflow()",
    )
}
QUOTE = {
    Exact.IN: Function(f"quoteExactInputSingle(({KEY_TYPE},bool,uint128,bytes))", "(uint256,uint256)"),
    Exact.OUT: Function(f"quoteExactOutputSingle(({KEY_TYPE},bool,uint128,bytes))", "(uint256,uint256)"),
}


@pytest.fixture
def v4(market: Market) -> V4Market:
    return V4Market.deploy(market)


def pick_amount(pool: UniswapV4Pool, rng: random.Random, down: bool, exact: Exact) -> int:
    """Return an amount: any size, or within two units of where a step ends."""
    curve = pool.curve_for(down)
    path = curve.path(down)
    curve.swap(down, 2 ** rng.randint(60, 120), exact, get_end_price(down))
    sums, offset = (
        (path.ladder.sum_in, path.offset_in) if exact is Exact.IN else (path.ladder.sum_out, path.offset_out)
    )
    if rng.random() < 0.4:
        return max(1, rng.choice(sums[path.place :]) + offset + rng.randint(-2, 2))
    return log_uniform(rng, 1, rng.choice((2**40, 2**110, 2**140)))


def describe(result: SwapResult) -> tuple[int, int, int, int, int]:
    curve = result.pool_after.curve
    return result.amount_in, result.amount_out, curve.sqrt_price_x96, curve.liquidity, curve.tick


def expect_revert(pool: UniswapV4Pool, swap: tuple[bool, int, Exact, int], reason: str) -> None:
    down, amount, exact, limit = swap
    pair = pool.tokens if down else pool.tokens[::-1]
    with pytest.raises(PoolRevertError) as caught:
        pool.swap_to_price(*pair, amount, exact, limit)
    assert caught.value.reason == reason
    if limit == get_end_price(down):
        with pytest.raises(PoolRevertError) as quoted:
            pool.quote(*pair, amount, exact)
        assert quoted.value.reason == reason


def check_against_chain(v4: V4Market, pool: UniswapV4Pool, rng: random.Random) -> UniswapV4Pool:
    """Make one swap in both, compare all there is to compare, return the model's pool after it."""
    down, exact = rng.random() < 0.5, rng.choice(list(Exact))
    amount = pick_amount(pool, rng, down, exact)
    pair = pool.tokens if down else pool.tokens[::-1]
    end = limit = get_end_price(down)
    if rng.random() < 0.25:
        limit = int(pool.curve.sqrt_price_x96 * (1 + rng.random() ** 4 * rng.choice((-1, 1))))
        limit = min(max(limit, 1), 2**160 - 1)
    mark = v4.market.evm.snapshot()
    try:
        chain = v4.swap(pool.pool_key, down, amount, exact, limit)
    except RevertError as error:
        v4.market.evm.revert(mark)
        expect_revert(pool, (down, amount, exact, limit), REVERTS[error.data[:4]])
        return pool
    amount_in, amount_out = chain[:2]
    result = pool.swap_to_price(*pair, amount, exact, limit)
    assert describe(result) == chain
    if limit == end and amount == (amount_in if exact is Exact.IN else amount_out):
        assert pool.quote(*pair, amount, exact) == (amount_out if exact is Exact.IN else amount_in)
        assert describe(pool.swap(*pair, amount, exact)) == chain
    elif limit == end:
        with pytest.raises(PartialFillError) as part:
            pool.quote(*pair, amount, exact)
        assert (part.value.amount_in, part.value.amount_out) == (amount_in, amount_out)
    assert isinstance(result.pool_after, UniswapV4Pool)
    return result.pool_after


@pytest.mark.parametrize("seed", SEEDS)
def test_swap_random_layout_equals_contract(v4: V4Market, seed: int) -> None:
    rng = random.Random(f"v4 {seed}")
    key = v4.create_random(rng)
    pool = v4.market.perform(read_v4_pool(v4.manager, key))
    for _ in range(SWAPS_PER_LAYOUT):
        pool = check_against_chain(v4, pool, rng)
    assert v4.market.perform(read_v4_pool(v4.manager, key)) == pool


@pytest.mark.parametrize("seed", range(10))
def test_quote_random_layout_equals_v4_quoter(v4: V4Market, seed: int) -> None:
    rng = random.Random(f"v4 quoter {seed}")
    key = v4.create_random(rng)
    pool = v4.market.perform(read_v4_pool(v4.manager, key))
    for _ in range(50):
        down, exact = rng.random() < 0.5, rng.choice(list(Exact))
        # from 2**127 on, the quoter's own cast turns the amount's sign
        amount = min(pick_amount(pool, rng, down, exact), 2**127 - 1)
        pair = pool.tokens if down else pool.tokens[::-1]
        data = QUOTE[exact].encode((key.to_tuple(), down, amount, b""))
        try:
            answer = v4.market.evm.static_call(v4.contracts["quoter"], data)
        except RevertError:
            with pytest.raises(PoolRevertError):
                pool.quote(*pair, amount, exact)
        else:
            assert pool.quote(*pair, amount, exact) == QUOTE[exact].decode(answer)[0]


def test_read_v4_pools_hookless_tiers_only_pools_that_fill(v4: V4Market) -> None:
    token = v4.market.token1
    keys = [PoolKey(ZERO_ADDRESS, token.address, *tier, ZERO_ADDRESS) for tier in ((500, 10), (3_000, 60))]
    for key in keys:
        v4.initialize(key, 2**96)
    assert v4.modify(keys[0], (-100, 100), 10**18)
    deployment = UniswapV4Deployment(v4.manager)
    (pool,) = v4.market.perform(read_v4_pools(deployment, token, ETHER))
    assert pool.pool_key == keys[0]
    assert pool.tokens == (ETHER, token)


def test_read_v4_pools_of_a_pair_without_pools_sends_no_code(v4: V4Market) -> None:
    reading = read_v4_pools(UniswapV4Deployment(v4.manager), v4.market.token1, ETHER)
    calls = next(reading)
    assert [(call.to, call.code) for call in calls] == [(v4.manager, b"")]
    reading.close()
    assert v4.market.perform(read_v4_pools(UniswapV4Deployment(v4.manager), v4.market.token1, ETHER)) == ()


def test_read_v4_pool_unknown_key_raises_no_pool_error(v4: V4Market) -> None:
    key = PoolKey(v4.market.token0.address, v4.market.token1.address, 500, 10, ZERO_ADDRESS)
    with pytest.raises(NoPoolError):
        v4.market.perform(read_v4_pool(v4.manager, key))


@pytest.mark.parametrize("flag", list(HookFlag), ids=lambda flag: flag.name)
def test_pool_with_hook_refused_if_the_hook_may_change_swaps(v4: V4Market, flag: HookFlag) -> None:
    key = PoolKey(v4.market.token0.address, v4.market.token1.address, 500, 10, ZERO_ADDRESS)
    v4.initialize(key, 2**96)
    pool = v4.market.perform(read_v4_pool(v4.manager, key))
    hooked = replace(key, hooks=to_address((1 << 100 | flag.value).to_bytes(20)))
    if flag & CHANGES_SWAPS:
        with pytest.raises(PoolRefusedError, match=str(flag.name)):
            replace(pool, pool_key=hooked)
    else:
        assert replace(pool, pool_key=hooked).pool_key.hook_flags == flag


def test_pool_with_the_whole_input_as_fee_refused(v4: V4Market) -> None:
    key = PoolKey(v4.market.token0.address, v4.market.token1.address, 1_000_000, 10, ZERO_ADDRESS)
    v4.initialize(key, 2**96)
    with pytest.raises(PoolRefusedError):
        v4.market.perform(read_v4_pool(v4.manager, key))
