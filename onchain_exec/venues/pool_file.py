"""A set of pools as a JSON file, and back. Integers are strings, so that no reader rounds them."""

from __future__ import annotations

from typing import Any, Final

from onchain_exec.core import BlockRef, Token, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.balancer import BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool
from onchain_exec.venues.pool import Pool, PoolSet
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import PancakeV3Pool, SlipstreamPool, UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

_POOL_TYPES: Final[tuple[Any, ...]] = (
    UniswapV2Pool,
    UniswapV3Pool,
    PancakeV3Pool,
    SlipstreamPool,
    UniswapV4Pool,
    BalancerWeightedPool,
    BalancerStablePool,
    CurveStablePool,
    CurveCryptoPool,
    SolidlyPool,
    Erc4626Pool,
    WrappedNativePool,
)
_BY_KIND: Final = {pool_type.kind: pool_type for pool_type in _POOL_TYPES}

_SIGNED: Final = frozenset({"tick", "ticks"})
"""The numbers of a state that may lie below zero."""

POOL_KINDS: Final = tuple(_BY_KIND)
"""Every kind of pool that is modelled."""


def pool_from_json(state: dict[str, Any], tokens: tuple[Token, ...]) -> Pool:
    """Return the pool that its ``to_json`` wrote; ``tokens`` are those it names, in its order.

    Raises:
        InputError: a kind that is not known, or state that is not of its kind.
    """
    kind = state.get("kind")
    if kind not in _BY_KIND:
        raise InputError(f"a pool of kind {kind!r}", needed=f"one of {', '.join(_BY_KIND)}")
    for name, value in state.items():
        if name not in _SIGNED and _has_negative(value):
            raise InputError(
                f"the {name} of {kind} {state.get('address')} is below zero: {value}",
                needed="what its contract keeps, an unsigned number",
            )
    try:
        pool: Pool = _BY_KIND[kind].from_json(state, tokens)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the state of {kind} {state.get('address')} cannot be read: {error!r}",
            needed="what to_json of its kind writes",
        ) from error
    return pool


def _has_negative(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_negative, value.values()))
    if isinstance(value, list):
        return any(map(_has_negative, value))
    return str(value).lstrip().startswith("-")


def pool_set_to_json(pool_set: PoolSet) -> dict[str, Any]:
    """Return pools, their tokens and their block as JSON values."""
    block = pool_set.block
    tokens = dict.fromkeys(token for pool in pool_set.pools for token in pool.tokens)
    return {
        "chain_id": str(block.chain_id),
        "block_number": str(block.number),
        "block_hash": block.hash,
        "block_timestamp": str(block.timestamp),
        "base_fee_wei": str(block.base_fee_wei),
        "gas_limit": str(block.gas_limit),
        "tokens": [
            {"address": token.address, "symbol": token.symbol, "decimals": str(token.decimals)}
            for token in tokens
        ],
        "pools": [pool.to_json() for pool in pool_set.pools],
    }


def pool_set_from_json(file: dict[str, Any]) -> PoolSet:
    """Return the pools of a file. The block's time, base fee and gas limit are 0 where it lacks them.

    Raises:
        InputError: a field is missing or malformed, or a pool names a token that is not listed.
    """
    try:
        block = BlockRef(
            int(file["chain_id"]),
            int(file["block_number"]),
            file["block_hash"],
            int(file.get("block_timestamp", 0)),
            int(file.get("base_fee_wei", 0)),
            int(file.get("gas_limit", 0)),
        )
        listed = [
            Token(block.chain_id, to_address(token["address"]), token["symbol"], int(token["decimals"]))
            for token in file["tokens"]
        ]
        tokens = {token.address: token for token in listed}
        pools = tuple(
            pool_from_json(state, tuple(tokens[to_address(address)] for address in state["tokens"]))
            for state in file["pools"]
        )
    except (KeyError, TypeError, ValueError) as error:
        lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"the pool file cannot be read: {lacks}",
            needed="chain_id, block_number, block_hash, tokens, pools",
        ) from error
    return PoolSet(block, pools)
