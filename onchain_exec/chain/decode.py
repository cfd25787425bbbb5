"""JSON of the node to the core's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onchain_exec.core import BlockRef


def decode_block(chain_id: int, block: Mapping[str, Any]) -> BlockRef:
    """Return the reference of a block object."""
    return BlockRef(
        chain_id=chain_id,
        number=int(block["number"], 16),
        hash=block["hash"].lower(),
        timestamp=int(block["timestamp"], 16),
        base_fee_wei=int(block.get("baseFeePerGas") or "0x0", 16),
        gas_limit=int(block["gasLimit"], 16),
    )
