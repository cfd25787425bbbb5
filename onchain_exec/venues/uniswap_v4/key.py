"""What names a v4 pool, and what its hook is allowed to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak

DYNAMIC_FEE: Final = 0x800000
"""As a key's fee: the hook sets the fee (``LPFeeLibrary.DYNAMIC_FEE_FLAG``)."""

KEY_TYPE: Final = "(address,address,uint24,int24,address)"


class HookFlag(enum.IntFlag):
    """Permissions that a hook's address carries in its low bits. Mirror of ``Hooks``."""

    AFTER_REMOVE_LIQUIDITY_RETURNS_DELTA = 1 << 0
    AFTER_ADD_LIQUIDITY_RETURNS_DELTA = 1 << 1
    AFTER_SWAP_RETURNS_DELTA = 1 << 2
    BEFORE_SWAP_RETURNS_DELTA = 1 << 3
    AFTER_DONATE = 1 << 4
    BEFORE_DONATE = 1 << 5
    AFTER_SWAP = 1 << 6
    BEFORE_SWAP = 1 << 7
    AFTER_REMOVE_LIQUIDITY = 1 << 8
    BEFORE_REMOVE_LIQUIDITY = 1 << 9
    AFTER_ADD_LIQUIDITY = 1 << 10
    BEFORE_ADD_LIQUIDITY = 1 << 11
    AFTER_INITIALIZE = 1 << 12
    BEFORE_INITIALIZE = 1 << 13


CHANGES_SWAPS: Final = (
    HookFlag.BEFORE_SWAP | HookFlag.BEFORE_SWAP_RETURNS_DELTA | HookFlag.AFTER_SWAP_RETURNS_DELTA
)
"""Before a swap a hook may set the fee and move the price or the liquidity; with a delta it takes a
part itself. After a swap, without a delta, it can but revert."""


@dataclass(frozen=True, slots=True)
class PoolKey:
    """The pool's terms, from which its id follows. ``fee`` is in 1e-6, or `DYNAMIC_FEE`; the native
    currency is the zero address."""

    currency0: Address
    currency1: Address
    fee: int
    tick_spacing: int
    hooks: Address

    def to_tuple(self) -> tuple[Address, Address, int, int, Address]:
        """Return the key as ABI arguments."""
        return self.currency0, self.currency1, self.fee, self.tick_spacing, self.hooks

    @property
    def pool_id(self) -> bytes:
        """The 32 bytes that name the pool in the PoolManager (``PoolIdLibrary.toId``)."""
        return keccak(encode([KEY_TYPE], [self.to_tuple()]))

    @property
    def hook_flags(self) -> HookFlag:
        """What the hook may do."""
        return HookFlag(int(self.hooks, 16) & 0x3FFF)
