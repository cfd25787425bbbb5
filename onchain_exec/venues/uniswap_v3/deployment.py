"""Where Uniswap v3, or a fork of it, stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, address_bytes, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.venues.uniswap_v3.pool import UniswapV3Pool

POOL_INIT_CODE_HASH: Final = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
"""keccak of ``UniswapV3Pool``'s creation code, as the routers have it built in."""


@dataclass(frozen=True, slots=True)
class UniswapV3Deployment:
    """A factory and its terms: ``fee_tiers`` are (fee_pips, tick spacing), one pool each per pair."""

    factory: Address
    fee_tiers: tuple[tuple[int, int], ...] = ((100, 1), (500, 10), (3_000, 60), (10_000, 200))
    init_code_hash: bytes = POOL_INIT_CODE_HASH
    pool_type: type[UniswapV3Pool] = UniswapV3Pool

    def get_pool_address(self, token_a: Address, token_b: Address, fee_pips: int) -> Address:
        """Return where the factory puts a pool. Mirror of ``PoolAddress.computeAddress``."""
        pair = b"".join(
            token.rjust(32, b"\0") for token in sorted((address_bytes(token_a), address_bytes(token_b)))
        )
        salt = keccak(pair + fee_pips.to_bytes(32))
        return to_address(keccak(b"\xff" + address_bytes(self.factory) + salt + self.init_code_hash)[12:])
