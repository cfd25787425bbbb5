"""Stand-ins shared by the tests of the transaction path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from eth_account import Account

from onchain_exec.chain import Node, Reply, Request
from onchain_exec.chain.one_by_one import request_each
from onchain_exec.core import BlockRef, Exact, Order, Token, to_address
from onchain_exec.errors import NodeRefusedError
from onchain_exec.execution import DurableTx, Purpose
from onchain_exec.risk import AccountState, Approved, Limits, check
from onchain_exec.routing import GasModel, find_route, make_quote
from onchain_exec.venues import PoolSet
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's first


NOW = 1_800_000_000
BLOCK = BlockRef(1337, 7, "0x" + "07" * 32, NOW, 10**9, 30_000_000)
TRADER, ROUTER = to_address(b"\x01" * 20), to_address(b"\x02" * 20)
SOLD = Token(1337, to_address(b"\x05" * 20), "SOLD", 6)
BOUGHT = Token(1337, to_address(b"\x06" * 20), "BOUGHT", 6)


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
        return await request_each(self, requests)

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


def make_approved(allowance: int = 0, **bounds: int) -> Approved:
    """An approved sale of 1,000,000 base units in a pool of our own; ``bounds`` replace the quote's."""
    pool = UniswapV2Pool(to_address(b"\x08" * 20), SOLD, BOUGHT, 10**12, 10**12)
    order = Order("order", "client", TRADER, TRADER, SOLD, BOUGHT, 10**6, Exact.IN, 30, NOW + 120)
    quote = make_quote(order, find_route(order, PoolSet(BLOCK, (pool,))), GasModel(), NOW)
    account = AccountState(BLOCK, TRADER, 10**7, 10**18, ROUTER, allowance)
    verdict = check(quote, account, Limits(), NOW)
    assert isinstance(verdict, Approved), verdict
    return replace(verdict, quote=replace(quote, **bounds))
