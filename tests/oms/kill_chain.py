"""The chain that killed traders share, in a process of its own: it lives on when they are killed.

It keeps geth's rules for its pool, mines each transaction as it comes, and draws what becomes of each send
from `kill_worlds.SEND_FAULTS`. One connection at a time is served, to its end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Listener
from typing import Any

from oms.builders import CHAIN_ID, KEEPER, USDC, WETH, make_transfer
from oms.kill_worlds import SEND
from oms.paper_market import ROUTER
from onchain_exec.core import Address, to_address
from onchain_exec.errors import NodeRefusedError
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx
from onchain_exec.testing.simulated import Execution, Fate, SimulatedChain, SimulatedNode
from onchain_exec.testing.simulated.chain import Block


def serve(listener: Listener, seed: int) -> None:
    """Answer ``(method, parameters)`` with ``(kind, value)``, until this process is ended."""
    chain = KillChain(seed)
    while True:
        with suppress(EOFError, OSError), listener.accept() as connection:  # it ends in mid-word too
            while True:
                connection.send(chain.answer(*connection.recv()))


class KillChain:
    """A chain behind a node that lies about half of all sends while there is a fault."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._asides = {"begin": self._begin, "calm": self._calm, "count": self._count, "spent": self._spent}
        self._begin("")

    def answer(self, method: str, params: Sequence[Any]) -> tuple[str, Any]:
        """Return the answer to a trader's request, or to a word of the harness."""
        if method in self._asides:
            return "result", self._asides[method](*params)
        if method == SEND:
            return self._take(bytes.fromhex(params[0][2:]))
        found = self._ask(method, params)
        if method == "eth_getTransactionReceipt" and found == ("result", None):
            return "result", self._lost_receipts.get(params[0])
        return found

    def _begin(self, fault: str) -> None:
        self._chain = SimulatedChain(CHAIN_ID, contract=pay, finality=8)
        self._node = SimulatedNode(self._chain, _NoFate(0))
        self._lost_receipts: dict[str, Any] = {}
        self._fault = fault

    def _calm(self) -> None:
        self._fault = ""

    def _count(self) -> Counter[Address]:
        return Counter(
            to_address(log.topics[2][12:])
            for _, mined in self._chain.list_mined()
            for log in mined.execution.logs
            if log.address == USDC.address
        )

    def _spent(self, account: Address) -> int:
        return self._chain.head.spent_wei.get(account, 0)

    def _take(self, raw: bytes) -> tuple[str, Any]:
        """Return what the sender hears."""
        fault = self._fault if self._chance.random() < 0.5 else ""
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
