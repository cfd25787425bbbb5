"""From a v4 pool's id to its key, which the PoolManager itself does not keep."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address, Call, Log, Reading, to_address
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import NoPoolError
from onchain_exec.venues.uniswap_v4.key import PoolKey

INITIALIZE: Final = Event(
    "Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)",
    ("bytes32", "address", "address"),
    ("uint24", "int24", "address", "uint160", "int24"),
)
_POOL_KEYS: Final = Function("poolKeys(bytes25)", "(address,address,uint24,int24,address)")


def read_pool_key(position_manager: Address, pool_id: bytes) -> Reading[PoolKey | None]:
    """Read a pool's key where the PositionManager keeps it; None if no position was ever made there."""
    snapshot = yield (Call(position_manager, _POOL_KEYS.encode(pool_id[:25])),)
    (answer,) = snapshot.answers
    if not answer.success:
        return None
    currency0, currency1, fee, spacing, hooks = _POOL_KEYS.decode(answer.data)
    key = PoolKey(to_address(currency0), to_address(currency1), fee, spacing, to_address(hooks))
    return key if key.pool_id == pool_id else None


def decode_pool_key(log: Log) -> PoolKey:
    """Return the key that an ``Initialize`` log tells.

    Raises:
        NoPoolError: its id is not the hash of its key: no PoolManager wrote it.
    """
    (pool_id, currency0, currency1), (fee, spacing, hooks, _, _) = INITIALIZE.decode(log.topics, log.data)
    key = PoolKey(to_address(currency0), to_address(currency1), fee, spacing, to_address(hooks))
    if key.pool_id != pool_id:
        raise NoPoolError(
            f"{log.address} initialised 0x{pool_id.hex()}", needed="an id that its key hashes to"
        )
    return key
