"""A chain in memory and endpoints that serve it well or badly, for tests in virtual time."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from onchain_exec.chain import Reply, Request
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError, RateLimitedError

CHAIN_ID = 1337
BLOCK_TIME_S = 12
GENESIS_AT = 1_800_000_000
TIMEOUT_S = 10.0
LATENCY_S = 0.01


def make_hash(text: str) -> str:
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


@dataclass
class ModelChain:
    """Blocks by height; ``fork(name)`` continues alone from one of them."""

    name: str = "main"
    hashes: list[str] = field(default_factory=lambda: [make_hash("genesis")])
    mined_txs: dict[str, int] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return len(self.hashes) - 1

    @property
    def now(self) -> float:
        """Wall-clock time when the newest block appears."""
        return GENESIS_AT + BLOCK_TIME_S * self.height

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.hashes.append(make_hash(f"{self.hashes[-1]}{self.name}"))

    def fork(self, name: str, depth: int) -> "ModelChain":
        return ModelChain(name, self.hashes[: self.height + 1 - depth])

    def show(self, number: int) -> dict[str, Any] | None:
        if not 0 <= number <= self.height:
            return None
        return {
            "number": hex(number),
            "hash": self.hashes[number],
            "parentHash": self.hashes[number - 1] if number else "0x" + "00" * 32,
            "timestamp": hex(GENESIS_AT + BLOCK_TIME_S * number),
            "baseFeePerGas": "0x7",
            "gasLimit": hex(30_000_000),
        }


def read_state(block_hash: str) -> str:
    """Return the word that every contract holds at a block: so a read tells where it was made."""
    return make_hash("state" + block_hash)


class ModelEndpoint:
    """A good node on ``chain``, until a fault of the same name is set."""

    def __init__(self, chain: ModelChain, name: str, latency_s: float = LATENCY_S) -> None:
        self.chain, self.where, self.latency_s = chain, f"http://{name}", latency_s
        self.fault, self.lag, self.chain_id = "ok", 0, CHAIN_ID
        self.retry_after_s: float | None = 1.0
        self.pool: set[str] = set()
        self.asked: list[Request] = []

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        (reply,) = await self.batch([(method, params)])
        if isinstance(reply, NodeRefusedError):
            raise reply
        return reply

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        self.asked += requests
        if self.fault == "hang":
            await asyncio.sleep(TIMEOUT_S)
            raise NodeUnreachableError("no answer in time")
        await asyncio.sleep(self.latency_s)
        if self.fault == "429":
            raise RateLimitedError("slow down", retry_after_s=self.retry_after_s)
        if self.fault in ("5xx", "truncated"):
            raise NodeUnreachableError(self.fault)
        return tuple([self._reply(method, tuple(params)) for method, params in requests])

    async def close(self) -> None:
        """Nothing to release."""

    @property
    def head(self) -> int:
        return max(self.chain.height - self.lag, 0)

    def _reply(self, method: str, params: tuple[Any, ...]) -> Reply:
        try:
            return getattr(self, f"_{method}")(*params)
        except NodeRefusedError as error:
            return error

    def _eth_chainId(self) -> str:  # noqa: N802
        return hex(self.chain_id)

    def _eth_getBlockByNumber(self, named: str, full: bool) -> Any:  # noqa: N802
        number = self.head if named == "latest" else int(named, 16)
        return self.chain.show(number) if number <= self.head else None

    def _eth_getBlockByHash(self, named: str, full: bool) -> Any:  # noqa: N802
        return self.chain.show(self._find(named)) if named in self.chain.hashes else None

    def _eth_call(self, call: Any, pin: Any) -> str:
        return read_state(self.chain.hashes[self._find(pin)])

    def _eth_getTransactionCount(self, account: str, pin: Any) -> str:  # noqa: N802
        return hex(self._find(pin))

    def _eth_getTransactionByHash(self, tx_hash: str) -> Any:  # noqa: N802
        return {"hash": tx_hash} if tx_hash in self.pool else None

    def _eth_getTransactionReceipt(self, tx_hash: str) -> Any:  # noqa: N802
        number = self.chain.mined_txs.get(tx_hash)
        if number is None or number > self.head:
            return None
        return {"transactionHash": tx_hash, "blockHash": self.chain.hashes[number], "status": "0x1"}

    def _eth_sendRawTransaction(self, raw: str) -> str:  # noqa: N802
        tx_hash = make_hash(raw)
        if tx_hash in self.pool:
            raise NodeRefusedError("eth_sendRawTransaction", -32000, "already known")
        if self.fault != "lying ok":
            self.pool.add(tx_hash)
        return tx_hash

    def _find(self, pin: Any) -> int:
        if isinstance(pin, dict):
            pin = pin["blockHash"]
        if pin in ("latest", "pending"):
            return self.head
        number = self.chain.hashes.index(pin) if pin in self.chain.hashes else self.head + 1
        if len(pin) != 66:
            number = int(pin, 16)
        if number > self.head:
            raise NodeRefusedError("", -32000, "header not found")
        return number
