"""Uniswap v3 pools in all fee tiers, one with hundreds of ticks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm, create_through
from onchain_exec.app.sandbox.seed.liquidity import get_liquidity
from onchain_exec.app.sandbox.seed.positions import Position, SeedPool, get_positions
from onchain_exec.app.sandbox.seed.prices import get_amount, get_sqrt_price_x96, sort_tokens
from onchain_exec.core import Address, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact

_CREATE_POOL = Function("createAndInitializePoolIfNecessary(address,address,uint24,uint160)", "(address)")
_SLOT0 = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
_PROVIDE = Function("provide(address,(int24,int24,uint128,address)[])")
_POSITIONS_PER_CALL = 40  # about 0.3 million gas each, of the 16.7 million that one transaction may use
_TREASURY_USD = 1_000_000_000

POOLS = (
    SeedPool("WETH", "USDC", 500, 0, 240, 10_000, 60),
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
) -> tuple[str, ...]:
    """Create the pools of ``POOLS`` with their positions, which their owners hold in the pools themselves;
    return their keys in that order."""
    provider = evm.deploy(get_artifact("V3Provider").bytecode)
    for token in tokens.values():
        fund(evm, token, DEPLOYER, get_amount(token, _TREASURY_USD))
        approve(evm, token, DEPLOYER, provider)
    manager = contracts["position_manager"]
    return tuple(f"uniswap_v3:{_seed_pool(evm, manager, provider, tokens, pool)}" for pool in POOLS)


def _seed_pool(
    evm: Evm, manager: Address, provider: Address, tokens: Mapping[str, Token], pool: SeedPool
) -> Address:
    base, quote = tokens[pool.base], tokens[pool.quote]
    token0, token1 = sort_tokens(base, quote)
    key = (token0.address, token1.address, pool.fee_pips)
    sqrt_price_x96 = get_sqrt_price_x96(base, quote, pool.skew_bps)
    address = create_through(evm, manager, _CREATE_POOL.encode(*key, sqrt_price_x96))
    tick = _SLOT0.decode(evm.static_call(address, _SLOT0.encode()))[1]
    positions = get_positions(pool, tick)
    while chunk := list(islice(positions, _POSITIONS_PER_CALL)):
        added = [_describe(position, sqrt_price_x96, (token0, token1)) for position in chunk]
        evm.call(DEPLOYER, provider, _PROVIDE.encode(address, added))
    return address


def _describe(
    position: Position, sqrt_price_x96: int, pair: tuple[Token, Token]
) -> tuple[int, int, int, Address]:
    """Return a position as the provider takes it."""
    ticks = (position.tick_lower, position.tick_upper)
    amount0, amount1 = (get_amount(token, position.usd) for token in pair)
    return *ticks, get_liquidity(sqrt_price_x96, ticks, amount0, amount1), position.owner
