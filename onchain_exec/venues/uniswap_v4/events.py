"""What the PoolManager's events do to a pool."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import Event

SWAP: Final = Event(
    "Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)",
    ("bytes32", "address"),
    ("int128", "int128", "uint160", "uint128", "int24", "uint24"),
)
MODIFY_LIQUIDITY: Final = Event(
    "ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)",
    ("bytes32", "address"),
    ("int24", "int24", "int256", "bytes32"),
)
PROTOCOL_FEE_UPDATED: Final = Event("ProtocolFeeUpdated(bytes32,uint24)", ("bytes32",), ("uint24",))
