"""Every quote, revert and balance equals what Balancer's own bytecode gives, on random pools."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pool_laws
import pytest
from balancer_chain import WAD_PERCENT, BalancerChain
from evm_reading import perform
from random_cases import pick_scale

from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Exact, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, RevertError, StaleStateError
from onchain_exec.venues import Hop, Leg, PoolFill, SwapTerms
from onchain_exec.venues.balancer import (
    BalancerPool,
    BalancerStablePool,
    BalancerWeightedPool,
    build_batch_swap,
    read_balancer_pool,
)
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

QUOTES_PER_POOL = 50
NEVER, OTHER = 2**63, to_address("0x" + "ab" * 20)


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
def test_swap_executed_by_the_vault_is_told_and_leaves_the_same_balances(chain, rng, make_pool):
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
            terms = SwapTerms(exact, OTHER, NEVER, done.amount_in, done.amount_out)
            paid, logs = chain.send(pool.encode_swap(*sides, terms, DEPLOYER), sides)
            assert paid == (done.amount_in, done.amount_out)
            fills = [fill for log in logs if (fill := pool.decode_fill(log)) is not None]
            assert fills == [PoolFill(*sides, *paid)]
            assert follow(pool, logs) == done.pool_after
            pool = done.pool_after
            assert chain.get_balances(pool) == pool.balances


@pytest.mark.parametrize("exact", list(Exact))
def test_build_batch_swap_of_two_legs_settles_their_ends_alone(chain, rng, exact):
    for _ in range(20):
        a, b, c = chain.get_tokens([18, 18, 6])
        first = chain.make_weighted((a, b), (10**22, 10**23), (WAD // 5, 4 * WAD // 5), 10**15, 2)
        second = chain.make_weighted(
            in_order(b, c), (10**23, 10**23), (WAD // 2, WAD // 2), 10**16, rng.choice((1, 2))
        )
        direct = chain.make_weighted(in_order(a, c), (10**23, 10**23), (WAD // 2, WAD // 2), 10**16, 2)
        amounts = [pick_scale(rng, 10**15, 10**21) for _ in range(2)]
        legs = (
            quote_leg([(first, a, b), (second, b, c)], amounts[0], exact),
            quote_leg([(direct, a, c)], amounts[1], exact),
        )
        amount_in, amount_out = sum(leg.amount_in for leg in legs), sum(leg.amount_out for leg in legs)
        terms = SwapTerms(exact, OTHER, NEVER, amount_in, amount_out)
        paid, logs = chain.send(build_batch_swap(legs, terms, DEPLOYER), (a, c))
        assert paid == (amount_in, amount_out)
        hops = [hop for leg in legs for hop in leg.hops]
        told = [fill for hop in hops for log in logs if (fill := hop.pool.decode_fill(log)) is not None]
        assert told == [PoolFill(hop.token_in, hop.token_out, hop.amount_in, hop.amount_out) for hop in hops]
        with pytest.raises(RevertError, match="BAL#507"):  # SWAP_LIMIT: the pools have moved
            chain.send(build_batch_swap(legs, terms, DEPLOYER), (a, c))


def in_order(one, other):
    """Return two tokens as the Vault sorts them."""
    return (one, other) if int(one.address, 16) < int(other.address, 16) else (other, one)


def quote_leg(hops, amount, exact):
    """Return the leg of ``amount`` through hops, quoted from the side that is fixed."""
    made = []
    for pool, token_in, token_out in hops if exact is Exact.IN else hops[::-1]:
        done = pool.swap(token_in, token_out, amount, exact)
        made.append(Hop(pool, token_in, token_out, done.amount_in, done.amount_out, done.fee_amount))
        amount = done.amount_out if exact is Exact.IN else done.amount_in
    return Leg(tuple(made if exact is Exact.IN else made[::-1]))


def test_build_batch_swap_of_other_pools_or_vaults_is_refused(chain):
    tokens = chain.get_tokens([18, 18])
    pool = chain.make_weighted(tokens, (10**22, 10**22), (WAD // 2, WAD // 2), 10**15, 2)
    elsewhere = replace(pool, vault=OTHER)
    legs = tuple(quote_leg([(one, *tokens)], 10**18, Exact.IN) for one in (pool, elsewhere))
    terms = SwapTerms(Exact.IN, OTHER, NEVER, 2 * 10**18, 1)
    with pytest.raises(InputError, match="one Vault"):
        build_batch_swap(legs, terms, DEPLOYER)
    pair = UniswapV2Pool(OTHER, *tokens, 10**22, 10**22)
    with pytest.raises(InputError, match="does not hold"):
        build_batch_swap((quote_leg([(pair, *tokens)], 10**18, Exact.IN),), terms, DEPLOYER)


def follow(pool, logs):
    for log in logs:
        pool = pool.apply(log)
    return pool


@pytest.mark.parametrize("make_pool", [make_weighted, make_stable])
def test_apply_random_events_equals_a_fresh_read(chain, rng, make_pool):
    taken = set()
    for _ in range(10):
        pool = make_pool(chain, rng)
        for _ in range(15):
            act = rng.choice((chain.join, chain.exit, chain.set_fee, chain.swap))
            try:
                pool = follow(pool, act(pool, rng))
            except RevertError:
                continue
            taken.add(act.__name__)
        assert pool == perform(chain.evm, read_balancer_pool(pool.address))
    assert taken == {"join", "exit", "set_fee", "swap"}


def test_apply_of_new_rates_or_another_ramp_asks_for_a_fresh_read(chain):
    tokens = chain.get_tokens([18, 18])
    for make, update in ((chain.make_composable, "Token"), (chain.make_meta_stable, "Price")):
        pool = make(tokens, (10**21, 10**21), (WAD, 2 * WAD), 10**15, 100)
        assert pool.sources == ()
        with pytest.raises(StaleStateError, match="new terms"):
            follow(pool, chain.call(pool.address, f"update{update}RateCache(address)", tokens[0].address))
    plain = chain.make_composable(tokens, (10**21, 10**21), (), 10**15, 100)
    read = perform(chain.evm, read_balancer_pool(plain.address))
    assert read == plain
    assert read.sources == ((plain.vault, plain.pool_id_bytes), (plain.address, b""))
    end_at = chain.evm.timestamp + 2 * 86_400
    logs = chain.call(plain.address, "startAmplificationParameterUpdate(uint256,uint256)", 150, end_at)
    with pytest.raises(StaleStateError, match="new terms"):
        follow(plain, logs)
    assert perform(chain.evm, read_balancer_pool(plain.address)).sources == ()


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
