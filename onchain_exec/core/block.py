"""The block that every read of one decision is pinned to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One block of one chain. Two reads belong to one decision only if their BlockRefs are equal.

    ``hash`` is 0x-prefixed lower-case hex. ``timestamp`` is unix seconds. ``base_fee_wei`` is the
    base fee of this block (0 before EIP-1559), ``gas_limit`` its gas limit.
    """

    chain_id: int
    number: int
    hash: str
    timestamp: int
    base_fee_wei: int
    gas_limit: int

    def __str__(self) -> str:
        return f"block {self.number} ({self.hash[:10]}…) of chain {self.chain_id}"
