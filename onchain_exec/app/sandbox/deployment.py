"""What stands where on a sandbox, as one value that is written beside its dumped state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.core import Address, Token, to_address


@dataclass(frozen=True, slots=True)
class Deployment:
    """The sandbox's tokens by symbol, its protocols' contracts by role, its pools, its trader.

    ``pools`` are keys as `venues.Pool.key` has them. ``block_number`` is the block in which the
    last of it was made.
    """

    chain_id: int
    tokens: Mapping[str, Token]
    protocols: Mapping[str, Mapping[str, Address]]
    pools: tuple[str, ...]
    trader: Address
    block_number: int

    @property
    def profile(self) -> ChainProfile:
        """The chain as a desk wants it described."""
        return ChainProfile(self.chain_id, "sandbox", "ETH", self.tokens["WETH"], self.tokens, self.protocols)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; `from_json` reads them."""
        tokens = {t.symbol: {"address": t.address, "decimals": t.decimals} for t in self.tokens.values()}
        return {
            "chain_id": self.chain_id,
            "tokens": tokens,
            "protocols": {name: dict(contracts) for name, contracts in self.protocols.items()},
            "pools": list(self.pools),
            "trader": self.trader,
            "block_number": self.block_number,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Deployment:
        """Return what `to_json` wrote."""
        return cls(
            data["chain_id"],
            {
                symbol: Token(data["chain_id"], to_address(facts["address"]), symbol, facts["decimals"])
                for symbol, facts in data["tokens"].items()
            },
            {
                name: {role: to_address(address) for role, address in contracts.items()}
                for name, contracts in data["protocols"].items()
            },
            tuple(data["pools"]),
            to_address(data["trader"]),
            data["block_number"],
        )
