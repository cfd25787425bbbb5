"""Pools that follow the chain by their events, compared with a fresh read."""

from __future__ import annotations

import random
from typing import Any

import pytest
from evm_market import DEPLOYER, SPACINGS, Market, list_ticks, log_uniform
from evm_v4_market import V4Market
from test_uniswap_v2_evm import swap_on_chain

from onchain_exec.core import ZERO_ADDRESS, Exact, Log
from onchain_exec.core.abi import Function
from onchain_exec.errors import RevertError, StaleStateError
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.uniswap_v2 import read_v2_pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool, read_v3_pool
from onchain_exec.venues.uniswap_v3.events import MINT
from onchain_exec.venues.uniswap_v4 import PoolKey, read_v4_pool

EVENTS = 150
DECREASE = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))", "(uint256,uint256)")
POSITIONS = Function(
    "positions(uint256)",
    "(uint96,address,address,address,uint24,int24,int24,uint128,uint256,uint256,uint128,uint128)",
)


def follow(pool: Any, logs: tuple[Log, ...]) -> Any:
    for log in logs:
        pool = pool.apply(log)
    return pool


def warm(pool: Any) -> None:
    """Build ladders, so that keeping one that no longer holds would be seen."""
    for down in (True, False):
        pool.curve.swap(down, 2**80, Exact.IN, get_end_price(down))


def same_quotes(one: Any, other: Any) -> bool:
    moves = [
        [pool.curve.swap(down, 2**80, Exact.IN, get_end_price(down))[:4] for down in (True, False)]
        for pool in (one, other)
    ]
    return moves[0] == moves[1]


def act_on_v3(market: Market, rng: random.Random, pool: UniswapV3Pool, minted: int) -> None:
    """Swap, mint, or burn part or all of a position."""
    kind, fee_pips = rng.randrange(4), pool.curve.fee_pips
    if kind < 2:
        market.swap_v3(fee_pips, rng.random() < 0.5, log_uniform(rng, 1, 2**90), Exact.IN, 0)
    elif kind == 2:
        ticks = list_ticks(rng, pool.curve.tick, SPACINGS[fee_pips])
        market.add_position(fee_pips, ticks, (2**80, 2**80))
    else:
        position, manager = rng.randint(1, minted), market.v3["position_manager"]
        held = POSITIONS.decode(market.evm.static_call(manager, POSITIONS.encode(position)))[7]
        part = rng.choice((held, held // 2, 1))
        market.evm.call(DEPLOYER, manager, DECREASE.encode((position, part, 0, 0, 2**63)))


@pytest.mark.parametrize("seed", range(20))
def test_apply_random_v3_events_equals_fresh_read(market: Market, seed: int) -> None:
    rng = random.Random(f"events {seed}")
    address = market.create_v3_pool(rng.choice((500, 3_000, 10_000)), 2**96)
    pool = market.perform(read_v3_pool(address))
    minted = 0
    for _ in range(EVENTS):
        mark = market.evm.snapshot()
        try:
            act_on_v3(market, rng, pool, max(1, minted))
        except RevertError:
            market.evm.revert(mark)
            continue
        logs = market.evm.logs
        minted += any(log.topics[0] == MINT.topic for log in logs)
        warm(pool)
        pool = follow(pool, logs)
    fresh = market.perform(read_v3_pool(address))
    assert pool == fresh
    assert same_quotes(pool, fresh)


@pytest.mark.parametrize("seed", range(20))
def test_apply_random_v4_events_equals_fresh_read(market: Market, seed: int) -> None:
    rng = random.Random(f"v4 events {seed}")
    v4 = V4Market.deploy(market)
    key = PoolKey(market.token0.address, market.token1.address, 3_000, 60, ZERO_ADDRESS)
    v4.initialize(key, 2**96, rng.choice((0, 500 | 700 << 12)))
    pool = market.perform(read_v4_pool(v4.manager, key))
    assert v4.modify(key, (-887_220, 887_220), 2**100)
    pool = follow(pool, market.evm.logs)
    held: list[tuple[tuple[int, int], int]] = []
    for _ in range(EVENTS):
        warm(pool)
        kind = rng.randrange(4)
        if kind < 2:
            down = pool.curve.sqrt_price_x96 > 2**96  # back and forth, or the price ends at an end
            v4.swap(key, down, log_uniform(rng, 1, 2**90), Exact.IN, get_end_price(down))
        elif kind == 2:
            held.append((list_ticks(rng, pool.curve.tick, 60), log_uniform(rng, 2**70, 2**90)))
            assert v4.modify(key, *held[-1])
        elif held:
            ticks, liquidity = held.pop(rng.randrange(len(held)))
            part = rng.choice((liquidity, liquidity // 2))
            assert v4.modify(key, ticks, -part)
            held += [(ticks, liquidity - part)] * (part != liquidity)
        else:
            continue
        pool = follow(pool, market.evm.logs)
    fresh = market.perform(read_v4_pool(v4.manager, key))
    assert pool == fresh
    assert same_quotes(pool, fresh)


def test_apply_v4_swap_at_another_fee_raises_stale_state_error(market: Market) -> None:
    v4 = V4Market.deploy(market)
    key = PoolKey(market.token0.address, market.token1.address, 3_000, 60, ZERO_ADDRESS)
    v4.initialize(key, 2**96)
    assert v4.modify(key, (-600, 600), 10**20)
    pool = market.perform(read_v4_pool(v4.manager, key))
    v4.swap(key, True, 10**18, Exact.IN, get_end_price(True))
    with pytest.raises(StaleStateError):
        follow(pool.with_curve(pool.curve.with_fee(500)), market.evm.logs)


def test_apply_v2_events_equals_fresh_read(market: Market) -> None:
    rng = random.Random("v2 events")
    address = market.create_v2_pair(10**24, 10**22)
    pool = market.perform(read_v2_pool(address))
    for _ in range(50):
        swap_on_chain(market, rng.random() < 0.5, log_uniform(rng, 10**4, 10**22), Exact.IN)
        pool = follow(pool, market.evm.logs)
    assert pool == market.perform(read_v2_pool(address))


def make_curve(gross: tuple[int, ...] | None) -> Curve:
    """Two neighbouring positions of the same size: the tick between them has net 0 and gross 10."""
    return Curve(2**96, 0, 5, 3_000, Ticks(60, (-60, 0, 60), (5, 0, -5), gross))


def test_with_liquidity_net_zero_and_gross_known_tick_stays_initialised() -> None:
    curve = make_curve((5, 10, 5)).with_liquidity(-60, 0, 3).with_liquidity(-60, 0, -3)
    assert curve.ticks == Ticks(60, (-60, 0, 60), (5, 0, -5), (5, 10, 5))


def test_with_liquidity_net_zero_and_gross_unknown_raises_stale_state_error() -> None:
    curve = make_curve(None).with_liquidity(-60, 0, 3)
    with pytest.raises(StaleStateError):
        curve.with_liquidity(-60, 0, -3)


@pytest.mark.parametrize("gross", [(5, 10, 5), None])
def test_with_liquidity_burn_of_what_is_not_there_raises_stale_state_error(
    gross: tuple[int, ...] | None,
) -> None:
    with pytest.raises(StaleStateError):
        make_curve(gross).with_liquidity(-120, 60, -1)
