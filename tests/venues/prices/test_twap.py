"""Mean prices from the real v3 pool's own sums, against the ticks that it stood at."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from price_chain import OBSERVE, PriceChain

from onchain_exec.errors import InputError, StateError
from onchain_exec.pricing import SourceKind
from onchain_exec.venues.prices import estimate_twap_attack, read_twap, read_twap_source
from onchain_exec.venues.prices.twap import get_mean_liquidity_down, get_mean_tick_down

WINDOW_S = 1_800


def walk(chain: PriceChain, rng: Random, steps: int) -> list[tuple[int, int, int]]:
    """Trade at random moments; return (seconds, tick, liquidity) of each stretch between trades."""
    stood = []
    for _ in range(steps):
        seconds = rng.randint(1, 600)
        chain.wait(seconds)
        stood.append((seconds, chain.pool.curve.tick, chain.pool.curve.liquidity))
        if rng.random() < 0.5:
            chain.trade(chain.weth, rng.randint(1, 200) * 10**18)
        else:
            chain.trade(chain.usdc, rng.randint(1, 600_000) * 10**6)
    return stood


def take_last(stood: list[tuple[int, int, int]], window_s: int) -> list[tuple[int, int, int]]:
    taken = []
    for seconds, tick, liquidity in reversed(stood):
        part = min(seconds, window_s)
        taken.append((part, tick, liquidity))
        window_s -= part
        if not window_s:
            return taken
    raise AssertionError("the window is longer than the walk")


def test_read_twap_random_trades_is_the_mean_of_the_ticks_that_stood(chain: PriceChain, rng: Random) -> None:
    chain.trade(chain.weth, 10**18)
    stood = walk(chain, rng, 25)
    for window_s in (1, 12, 300, WINDOW_S, 3_000):
        twap = chain.perform(read_twap(chain.pool, window_s))
        parts = take_last(stood, window_s)
        assert twap.mean_tick == sum(seconds * tick for seconds, tick, _ in parts) // window_s
        harmonic = window_s / sum(Fraction(seconds, liquidity) for seconds, _, liquidity in parts)
        assert abs(twap.mean_liquidity / harmonic - 1) < Fraction(1, 10**9)


def test_read_twap_while_nobody_trades_is_the_pools_own_price(chain: PriceChain) -> None:
    chain.trade(chain.usdc, 50_000 * 10**6)
    chain.wait(WINDOW_S)
    twap = chain.perform(read_twap(chain.pool, WINDOW_S))
    pair = chain.weth, chain.usdc
    assert twap.mean_tick == chain.pool.curve.tick
    assert abs(twap.get_price(*pair) / chain.pool.spot_price(*pair) - 1) < Fraction(11, 100_000)
    assert twap.get_price(*pair) * twap.get_price(*reversed(pair)) == 1


def test_read_twap_beyond_what_the_pool_keeps_is_a_state_error(chain: PriceChain) -> None:
    with pytest.raises(StateError, match="keeps no observation"):
        chain.perform(read_twap(chain.pool, 10**9))
    found = chain.perform(read_twap_source(chain.pool, chain.weth, chain.usdc, 10**9))
    assert (found.kind, found.price) == (SourceKind.TWAP, None)
    assert "observation" in found.refusal
    for window_s in (0, -1, 1 << 32):
        with pytest.raises(InputError):
            chain.perform(read_twap(chain.pool, window_s))


def test_get_mean_tick_down_rounds_to_negative_infinity_and_survives_a_wrap() -> None:
    assert get_mean_tick_down(0, -1, 2) == -1
    assert get_mean_tick_down(0, 3, 2) == 1
    assert get_mean_tick_down((1 << 55) - 5, -(1 << 55) + 5, 10) == 1
    assert get_mean_liquidity_down((1 << 160) - 5, 5, 1) == get_mean_liquidity_down(0, 10, 1)
    with pytest.raises(StateError):
        get_mean_liquidity_down(7, 7, 1)


@pytest.mark.parametrize("shift_bps", [10, 100, 500])
def test_estimate_twap_attack_is_what_the_real_pool_takes_and_does(chain: PriceChain, shift_bps: int) -> None:
    pair, held_s = (chain.weth, chain.usdc), 600
    chain.trade(chain.weth, 10**18)
    chain.wait(WINDOW_S)
    before = chain.perform(read_twap(chain.pool, WINDOW_S)).get_price(*pair)
    attack = estimate_twap_attack(chain.pool, pair, shift_bps, WINDOW_S, held_s)
    assert attack.reached
    assert attack.capital > attack.loss >= attack.fees > 0
    chain.trade(chain.weth, attack.capital)
    chain.wait(held_s)
    after = chain.perform(read_twap(chain.pool, WINDOW_S)).get_price(*pair)
    assert abs((1 - after / before) * 10_000 - shift_bps) < 2  # a tick of rounding on either side


def test_estimate_twap_attack_held_longer_or_in_a_longer_window_costs_accordingly(chain: PriceChain) -> None:
    pair = chain.weth, chain.usdc
    costs = [estimate_twap_attack(chain.pool, pair, 100, WINDOW_S, held_s) for held_s in (300, 600, WINDOW_S)]
    assert costs[0].capital > costs[1].capital > costs[2].capital
    assert not estimate_twap_attack(chain.pool, pair, 5_000, WINDOW_S, 1).reached
    for shift_bps, held_s in ((0, 12), (10_000, 12), (100, 0), (100, WINDOW_S + 1)):
        with pytest.raises(InputError):
            estimate_twap_attack(chain.pool, pair, shift_bps, WINDOW_S, held_s)


def test_observe_is_asked_for_both_ends_in_one_call(chain: PriceChain) -> None:
    reading = read_twap(chain.pool, WINDOW_S)
    (call,) = next(reading)
    assert (call.to, call.data) == (chain.pool.address, OBSERVE.encode([WINDOW_S, 0]))
