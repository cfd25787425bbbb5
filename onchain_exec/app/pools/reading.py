"""Pools by their names, on any chain, all at one block."""

from __future__ import annotations

from collections.abc import Iterable

from onchain_exec.app.configuration.registry import ChainProfile, find_chain_profile
from onchain_exec.app.pools.log_search import search_logs
from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Log, Reading, Token, all_of
from onchain_exec.errors import InputError, NoPoolError
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.pool_name import PoolName
from onchain_exec.venues.pool_reads import Known, read_pool
from onchain_exec.venues.uniswap_v4 import PoolKey, read_v4_pool
from onchain_exec.venues.uniswap_v4.find import INITIALIZE, decode_pool_key, read_pool_key

V4Place = tuple[Address, PoolKey]
"""A PoolManager and the key of a pool in it."""


async def read_named_pools(node: Node, names: Iterable[PoolName], block: BlockRef) -> PoolSet:
    """Return the pools in the order of their names, everything read at ``block`` in shared batches.

    No chain needs to be listed: a profile only says what the native coin is called, and where the v4
    contracts stand.

    Raises:
        InputError, StateError: what a name tells is not there or cannot be quoted; see `read_pool`.
        NodeError: the node fails, or refuses any search of the logs that a v4 pool's id needs.
    """
    profile = find_chain_profile(node.chain_id)
    known = _list_known(profile)
    readings = [await _find_reading(node, name, block, profile, known) for name in names]
    return PoolSet(block, await node.perform(all_of(readings), block))


async def _find_reading(
    node: Node, name: PoolName, block: BlockRef, profile: ChainProfile | None, known: Known
) -> Reading[Pool]:
    if name.pool_id is None:
        return read_pool(name, known)
    manager, key = await _find_v4_place(node, name.pool_id, block, profile)
    return read_v4_pool(manager, key, known)


async def _find_v4_place(
    node: Node, pool_id: bytes, block: BlockRef, profile: ChainProfile | None
) -> V4Place:
    """Return where a pool is: as the PositionManager knows it, else as its creation was logged."""
    manager = profile.get_contract("uniswap_v4", "pool_manager") if profile else None
    positions = profile.get_contract("uniswap_v4", "position_manager") if profile else None
    if manager and positions:
        key = await node.perform(read_pool_key(positions, pool_id), block)
        if key:
            return manager, key
    logs = await _find_initialize(node, pool_id, manager, block)
    emitters = {log.address for log in logs}
    if not emitters:
        raise NoPoolError(f"no v4 pool 0x{pool_id.hex()} on chain {node.chain_id}", todo="Check its id")
    if len(emitters) > 1:
        raise InputError(
            f"0x{pool_id.hex()} was initialised in {', '.join(sorted(emitters))}",
            needed="one PoolManager",
            todo="Pass a ChainProfile that lists uniswap_v4.pool_manager",
        )
    return emitters.pop(), decode_pool_key(logs[0])


async def _find_initialize(node: Node, pool_id: bytes, manager: Address | None, block: BlockRef) -> list[Log]:
    """Return the logs that say a pool of this id was made: by ``manager``, which does so once, or, where
    it is not known, by any contract."""
    wanted = LogFilter((manager,) if manager else (), ((INITIALIZE.topic,), (pool_id,)))
    logs: list[Log] = []
    async for found in search_logs(node, wanted, 0, block.number):
        logs += found
        if logs and manager:
            break
    return logs


def _list_known(profile: ChainProfile | None) -> dict[Address, Token]:
    """Return the native coin. Tokens are asked, listed or not: a local chain may wear any chain id."""
    if profile is None:
        return {}
    return {ZERO_ADDRESS: Token(profile.chain_id, ZERO_ADDRESS, profile.native_symbol, 18)}
