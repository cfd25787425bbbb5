"""What the chain says, asked without our own reading code."""

from __future__ import annotations

from eth_abi import encode

from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Address, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact

_SET_PAUSED = Function("setPaused(bool)")


def balance_of(sandbox: Sandbox, token: Token, owner: Address) -> int:
    """Return ``balanceOf`` in base units at the head."""
    data = "0x70a08231" + owner[2:].rjust(64, "0")
    return int(sandbox.chain.request("eth_call", {"to": token.address, "data": data}, "latest"), 16)


def nonce_of(sandbox: Sandbox, account: Address) -> int:
    """Return how many transactions of the account are mined."""
    return int(sandbox.chain.request("eth_getTransactionCount", account, "latest"), 16)


def pause(sandbox: Sandbox, token: Token) -> None:
    """Stop every transfer of one of the sandbox's own tokens."""
    send(sandbox, token.address, _SET_PAUSED.encode(True))


def deploy_token(sandbox: Sandbox, symbol: str) -> Address:
    """Deploy a token that no pool trades."""
    arguments = encode(["string", "string", "uint8"], [symbol, symbol, 18])
    receipt = send(sandbox, None, get_artifact("TestToken").bytecode + arguments)
    return to_address(receipt["contractAddress"])


def send(sandbox: Sandbox, to: Address | None, data: bytes) -> dict[str, str]:
    """Send from an account that is nobody's, and return the receipt."""
    sender = sandbox.chain.accounts[9].address
    transaction = {"from": sender, "data": "0x" + data.hex(), "gas": hex(5_000_000)} | (
        {"to": to} if to else {}
    )
    tx_hash = sandbox.chain.request("eth_sendTransaction", transaction)
    sandbox.chain.mine()
    receipt: dict[str, str] = sandbox.chain.request("eth_getTransactionReceipt", tx_hash)
    assert receipt["status"] == "0x1"
    return receipt
