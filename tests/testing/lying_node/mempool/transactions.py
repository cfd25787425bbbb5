"""Transactions for the pool, without signatures: the pool never looks at them."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from onchain_exec.core import Address, to_address
from onchain_exec.testing.lying_node.mempool.rules import Account, Head
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx

CHAIN_ID, GWEI, ETHER = 1337, 10**9, 10**18
HEAD = Head(CHAIN_ID, 10 * GWEI, 36_000_000)
RICH = Account(0, 1_000 * ETHER)
_hashes = count(1)


def address(number: int) -> Address:
    return to_address(number.to_bytes(20))


def make_tx(nonce: int = 0, sender: int = 1, **fields: Any) -> PoolTx:
    """Return a transfer with a hash of its own."""
    tx = PoolTx(
        raw=bytes(110),
        tx_hash=f"0x{next(_hashes):064x}",
        kind=2,
        chain_id=CHAIN_ID,
        sender=address(sender),
        nonce=nonce,
        tip_cap_wei=GWEI,
        fee_cap_wei=20 * GWEI,
        gas_limit=21_000,
        to=address(99),
        value_wei=0,
        data=b"",
    )
    return replace(tx, **fields)
