"""Stand-ins shared by the tests of the transaction path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth_account import Account

from onchain_exec.chain import Node, Reply, Request
from onchain_exec.core import to_address
from onchain_exec.errors import NodeRefusedError
from onchain_exec.execution import DurableTx, Purpose

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's first


class ScriptedRpc:
    """A node that answers each method by a function of its parameters, and keeps what it was asked."""

    where = "http://scripted"

    def __init__(self, **answers: Callable[..., Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self.asked.append(method)
        if method not in self.answers:
            raise NodeRefusedError(method, -32601, "the method does not exist")
        return self.answers[method](*params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        replies: list[Reply] = []
        for method, params in requests:
            try:
                replies.append(await self.request(method, params))
            except NodeRefusedError as error:
                replies.append(error)
        return tuple(replies)

    async def close(self) -> None:
        """Nothing to release."""

    def node(self) -> Node:
        return Node(self, 1337)


def sign_transfer(nonce: int = 0, chain_id: int = 1337, **fields: Any) -> DurableTx:
    """Durable bytes of a transfer of 1 wei by anvil's first account to itself."""
    account = Account.from_key(KEY)
    tx = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "to": account.address,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 10**9,
    }
    signed = account.sign_transaction(tx | fields)
    return DurableTx(
        order_id="order",
        purpose=Purpose.SWAP,
        chain_id=chain_id,
        sender=to_address(account.address),
        nonce=nonce,
        raw=bytes(signed.raw_transaction),
        tx_hash="0x" + signed.hash.hex(),
    )
