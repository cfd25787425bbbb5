"""Faults of what a node shows: receipts that are late or not of this chain, logs left out, finality
that stands still, another chain's id. An old head is in `stale`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call, Result
from onchain_exec.testing.lying_node.faults import Fault
from onchain_exec.testing.lying_node.stale import BLOCK_AT, FINALITY_TAGS

_NOWHERE: Final = "0x" + "0badb10c" * 8
"""A block hash of no block."""


@dataclass(frozen=True, slots=True)
class WrongChainId(Fault):
    """``eth_chainId`` and ``net_version`` name another chain."""

    chain_id: int

    async def apply(self, call: Call, ask: Ask) -> Answer:
        told = {"eth_chainId": hex(self.chain_id), "net_version": str(self.chain_id)}
        return Result(told[call.method]) if call.method in told else await ask(call)


@dataclass(frozen=True, slots=True)
class LateReceipts(Fault):
    """Receipts are null until their block has ``blocks`` others on top, as if they were being indexed."""

    blocks: int = 1

    async def apply(self, call: Call, ask: Ask) -> Answer:
        answer = await ask(call)
        if call.method != "eth_getTransactionReceipt" or not isinstance(answer, Result) or not answer.value:
            return answer
        head = await ask(Call("eth_blockNumber"))
        if not isinstance(head, Result):
            return head
        late = int(head.value, 16) - int(answer.value["blockNumber"], 16) < self.blocks
        return Result(None) if late else answer


@dataclass(frozen=True, slots=True)
class OrphanedReceipts(Fault):
    """Receipts are of a block that is not in the chain: as they are, under another block hash.

    For a receipt that outlives its transaction (a reorg dropped it) keep the receipt and serve it by
    `AnswerWith`.
    """

    async def apply(self, call: Call, ask: Ask) -> Answer:
        answer = await ask(call)
        if call.method != "eth_getTransactionReceipt" or not isinstance(answer, Result) or not answer.value:
            return answer
        logs = [log | {"blockHash": _NOWHERE} for log in answer.value["logs"]]
        return Result(answer.value | {"blockHash": _NOWHERE, "logs": logs})


@dataclass(frozen=True, slots=True)
class DroppedLogs(Fault):
    """``eth_getLogs`` and receipts leave out all logs but the first ``kept``; events of logs do not come."""

    kept: int = 0

    async def apply(self, call: Call, ask: Ask) -> Answer:
        answer = await ask(call)
        if not isinstance(answer, Result):
            return answer
        if call.method in ("eth_getLogs", "eth_getFilterLogs", "eth_getFilterChanges"):
            return Result(answer.value[: self.kept])
        if call.method == "eth_getTransactionReceipt" and answer.value:
            return Result(answer.value | {"logs": answer.value["logs"][: self.kept]})
        return answer

    async def push(self, event: Any, ask: Ask) -> Any:
        return None if isinstance(event, Mapping) and "topics" in event else event


@dataclass(frozen=True, slots=True)
class FrozenFinality(Fault):
    """``safe`` and ``finalized`` are and stay the block ``number``, while the head goes on."""

    number: int

    async def apply(self, call: Call, ask: Ask) -> Answer:
        at = BLOCK_AT.get(call.method)
        if at is None or call.get(at) not in FINALITY_TAGS:
            return await ask(call)
        return await ask(Call(call.method, [*call.params[:at], hex(self.number), *call.params[at + 1 :]]))
