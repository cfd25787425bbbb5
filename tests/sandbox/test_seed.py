"""The seeded market as a trader finds it."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise, permutations

import pytest
from eth_abi.packed import encode_packed
from real_quotes import RealPools

from onchain_exec.app.sandbox import Deployment
from onchain_exec.app.sandbox.deploy.everything import deploy_everything
from onchain_exec.app.sandbox.seed import uniswap_v3
from onchain_exec.app.sandbox.seed.liquidity import get_liquidity
from onchain_exec.app.sandbox.seed.positions import Position, get_positions
from onchain_exec.app.sandbox.seed.prices import get_amount, get_price, sort_tokens
from onchain_exec.core import to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.hashing import keccak
from onchain_exec.testing.evm import LocalEvm

_TICK_BITMAP = Function("tickBitmap(int16)", "(uint256)")
_POSITIONS = Function("positions(bytes32)", "(uint128,uint256,uint256,uint128,uint128)")
_SLOT0 = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
PROBE_USD = 10


def get_rates(pools: RealPools) -> dict[tuple[str, str], Fraction]:
    """Return for each ordered pair the best rate over all pools, fees included, of a small swap."""
    best: dict[tuple[str, str], Fraction] = {}
    for key in pools.deployment.pools:
        for token_in, token_out in permutations(pools.get_tokens(key), 2):
            amount_in = get_amount(token_in, PROBE_USD)
            rate = Fraction(pools.quote(key, token_in, token_out, amount_in), amount_in)
            pair = (token_in.symbol, token_out.symbol)
            best[pair] = max(best.get(pair, Fraction(0)), rate)
    return best


def count_ticks(pools: RealPools, key: str, tick_spacing: int) -> int:
    pool = to_address(key.split(":")[1])
    words = range((-887_272 // tick_spacing) >> 8, ((887_272 // tick_spacing) >> 8) + 1)
    return sum(
        _TICK_BITMAP.decode(pools.evm.static_call(pool, _TICK_BITMAP.encode(word)))[0].bit_count()
        for word in words
    )


def test_seed_leaves_no_arbitrage_above_fees_in_any_cycle(real_pools: RealPools) -> None:
    rates = get_rates(real_pools)
    symbols = sorted({symbol for pair in rates for symbol in pair})
    cycles = [c for size in (2, 3, 4) for c in permutations(symbols, size)]
    gains = {
        cycle: rates_product
        for cycle in cycles
        if (rates_product := _product(rates, (*cycle, cycle[0]))) is not None
    }
    assert len(gains) > 20
    assert max(gains.values()) < 1, max(gains, key=lambda cycle: gains[cycle])


def _product(rates: dict[tuple[str, str], Fraction], path: tuple[str, ...]) -> Fraction | None:
    product = Fraction(1)
    for pair in pairwise(path):
        if pair not in rates:
            return None
        product *= rates[pair]
    return product


def test_seed_prices_of_a_pair_differ_between_its_pools_but_little(real_pools: RealPools) -> None:
    tokens = real_pools.deployment.tokens
    weth, usdc = tokens["WETH"], tokens["USDC"]
    amount = get_amount(weth, PROBE_USD)
    quotes = [
        real_pools.quote(key, weth, usdc, amount)
        for key in real_pools.deployment.pools
        if {weth, usdc} <= set(real_pools.get_tokens(key))
    ]
    fair = amount * get_price(weth, usdc, 0)
    assert len(quotes) >= 6
    assert len(set(quotes)) == len(quotes)
    assert all(abs(quote / fair - 1) < 0.013 for quote in quotes)  # the 1 % tier included


def test_seed_one_v3_pool_has_at_least_200_ticks(real_pools: RealPools) -> None:
    keys = [key for key in real_pools.deployment.pools if key.startswith("uniswap_v3:")]
    pool, key = uniswap_v3.POOLS[0], keys[0]
    assert (pool.base, pool.quote, pool.fee_pips) == ("WETH", "USDC", 500)
    assert count_ticks(real_pools, key, pool.tick_spacing) >= 200


@pytest.mark.parametrize("index", range(len(uniswap_v3.POOLS)))
def test_seed_v3_positions_are_their_owners(real_pools: RealPools, index: int) -> None:
    key = [key for key in real_pools.deployment.pools if key.startswith("uniswap_v3:")][index]
    pool = to_address(key.split(":")[1])
    price, tick = _SLOT0.decode(real_pools.evm.static_call(pool, _SLOT0.encode()))[:2]
    wanted: Counter[tuple[str, int, int]] = Counter()
    for position in get_positions(uniswap_v3.POOLS[index], tick):
        ticks = (position.tick_lower, position.tick_upper)
        amounts = [get_amount(token, position.usd) for token in sort_tokens(*real_pools.get_tokens(key))]
        wanted[(position.owner, *ticks)] += get_liquidity(price, ticks, *amounts)
    assert len({owner for owner, _, _ in wanted}) >= 3
    for position, liquidity in wanted.items():
        name = keccak(encode_packed(["address", "int24", "int24"], position))
        told = real_pools.evm.static_call(pool, _POSITIONS.encode(name))
        assert _POSITIONS.decode(told)[0] == liquidity


@pytest.mark.parametrize("pool", uniswap_v3.POOLS, ids=str)
def test_get_positions_are_uneven_in_range_and_the_same_each_time(pool: uniswap_v3.SeedPool) -> None:
    positions: list[Position] = list(get_positions(pool, -196_257))
    assert positions == list(get_positions(pool, -196_257))
    assert all(p.tick_lower < p.tick_upper for p in positions)
    assert all(t % pool.tick_spacing == 0 for p in positions for t in (p.tick_lower, p.tick_upper))
    assert len({p.usd for p in positions}) > len(positions) // 2


@pytest.mark.parametrize("usd", [30_000, 300_000])
def test_seed_every_pool_fills_a_large_order(real_pools: RealPools, usd: int) -> None:
    for key in real_pools.deployment.pools:
        for token_in, token_out in permutations(real_pools.get_tokens(key), 2):
            assert real_pools.quote(key, token_in, token_out, get_amount(token_in, usd)) > 0, key


def test_deploy_everything_twice_gives_the_same_market(deployed: tuple[LocalEvm, Deployment]) -> None:
    first, deployment = deployed
    evm = LocalEvm()
    assert deploy_everything(evm, 1337, deployment.trader) == deployment
    one, other = RealPools(first, deployment), RealPools(evm, deployment)
    for key in deployment.pools:
        token_in, token_out = one.get_tokens(key)[:2]
        amount = get_amount(token_in, 100_000)
        assert one.quote(key, token_in, token_out, amount) == other.quote(key, token_in, token_out, amount)
