"""Uniswap v4 pools, of ether itself and of wrapped ether, without hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from eth_utils import keccak

from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.app.sandbox.seed.liquidity import get_liquidity
from onchain_exec.app.sandbox.seed.positions import Position, SeedPool, get_positions
from onchain_exec.app.sandbox.seed.prices import get_amount, get_sqrt_price_x96, sort_tokens
from onchain_exec.core import ZERO_ADDRESS, Address, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.core.fixed_point import MAX_UINT128, MAX_UINT160

_KEY = "(address,address,uint24,int24,address)"
_INITIALIZE = Function(f"initializePool({_KEY},uint160)", "(int24)")
_MODIFY = Function("modifyLiquidities(bytes,uint256)")
_GET_SLOT0 = Function("getSlot0(bytes32)", "(uint160,int24,uint24,uint24)")
_PERMIT2_APPROVE = Function("approve(address,address,uint160,uint48)")
_MINT_TYPES = (_KEY, "int24", "int24", "uint256", "uint128", "uint128", "address", "bytes")
_MINT_POSITION, _CLOSE_CURRENCY, _SWEEP = 0x02, 0x12, 0x14  # libraries/Actions.sol
_MINTS_PER_CALL = 25
_DEADLINE = _EXPIRATION = 2**48 - 1
_TREASURY_WEI = 10**24

PoolKey = tuple[Address, Address, int, int, Address]
"""currency0, currency1, fee in pips, tick spacing, hooks."""

POOLS = (
    SeedPool("ETH", "USDC", 500, 1, 90, 20_000, 40),
    SeedPool("ETH", "USDC", 3_000, -6, 25, 60_000, 14),
    SeedPool("WETH", "USDC", 3_000, 9, 20, 30_000, 14),
    SeedPool("WBTC", "ETH", 3_000, 4, 20, 60_000, 14),
    SeedPool("DAI", "USDC", 100, 0, 20, 100_000, 8),
)


def seed_uniswap_v4(
    evm: Evm, protocols: Mapping[str, Mapping[str, Address]], tokens: Mapping[str, Token]
) -> tuple[str, ...]:
    """Create the pools of ``POOLS`` with their positions; return their keys in that order.

    The deployer holds tokens already, as `seed_uniswap_v3` leaves it.
    """
    contracts, permit2 = protocols["uniswap_v4"], protocols["permit2"]["permit2"]
    manager = contracts["position_manager"]
    evm.set_balance(DEPLOYER, _TREASURY_WEI)
    for token in tokens.values():
        approve(evm, token, DEPLOYER, permit2)
        allow = _PERMIT2_APPROVE.encode(token.address, manager, MAX_UINT160, _EXPIRATION)
        evm.call(DEPLOYER, permit2, allow)
    ether = Token(tokens["WETH"].chain_id, ZERO_ADDRESS, "ETH", 18)
    currencies = {**tokens, ether.symbol: ether}
    return tuple(_seed_pool(evm, contracts, currencies, pool) for pool in POOLS)


def _seed_pool(
    evm: Evm, contracts: Mapping[str, Address], currencies: Mapping[str, Token], pool: SeedPool
) -> str:
    base, quote = currencies[pool.base], currencies[pool.quote]
    pair = sort_tokens(base, quote)
    key: PoolKey = (pair[0].address, pair[1].address, pool.fee_pips, pool.tick_spacing, ZERO_ADDRESS)
    pool_id = keccak(encode([_KEY], [key]))
    manager = contracts["position_manager"]
    sqrt_price_x96 = get_sqrt_price_x96(base, quote, pool.skew_bps)
    evm.call(DEPLOYER, manager, _INITIALIZE.encode(key, sqrt_price_x96))
    slot0 = evm.static_call(contracts["state_view"], _GET_SLOT0.encode(pool_id))
    positions = get_positions(pool, _GET_SLOT0.decode(slot0)[1])
    while chunk := list(islice(positions, _MINTS_PER_CALL)):
        mints = [_encode_mint(key, pair, sqrt_price_x96, position) for position in chunk]
        worth = sum(position.usd for position in chunk)
        value_wei = get_amount(pair[0], worth) if pair[0].address == ZERO_ADDRESS else 0
        evm.call(DEPLOYER, manager, _encode_batch(mints, pair), value_wei)
    return f"uniswap_v4:0x{pool_id.hex()}"


def _encode_mint(key: PoolKey, pair: tuple[Token, Token], sqrt_price_x96: int, position: Position) -> bytes:
    amounts = (get_amount(token, position.usd) for token in pair)
    ticks = (position.tick_lower, position.tick_upper)
    liquidity = get_liquidity(sqrt_price_x96, ticks, *amounts)
    return encode(_MINT_TYPES, [key, *ticks, liquidity, MAX_UINT128, MAX_UINT128, position.owner, b""])


def _encode_batch(mints: Sequence[bytes], pair: tuple[Token, Token]) -> bytes:
    """Return the call that mints, pays what is owed, and returns the ether that is left."""
    actions = bytes([_MINT_POSITION] * len(mints) + [_CLOSE_CURRENCY, _CLOSE_CURRENCY, _SWEEP])
    closes = [encode(["address"], [token.address]) for token in pair]
    sweep = encode(["address", "address"], [ZERO_ADDRESS, DEPLOYER])
    unlock = encode(["bytes", "bytes[]"], [actions, [*mints, *closes, sweep]])
    return _MODIFY.encode(unlock, _DEADLINE)
