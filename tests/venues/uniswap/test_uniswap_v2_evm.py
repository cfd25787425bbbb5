"""The v2 model against the real bytecode: random reserves, random swaps, the reserves after each."""

from __future__ import annotations

import random

import pytest
from evm_market import NEVER, PLENTY, Market, get_reason, log_uniform, undone

from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Exact
from onchain_exec.core.abi import Function
from onchain_exec.errors import PoolRevertError, RevertError
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool, read_v2_pool, read_v2_pools
from onchain_exec.venues.uniswap_v2.pool import MAX_RESERVE

SWAPS_PER_LAYOUT = 200
LAYOUTS = 50
SEEDS = [*range(LAYOUTS), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(LAYOUTS, 1_000))]

SWAP = {
    Exact.IN: Function("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", "(uint256[])"),
    Exact.OUT: Function("swapTokensForExactTokens(uint256,uint256,address[],address,uint256)", "(uint256[])"),
}
PAIR_SWAP = Function("swap(uint256,uint256,address,bytes)")


def swap_on_chain(market: Market, down: bool, amount: int, exact: Exact) -> tuple[int, int]:
    """Swap through Router02; return what it took and gave."""
    path = [token.address for token in market.pair(down)]
    bound = 0 if exact is Exact.IN else PLENTY
    answer = market.evm.call(
        DEPLOYER, market.v2["router"], SWAP[exact].encode(amount, bound, path, DEPLOYER, NEVER)
    )
    amounts = SWAP[exact].decode(answer)[0]
    return amounts[0], amounts[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_swap_random_reserves_equals_contract(market: Market, seed: int) -> None:
    rng = random.Random(f"v2 {seed}")
    address = market.create_v2_pair(log_uniform(rng, 10**4, 2**111), log_uniform(rng, 10**4, 2**111))
    pool = market.perform(read_v2_pool(address))
    for _ in range(SWAPS_PER_LAYOUT):
        down, exact = rng.random() < 0.5, rng.choice(list(Exact))
        pair, reserve = market.pair(down), pool.reserve1 if down else pool.reserve0
        amount = log_uniform(rng, 1, rng.choice((2**20, 2**113)))
        if rng.random() < 0.2:
            amount = max(1, reserve - rng.randrange(-2, 3))
        mark = market.evm.snapshot()
        try:
            chain = swap_on_chain(market, down, amount, exact)
        except RevertError:
            market.evm.revert(mark)
            with pytest.raises(PoolRevertError):
                pool.swap(*pair, amount, exact)
            with pytest.raises(PoolRevertError):
                pool.quote(*pair, amount, exact)
            continue
        result = pool.swap(*pair, amount, exact)
        assert (result.amount_in, result.amount_out) == chain
        assert pool.quote(*pair, amount, exact) == chain[exact is Exact.IN]
        assert isinstance(result.pool_after, UniswapV2Pool)
        pool = result.pool_after
    assert market.perform(read_v2_pool(address)) == pool


@pytest.mark.parametrize(
    ("amount_in", "amount_out"), [(0, 5), (10**6, 0), (10**6, 10**9), (MAX_RESERVE, 10**8)]
)
def test_refusals_pair_called_directly_same_reason(market: Market, amount_in: int, amount_out: int) -> None:
    address = market.create_v2_pair(10**9, 10**9)
    pool = market.perform(read_v2_pool(address))

    def swap_directly() -> None:
        fund(market.evm, market.token0, address, amount_in)
        market.evm.call(DEPLOYER, address, PAIR_SWAP.encode(0, amount_out, DEPLOYER, b""))

    with pytest.raises(RevertError) as chain:
        undone(market.evm, swap_directly)
    exact, amount = (Exact.OUT, amount_out) if amount_in == 10**6 else (Exact.IN, amount_in)
    with pytest.raises(PoolRevertError) as ours:
        pool.quote(*market.pair(True), amount, exact)
    assert ours.value.reason == get_reason(chain.value)


def test_read_v2_pools_pair_with_and_without_liquidity_only_pools_that_fill(market: Market) -> None:
    pair = market.token1, market.token0
    assert market.perform(read_v2_pools(market.v2_deployment, *pair)) == ()
    address = market.create_v2_pair(10**9, 10**12)
    (pool,) = market.perform(read_v2_pools(market.v2_deployment, *pair))
    assert (pool.reserve0, pool.reserve1) == (10**9, 10**12)
    assert market.v2_deployment.get_pair_address(*(token.address for token in pair)) == address
