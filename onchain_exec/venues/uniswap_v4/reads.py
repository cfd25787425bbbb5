"""Reads of v4 pools: a whole pool by its key, in one call of the Lens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading, Token, address_bytes, all_of
from onchain_exec.core.abi import Function
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import NoPoolError, StaleStateError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.concentrated import Curve
from onchain_exec.venues.concentrated.lens import (
    LENS_ADDRESS,
    build_lens_call,
    list_word_ranges,
    unpack_ticks,
)
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.uniswap_v4.key import PoolKey
from onchain_exec.venues.uniswap_v4.pool import UniswapV4Pool

_GET_V4_POOL: Final = Function(
    "getV4Pool(address,bytes32,int24,int16,int16)",
    "((uint160,int24,uint24,uint24,uint128,uint256[],uint128[]))",
)
_EXTSLOAD: Final = Function("extsload(bytes32[])", "(bytes32[])")
_POOLS_SLOT: Final = (6).to_bytes(32, "big")  # StateLibrary.POOLS_SLOT


@dataclass(frozen=True, slots=True)
class UniswapV4Deployment:
    """A PoolManager, and where to look for pools: v4 keeps no list of a pair's pools, so these are
    the usual (fee_pips, tick spacing), without a hook."""

    pool_manager: Address
    fee_tiers: tuple[tuple[int, int], ...] = ((100, 1), (500, 10), (3_000, 60), (10_000, 200))


def read_v4_pool(
    pool_manager: Address, pool_key: PoolKey, known: Mapping[Address, Token] | None = None
) -> Reading[UniswapV4Pool]:
    """Read a whole pool, all its ticks, in one call of the Lens; ``known`` tokens are not read.

    The native currency, where not known, is taken to be ether.

    Raises:
        NoPoolError: the PoolManager has no pool of this key.
        PoolRefusedError: its hook may change what a swap gives (see `UniswapV4Pool`).
        StaleStateError: the ticks read do not add up to the pool's liquidity.
    """
    snapshot = yield _list_calls(pool_manager, pool_key)
    states: list[tuple[Any, ...]] = [
        decode_answer(_GET_V4_POOL, LENS_ADDRESS, answer)[0] for answer in snapshot.answers
    ]
    sqrt_price_x96, tick, protocol_fee, lp_fee, liquidity, *_ = states[0]
    if not sqrt_price_x96:
        raise NoPoolError(
            f"no v4 pool 0x{pool_key.pool_id.hex()} in {pool_manager}", todo="Check each part of its key"
        )
    ticks = unpack_ticks(pool_key.tick_spacing, (state[5:] for state in states))
    if ticks.get_liquidity(tick) != liquidity:
        raise StaleStateError(
            f"the ticks of 0x{pool_key.pool_id.hex()} add up to {ticks.get_liquidity(tick)} at tick {tick}",
            needed=f"liquidity {liquidity}, as the pool says",
            todo="Read it again at one block",
        )
    ether = Token(snapshot.block.chain_id, ZERO_ADDRESS, "ETH", 18)
    token0, token1 = yield from read_tokens(
        (pool_key.currency0, pool_key.currency1), {ZERO_ADDRESS: ether, **(known or {})}
    )
    curve = Curve(sqrt_price_x96, tick, liquidity, lp_fee, ticks)
    return UniswapV4Pool(pool_manager, token0, token1, curve, pool_key, protocol_fee)


def read_v4_pools(
    deployment: UniswapV4Deployment, token_a: Token, token_b: Token
) -> Reading[tuple[UniswapV4Pool, ...]]:
    """Read the pools of two tokens at every fee tier, without hooks, those with some liquidity: first
    which there are, so that the Lens is sent for those alone."""
    manager = deployment.pool_manager
    one, other = sorted((token_a, token_b), key=lambda token: address_bytes(token.address))
    known = {one.address: one, other.address: other}
    keys = [PoolKey(one.address, other.address, *tier, ZERO_ADDRESS) for tier in deployment.fee_tiers]
    snapshot = yield (Call(manager, _EXTSLOAD.encode([_get_state_slot(key) for key in keys])),)
    (words,) = decode_answer(_EXTSLOAD, manager, snapshot.answers[0])
    found = yield from all_of(
        [read_v4_pool(manager, key, known) for key, word in zip(keys, words, strict=True) if any(word)]
    )
    return tuple(pool for pool in found if pool.curve.ticks.indexes)


def _get_state_slot(pool_key: PoolKey) -> bytes:
    """Return where the PoolManager keeps a pool's price: 0 before the pool is initialised. On chain:
    ``StateLibrary._getPoolStateSlot``."""
    return keccak(pool_key.pool_id + _POOLS_SLOT)


def _list_calls(pool_manager: Address, pool_key: PoolKey) -> tuple[Call, ...]:
    spacing = pool_key.tick_spacing
    return tuple(
        build_lens_call(_GET_V4_POOL.encode(pool_manager, pool_key.pool_id, spacing, first, last))
        for first, last in list_word_ranges(spacing)
    )
