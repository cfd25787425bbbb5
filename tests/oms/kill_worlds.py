"""Where killed traders trade: on an anvil over HTTP, or on a chain in the harness's own memory.

The second keeps geth's rules for its pool, costs a tenth, and draws what becomes of each send from
`SEND_FAULTS`. A trader's process reaches it through a pipe, and leaves it behind when it is killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Protocol
from urllib.parse import urlsplit

from eth_account import Account

from oms.builders import CHAIN_ID, KEEPER, TRANSFER, USDC, WETH, make_transfer
from oms.paper_market import ROUTER, open_market
from onchain_exec.chain import DevAccount, LocalChain, Node, Reply, Request
from onchain_exec.chain.rpc import HttpRpc
from onchain_exec.core import Address, to_address
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError, RateLimitedError
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx
from onchain_exec.testing.simulated import Execution, Fate, SimulatedChain, SimulatedNode
from onchain_exec.testing.simulated.chain import Block

SEND = "eth_sendRawTransaction"
SEND_FAULTS = (
    "lost_before",  # the node never gets it, and the connection breaks
    "lost_after",  # the node has it, and the connection breaks
    "limited",  # 429 in its place
    "failed",  # 502 after the node has it
    "doubled",  # delivered twice; the reply is to the second
    "forgotten",  # acknowledged, and dropped
    "misworded",  # the node has it, and calls its nonce too low
    "orphaned",  # mined, its block lost in a reorg with it, and its receipt still served
)


class World(Protocol):
    """A chain, seen by the harness (the parent) and by the process that trades. ``fault`` is what becomes of
    half of all sends, one of `SEND_FAULTS`, or empty."""

    accounts: Sequence[DevAccount]
    fault: str

    def begin(self) -> None:
        """Let what is asked from now on be about what happens from now on."""

    def connect(self) -> Node:
        """Return the trader's node. Called in the child."""

    def send_and_die(self, raw: bytes, *, whole: bool) -> None:
        """Put the whole request to send, or half of it, on the wire and end. Called in the child."""

    def attend(self, child: int, kill_after_s: float | None) -> bool:
        """Serve the child until it ends; return whether it was killed."""

    def count_paid(self) -> Counter[Address]:
        """Return how often each recipient was paid, as the chain says now."""

    def get_spent_wei(self, account: Address) -> int:
        """Return what the account paid for gas."""


class AnvilWorld:
    """Real JSON-RPC over HTTP, real blocks, no faults whatever ``fault`` says."""

    fault = ""

    def __init__(self, chain: LocalChain) -> None:
        open_market(chain)
        self.accounts, self._chain = chain.accounts, chain

    def begin(self) -> None:
        self._block = int(self._chain.request("eth_blockNumber"), 16)
        self._balances = {account.address: self._read_balance(account.address) for account in self.accounts}

    def connect(self) -> Node:
        return Node(HttpRpc(self._chain.url), CHAIN_ID)

    def send_and_die(self, raw: bytes, *, whole: bool) -> None:
        address = urlsplit(self._chain.url)
        call = {"jsonrpc": "2.0", "id": 1, "method": SEND, "params": ["0x" + raw.hex()]}
        body = json.dumps(call).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        wire = head.encode() + body
        with socket.create_connection((address.hostname or "", address.port or 80)) as connection:
            connection.sendall(wire if whole else wire[: len(wire) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    def attend(self, child: int, kill_after_s: float | None) -> bool:
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        self._chain.settle()
        return killed

    def count_paid(self) -> Counter[Address]:
        topics = ["0x" + TRANSFER.hex()]
        wanted = {"fromBlock": hex(self._block), "address": USDC.address, "topics": topics}
        logs = self._chain.request("eth_getLogs", wanted)
        return Counter(to_address("0x" + log["topics"][2][26:]) for log in logs)

    def get_spent_wei(self, account: Address) -> int:
        return self._balances[account] - self._read_balance(account)

    def _read_balance(self, account: Address) -> int:
        return int(self._chain.request("eth_getBalance", account, "latest"), 16)


class SimulatedWorld:
    """A chain that mines each transaction as it comes."""

    accounts = tuple(
        DevAccount(to_address(Account.from_key(key).address), key)
        for key in ("0x" + f"{number:064x}" for number in range(1, 4))
    )

    def __init__(self, seed: int) -> None:
        self.fault, self._chance = "", random.Random(seed)

    def begin(self) -> None:
        self._chain = SimulatedChain(CHAIN_ID, contract=pay, finality=10**6)
        self._node = SimulatedNode(self._chain, _NoFate(0))
        self._lost_receipts: dict[str, Any] = {}
        self._near, self._far = Pipe()

    def connect(self) -> Node:
        self._near.close()
        return Node(PipeRpc(self._far), CHAIN_ID)

    def send_and_die(self, raw: bytes, *, whole: bool) -> None:
        if whole:
            self._far.send((SEND, ("0x" + raw.hex(),)))
        else:
            os.write(self._far.fileno(), (100).to_bytes(4, "big") + raw[:20])
        os.kill(os.getpid(), signal.SIGKILL)

    def attend(self, child: int, kill_after_s: float | None) -> bool:
        self._far.close()
        ends_at = None if kill_after_s is None else time.monotonic() + kill_after_s
        try:
            while ends_at is None or self._near.poll(max(0, ends_at - time.monotonic())):
                self._near.send(self._answer(*self._near.recv()))
        except (EOFError, OSError):  # it ended, perhaps in the middle of a word
            pass
        else:
            os.kill(child, signal.SIGKILL)
        self._near.close()
        self._near, self._far = Pipe()
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])

    def count_paid(self) -> Counter[Address]:
        return Counter(
            to_address(log.topics[2][12:])
            for _, mined in self._chain.list_mined()
            for log in mined.execution.logs
            if log.address == USDC.address
        )

    def get_spent_wei(self, account: Address) -> int:
        return self._chain.head.spent_wei.get(account, 0)

    def _answer(self, method: str, params: Sequence[Any]) -> tuple[str, Any]:
        if method == SEND:
            return self._take(bytes.fromhex(params[0][2:]))
        found = self._ask(method, params)
        if method == "eth_getTransactionReceipt" and found == ("result", None):
            return "result", self._lost_receipts.get(params[0])
        return found

    def _take(self, raw: bytes) -> tuple[str, Any]:
        """Return what the sender hears."""
        fault = self.fault if self._chance.random() < 0.5 else ""
        tx = self._chain.decode(raw)
        if fault == "lost_before":
            return "unreachable", "reset before the request"
        if fault == "limited":
            return "limited", "429"
        reply = self._ask(SEND, ("0x" + raw.hex(),))
        if fault == "forgotten":
            self._chain.pool.drop(tx.tx_hash)
            return reply
        self._chain.mine()
        match fault:
            case "lost_after":
                return "unreachable", "reset before the reply"
            case "failed":
                return "unreachable", "502"
            case "doubled":
                return self._ask(SEND, ("0x" + raw.hex(),))
            case "misworded":
                return "refused", (-32000, "nonce too low")
            case "orphaned" if self._chain.head.find(tx.tx_hash):
                self._lost_receipts[tx.tx_hash] = self._ask("eth_getTransactionReceipt", (tx.tx_hash,))[1]
                self._chain.reorg(1, kept=lambda orphan: False)
        return reply

    def _ask(self, method: str, params: Sequence[Any]) -> tuple[str, Any]:
        asked = self._node.request(method, params)
        try:
            asked.send(None)  # it waits for nothing
        except StopIteration as answer:
            return "result", answer.value
        except NodeRefusedError as error:
            return "refused", (error.rpc_code, error.rpc_message)
        raise AssertionError("the simulated node waits")


class _NoFate(Fate):
    def draw_latency_s(self) -> float:
        return 0.0


class PipeRpc:
    """The child's end of a simulated world, as an `Rpc`."""

    where = "simulated"

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self._pipe.send((method, tuple(params)))
        kind, value = self._pipe.recv()
        match kind:
            case "unreachable":
                raise NodeUnreachableError(value)
            case "limited":
                raise RateLimitedError(value)
            case "refused":
                raise NodeRefusedError(method, *value)
        return value

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        replies: list[Reply] = []
        for method, params in requests:
            try:
                replies.append(await self.request(method, params))
            except NodeRefusedError as error:
                replies.append(error)
        return tuple(replies)

    async def close(self) -> None:
        self._pipe.close()


def pay(tx: PoolTx, block: Block, state: dict[str, int]) -> Execution:
    """Do as `paper_market.open_market`'s contracts: move what the order says."""
    if tx.to != ROUTER:
        return Execution(True, state)
    words = [tx.data[start : start + 32] for start in range(0, len(tx.data), 32)]
    account, recipient = to_address(words[1][12:]), to_address(words[6][12:])
    logs = (
        make_transfer(WETH, account, KEEPER, int.from_bytes(words[3], "big")),
        make_transfer(USDC, KEEPER, recipient, int.from_bytes(words[7], "big")),
    )
    return Execution(True, state, logs, 50_000)
