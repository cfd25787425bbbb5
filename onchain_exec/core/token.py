"""A token: its address and the two facts that scale and show its amounts."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.address import Address


@dataclass(frozen=True, slots=True)
class Token:
    """An ERC-20 token of one chain. ``decimals`` scales base units to whole tokens (0 to 255)."""

    chain_id: int
    address: Address
    symbol: str
    decimals: int

    def __str__(self) -> str:
        return self.symbol
