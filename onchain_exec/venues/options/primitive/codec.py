"""Calldata of RMM-01's engine.

The engine takes payment in a callback of its caller's, or out of its margin: the calls here pay out of the
margin, so that any account can make them. Who swaps or provides straight from tokens goes through a contract
that answers the callback, and fills the margin through one.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address, Call
from onchain_exec.core.abi import Function
from onchain_exec.venues.options.primitive.pool import RmmPool

_SWAP: Final = Function("swap(address,bytes32,bool,uint256,uint256,bool,bool,bytes)")
_ALLOCATE: Final = Function("allocate(bytes32,address,uint256,uint256,bool,bytes)")
_REMOVE: Final = Function("remove(bytes32,uint256)")
_WITHDRAW: Final = Function("withdraw(address,uint256,uint256)")


def encode_swap(
    pool: RmmPool, sells_risky: bool, amount_in: int, amount_out: int, recipient: Address
) -> Call:
    """Return the swap of exactly both amounts out of the margin, to a recipient; it reverts if the pool has
    moved so that it would give less."""
    arguments = (recipient, pool.pool_id, sells_risky, amount_in, amount_out, True, False, b"")
    return Call(pool.engine, _SWAP.encode(*arguments))


def encode_allocate(pool: RmmPool, risky: int, stable: int, recipient: Address) -> Call:
    """Return the call that adds exactly both amounts out of the margin; the liquidity is what they buy."""
    return Call(pool.engine, _ALLOCATE.encode(pool.pool_id, recipient, risky, stable, True, b""))


def encode_remove(pool: RmmPool, liquidity: int) -> Call:
    """Return the call that takes liquidity out, into the margin."""
    return Call(pool.engine, _REMOVE.encode(pool.pool_id, liquidity))


def encode_withdraw(pool: RmmPool, risky: int, stable: int, recipient: Address) -> Call:
    """Return the call that pays margin out."""
    return Call(pool.engine, _WITHDRAW.encode(recipient, risky, stable))
