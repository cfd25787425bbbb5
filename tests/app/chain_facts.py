"""What the chain says, asked without our own reading code."""

from __future__ import annotations

from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Address, Token


def balance_of(sandbox: Sandbox, token: Token, owner: Address) -> int:
    """Return ``balanceOf`` in base units at the head."""
    data = "0x70a08231" + owner[2:].rjust(64, "0")
    return int(sandbox.chain.request("eth_call", {"to": token.address, "data": data}, "latest"), 16)


def nonce_of(sandbox: Sandbox, account: Address) -> int:
    """Return how many transactions of the account are mined."""
    return int(sandbox.chain.request("eth_getTransactionCount", account, "latest"), 16)
