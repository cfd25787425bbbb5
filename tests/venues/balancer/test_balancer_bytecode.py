"""Every quote, revert and balance equals what Balancer's own bytecode gives, on random pools."""

from __future__ import annotations

from random import Random

import pool_laws
import pytest
from balancer_chain import WAD_PERCENT, BalancerChain
from evm_reading import perform
from random_cases import pick_scale

from onchain_exec.core import Exact, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, RevertError
from onchain_exec.venues.balancer import (
    BalancerPool,
    BalancerStablePool,
    BalancerWeightedPool,
    read_balancer_pool,
)

QUOTES_PER_POOL = 50


@pytest.fixture(scope="module")
def chain() -> BalancerChain:
    return BalancerChain()


def make_weighted(chain: BalancerChain, rng: Random) -> BalancerWeightedPool:
    count = rng.randint(2, 8)
    tokens = chain.get_tokens([rng.choice((6, 8, 18)) for _ in range(count)])
    if rng.random() < 0.3:  # weights whose ratios are the powers that version 2 multiplies out
        weights = rng.choice([[50, 50], [80, 20], [20, 80], [25, 25, 50], [20, 20, 20, 40], [60, 15, 15, 10]])
        tokens = chain.get_tokens([token.decimals for token in tokens[:1]] * len(weights))
        weights = [weight * WAD_PERCENT for weight in weights]
    else:
        cuts = sorted(rng.sample(range(1, 100 - count), count - 1))
        shares = [b - a for a, b in zip([0, *cuts], [*cuts, 100 - count], strict=True)]
        weights = [WAD_PERCENT + share * WAD_PERCENT for share in shares]
        nudge = rng.randrange(WAD_PERCENT // 2) if count > 2 and max(weights) > 2 * WAD_PERCENT else 0
        largest, smallest = weights.index(max(weights)), weights.index(min(weights))
        weights[largest] -= nudge
        weights[smallest] += nudge
    balances = tuple(pick_scale(rng, 10**t.decimals, 10 ** (t.decimals + 8)) for t in tokens)
    fee_wad = pick_scale(rng, 10**12, 10**17)
    return chain.make_weighted(tokens, balances, tuple(weights), fee_wad, rng.choice((1, 2)))


def make_stable(chain: BalancerChain, rng: Random) -> BalancerStablePool:
    meta = rng.random() < 0.3
    tokens = chain.get_tokens([rng.choice((6, 8, 18)) for _ in range(2 if meta else rng.randint(2, 5))])
    whole = pick_scale(rng, 10, 10**9)
    balances = tuple(int(whole * 10 ** (t.decimals + rng.uniform(-1.5, 1.5))) for t in tokens)
    rates = tuple(rng.choice((WAD, rng.randint(WAD // 2, 3 * WAD))) for _ in tokens)
    fee_wad, amp = pick_scale(rng, 10**12, 10**17), pick_scale(rng, 1, 5_000)
    make = chain.make_meta_stable if meta else chain.make_composable
    try:
        return make(tokens, balances, rates, fee_wad, amp)
    except RevertError:  # its invariant does not converge: no such pool can be
        return make_stable(chain, rng)


def pick_amount(rng: Random, balance: int) -> int:
    """Mostly amounts that fill, of every scale; some at the ratio limits, some that overflow."""
    kind = rng.random()
    if kind < 0.80:
        return pick_scale(rng, 1, balance)
    if kind < 0.90:
        return balance * 3 // 10 + rng.randint(-2, 2)
    if kind < 0.96:
        return pick_scale(rng, 1, balance * 10)
    return rng.choice((0, 1, 2**112, 2**111, 2**160, 2**200, 2**240, 2**256 - 1, 2 ** rng.randrange(256)))


def compare_quotes(chain: BalancerChain, rng: Random, pool: BalancerPool, count: int) -> None:
    for _ in range(count):
        side_in, side_out = rng.sample(range(len(pool.tokens)), 2)
        exact = rng.choice((Exact.IN, Exact.OUT))
        amount = pick_amount(rng, pool.balances[side_in if exact is Exact.IN else side_out])
        sides = (pool.tokens[side_in], pool.tokens[side_out])
        found = pool_laws.outcome(lambda: pool.quote(*sides, amount, exact))  # noqa: B023 - called at once
        assert found == chain.query(pool, sides, amount, exact), (pool, sides, amount, exact)


@pytest.mark.parametrize("make_pool", [make_weighted, make_stable])
def test_quote_on_random_pools_equals_bytecode(chain, rng, make_pool):
    for _ in range(10_000 // QUOTES_PER_POOL):
        compare_quotes(chain, rng, make_pool(chain, rng), QUOTES_PER_POOL)


@pytest.mark.deep
@pytest.mark.parametrize("make_pool", [make_weighted, make_stable])
def test_quote_on_many_random_pools_equals_bytecode(chain, rng, make_pool):
    for _ in range(200_000 // (10 * QUOTES_PER_POOL)):
        compare_quotes(chain, rng, make_pool(chain, rng), 10 * QUOTES_PER_POOL)


@pytest.mark.parametrize("make_pool", [make_weighted, make_stable])
def test_swap_executed_by_batch_swap_leaves_the_same_balances(chain, rng, make_pool):
    for _ in range(40):
        pool = make_pool(chain, rng)
        for _ in range(5):
            side_in, side_out = rng.sample(range(len(pool.tokens)), 2)
            sides = (pool.tokens[side_in], pool.tokens[side_out])
            exact = rng.choice((Exact.IN, Exact.OUT))
            amount = pick_scale(rng, 1, pool.balances[side_in if exact is Exact.IN else side_out] // 5 + 1)
            done = pool_laws.outcome(lambda: pool.swap(*sides, amount, exact))  # noqa: B023 - called at once
            if isinstance(done, str):
                assert chain.query(pool, sides, amount, exact) == done
                continue
            paid = chain.batch_swap([(pool, sides)], amount, exact)
            assert (paid[sides[0]], -paid[sides[1]]) == (done.amount_in, done.amount_out)
            pool = done.pool_after
            assert chain.get_balances(pool) == pool.balances


def test_swap_through_two_pools_equals_one_batch_swap(chain, rng):
    for exact in (Exact.IN, Exact.OUT):
        a, b, c = chain.get_tokens([18, 18, 6])
        first = chain.make_weighted((a, b), (10**22, 10**23), (WAD // 5, 4 * WAD // 5), 10**15, 2)
        second = chain.make_weighted((b, c) if int(b.address, 16) < int(c.address, 16) else (c, b),
                                     (10**23, 10**23), (WAD // 2, WAD // 2), 10**16, 1)  # fmt: skip
        amount = pick_scale(rng, 10**15, 10**21)
        if exact is Exact.IN:
            middle = first.quote(a, b, amount, exact)
            expected = {a: amount, b: 0, c: -second.quote(b, c, middle, exact)}
        else:
            middle = second.quote(b, c, amount, exact)
            expected = {a: first.quote(a, b, middle, exact), b: 0, c: -amount}
        assert chain.batch_swap([(first, (a, b)), (second, (b, c))], amount, exact) == expected


@pytest.mark.parametrize("make_pool", [make_weighted, make_stable])
def test_read_of_random_pools_gives_the_pool_that_was_made(chain, rng, make_pool):
    for _ in range(20):
        pool = make_pool(chain, rng)
        assert perform(chain.evm, read_balancer_pool(pool.address)) == pool


def test_read_of_a_pool_whose_rate_cache_ran_out_takes_the_fresh_rate(chain):
    tokens = chain.get_tokens([18, 18])
    pool = chain.make_composable(tokens, (10**21, 10**21), (WAD, 2 * WAD), 10**15, 100)
    provider = to_address((0xFEED << 64 | chain.rates_made).to_bytes(20, "big"))
    chain.set_rate(provider, 3 * WAD)
    assert perform(chain.evm, read_balancer_pool(pool.address)) == pool
    chain.evm.timestamp += 10**6 + 1
    read = perform(chain.evm, read_balancer_pool(pool.address))
    assert read.scaling_factors_wad == (WAD, 3 * WAD)
    amount = 10**18
    assert read.quote(*tokens, amount, Exact.IN) == chain.query(pool, tokens, amount, Exact.IN)


def test_read_of_what_is_no_pool_is_refused(chain):
    with pytest.raises(InputError):
        perform(chain.evm, read_balancer_pool(chain.vault))
