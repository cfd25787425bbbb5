"""A log entry of a mined or simulated transaction."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.address import Address


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the chain wrote it. ``index`` is its position in its block (or simulation);
    ``block_hash`` and ``tx_hash`` are 0x hex, empty in a simulation."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    index: int
    block_number: int = 0
    block_hash: str = ""
    tx_hash: str = ""
    removed: bool = False
