"""Uniswap v3 pools: several owners, uneven positions, hundreds of ticks. The same on every run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from eth_utils import keccak

from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.app.sandbox.seed.prices import get_amount, get_sqrt_price_x96, sort_tokens
from onchain_exec.core import Address, Token, to_address
from onchain_exec.core.abi import Function

_CREATE_POOL = Function("createAndInitializePoolIfNecessary(address,address,uint24,uint160)", "(address)")
_GET_POOL = Function("getPool(address,address,uint24)", "(address)")
_SLOT0 = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
_MULTICALL = Function("multicall(bytes[])", "(bytes[])")
_MINT = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
    "(uint256,uint128,uint256,uint256)",
)
TICK_SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
_MAX_TICK = 887_272
_MINTS_PER_CALL = 25  # about 0.4 million gas each, of the 16.7 million that one transaction may use
_OWNERS = tuple(to_address(keccak(text=f"liquidity owner {number}")[-20:]) for number in range(5))


@dataclass(frozen=True, slots=True)
class SeedPool:
    """One pool to make. ``skew_bps`` is how far its price is off the fair one; ``usd`` the mean
    worth of a position's side, ``spread`` the standard deviation of the positions' centres and the
    mean of their half widths, in tick spacings."""

    base: str
    quote: str
    fee_pips: int
    skew_bps: int
    positions: int
    usd: int
    spread: int


POOLS = (
    SeedPool("WETH", "USDC", 500, 0, 160, 12_000, 40),
    SeedPool("WETH", "USDC", 3_000, 11, 30, 90_000, 14),
    SeedPool("WETH", "USDC", 10_000, -15, 12, 40_000, 6),
    SeedPool("WETH", "DAI", 500, -2, 40, 30_000, 40),
    SeedPool("WETH", "DAI", 3_000, 8, 20, 40_000, 14),
    SeedPool("WBTC", "WETH", 500, 2, 40, 60_000, 40),
    SeedPool("WBTC", "WETH", 3_000, -8, 25, 120_000, 14),
    SeedPool("WBTC", "USDC", 3_000, 5, 25, 50_000, 14),
    SeedPool("DAI", "USDC", 100, 1, 30, 200_000, 8),
    SeedPool("DAI", "USDC", 500, -2, 20, 60_000, 4),
)


def seed_uniswap_v3(
    evm: Evm, contracts: Mapping[str, Address], tokens: Mapping[str, Token]
) -> tuple[Address, ...]:
    """Create the pools of ``POOLS`` with their positions; return them in that order."""
    for token in tokens.values():
        fund(evm, token, DEPLOYER, get_amount(token, 1_000_000_000))
        approve(evm, token, DEPLOYER, contracts["position_manager"])
    return tuple(_seed_pool(evm, contracts, tokens, pool) for pool in POOLS)


def _seed_pool(
    evm: Evm, contracts: Mapping[str, Address], tokens: Mapping[str, Token], pool: SeedPool
) -> Address:
    base, quote = tokens[pool.base], tokens[pool.quote]
    token0, token1 = sort_tokens(base, quote)
    key = (token0.address, token1.address, pool.fee_pips)
    manager = contracts["position_manager"]
    evm.call(DEPLOYER, manager, _CREATE_POOL.encode(*key, get_sqrt_price_x96(base, quote, pool.skew_bps)))
    found = _GET_POOL.decode(evm.static_call(contracts["factory"], _GET_POOL.encode(*key)))[0]
    address = to_address(found)
    tick = _SLOT0.decode(evm.static_call(address, _SLOT0.encode()))[1]
    mints = (
        _MINT.encode(
            (*key, lower, upper, get_amount(token0, usd), get_amount(token1, usd), 0, 0, owner, 2**63)
        )
        for lower, upper, usd, owner in _positions(pool, tick)
    )
    while chunk := list(islice(mints, _MINTS_PER_CALL)):
        evm.call(DEPLOYER, manager, _MULTICALL.encode(chunk))
    return address


def _positions(pool: SeedPool, tick: int) -> Iterator[tuple[int, int, int, Address]]:
    """Yield (tick_lower, tick_upper, worth of each side in dollars, owner): first one over the
    full range, so that no swap ends for want of liquidity, then narrow ones around ``tick``."""
    rng = random.Random(f"{pool}")  # noqa: S311 - a layout that is the same on every run, not a secret
    spacing = TICK_SPACINGS[pool.fee_pips]
    end = _MAX_TICK // spacing * spacing
    yield -end, end, pool.usd * pool.positions // 4, _OWNERS[0]
    middle = tick // spacing
    for _ in range(pool.positions):
        centre = middle + round(rng.gauss(0, pool.spread))
        half_width = 1 + int(rng.expovariate(1 / pool.spread))
        usd = int(pool.usd * rng.lognormvariate(0, 0.8))
        yield (centre - half_width) * spacing, (centre + half_width) * spacing, usd, rng.choice(_OWNERS)
