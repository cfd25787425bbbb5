"""Where Uniswap v2, or a fork of it, stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from onchain_exec.core import Address, address_bytes, to_address
from onchain_exec.core.hashing import keccak

PAIR_INIT_CODE_HASH: Final = bytes.fromhex("96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
"""keccak of ``UniswapV2Pair``'s creation code, as the routers have it built in."""


@dataclass(frozen=True, slots=True)
class UniswapV2Deployment:
    """A factory and its terms: one fee for all its pairs, in 1e-6 of the input."""

    factory: Address
    fee_pips: int = 3_000
    init_code_hash: bytes = PAIR_INIT_CODE_HASH

    def get_pair_address(self, token_a: Address, token_b: Address) -> Address:
        """Return where the factory puts a pair. Mirror of ``UniswapV2Library.pairFor``."""
        return _get_pair_address(self.factory, self.init_code_hash, token_a, token_b)


@lru_cache(maxsize=4_096)  # it is asked for at every quote and every plan, and never changes
def _get_pair_address(factory: Address, init_code_hash: bytes, token_a: Address, token_b: Address) -> Address:
    pair = b"".join(sorted((address_bytes(token_a), address_bytes(token_b))))
    packed = b"\xff" + address_bytes(factory) + keccak(pair) + init_code_hash
    return to_address(keccak(packed)[12:])
