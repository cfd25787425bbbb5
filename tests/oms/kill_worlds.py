"""Where killed traders trade: on an anvil over HTTP, or on a `KillChain` through a socket, a tenth as dear.

Both live in processes of their own, and a trader's process leaves them behind when it is killed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Client, Listener
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

from oms.builders import CHAIN_ID, TRANSFER, USDC
from oms.paper_market import open_market
from onchain_exec.chain import DevAccount, LocalChain, Node, Reply, Request
from onchain_exec.chain.one_by_one import request_each
from onchain_exec.core import Address, to_address
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError, RateLimitedError
from onchain_exec.execution import LocalSigner

SEND: Final = "eth_sendRawTransaction"
SEND_FAULTS: Final = (
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
    """A chain, seen by the harness (the parent) and by the process that trades."""

    accounts: Sequence[DevAccount]

    def begin(self, fault: str) -> None:
        """Let what is asked from now on be about what happens from now on; ``fault`` is what becomes of
        half of all sends, one of `SEND_FAULTS`, or empty."""

    def calm(self) -> None:
        """Have no more faults."""

    def connect(self) -> Node:
        """Return the trader's node. Called in the child."""

    def send_and_die(self, raw: bytes, *, whole: bool) -> None:
        """Put the whole request to send, or half of it, on the wire and end. Called in the child."""

    def settle(self) -> None:
        """Wait until what was sent has had its effect."""

    def count_paid(self) -> Counter[Address]:
        """Return how often each recipient was paid, as the chain says now."""

    def get_spent_wei(self, account: Address) -> int:
        """Return what the account paid for gas."""


class AnvilWorld:
    """Real JSON-RPC over HTTP, real blocks, no faults whatever is asked."""

    def __init__(self, chain: LocalChain) -> None:
        open_market(chain)
        self.accounts, self._chain = chain.accounts, chain

    def begin(self, fault: str) -> None:
        self._block = int(self._chain.request("eth_blockNumber"), 16)
        self._balances = {account.address: self._read_balance(account.address) for account in self.accounts}

    def calm(self) -> None:
        """It is."""

    def connect(self) -> Node:
        from onchain_exec.chain import HttpRpc  # noqa: PLC0415 - the other world has no use for it

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

    def settle(self) -> None:
        self._chain.settle()

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
    """A `KillChain`; a context manager."""

    accounts = tuple(
        DevAccount(LocalSigner(key).address, key)
        for key in ("0x" + f"{number:064x}" for number in range(1, 4))
    )

    def __init__(self, folder: Path, seed: int) -> None:
        self._address = str(folder / "chain")
        self._listener = Listener(self._address, "AF_UNIX")  # before the fork: whoever connects is heard
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=_serve, args=(self._listener, seed))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
        self._listener.close()

    def begin(self, fault: str) -> None:
        self._ask("begin", fault)

    def calm(self) -> None:
        self._ask("calm")

    def connect(self) -> Node:
        return Node(SocketRpc(self._address), CHAIN_ID)

    def send_and_die(self, raw: bytes, *, whole: bool) -> None:
        with Client(self._address) as connection:
            if whole:
                connection.send((SEND, ("0x" + raw.hex(),)))
            else:
                os.write(connection.fileno(), (100).to_bytes(4, "big") + raw[:20])
            os.kill(os.getpid(), signal.SIGKILL)

    def settle(self) -> None:
        """Nothing to do: the next one is heard when the one before has been heard to its end."""

    def count_paid(self) -> Counter[Address]:
        paid: Counter[Address] = self._ask("count")
        return paid

    def get_spent_wei(self, account: Address) -> int:
        return int(self._ask("spent", account))

    def _ask(self, word: str, *params: str) -> Any:
        with Client(self._address) as connection:
            connection.send((word, params))
            return connection.recv()[1]


def _serve(listener: Listener, seed: int) -> None:
    from oms.kill_chain import serve  # noqa: PLC0415 - what it loads would be copied for each life

    serve(listener, seed)


class SocketRpc:
    """A trader's end of a `KillChain`, as an `Rpc`."""

    where = "simulated"

    def __init__(self, address: str) -> None:
        self._connection = Client(address)

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self._connection.send((method, tuple(params)))
        kind, value = self._connection.recv()
        match kind:
            case "unreachable":
                raise NodeUnreachableError(value)
            case "limited":
                raise RateLimitedError(value)
            case "refused":
                raise NodeRefusedError(method, *value)
        return value

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        return await request_each(self, requests)

    async def close(self) -> None:
        self._connection.close()
