"""A node whose head lags, told consistently: tags, heights, hashes, receipts, logs and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call, Refusal, Result
from onchain_exec.testing.lying_node.faults import Fault

BLOCK_AT: Final = {
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_createAccessList": 1,
    "eth_feeHistory": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_simulateV1": 1,
    "debug_traceCall": 1,
    "eth_getStorageAt": 2,
    "eth_getProof": 2,
}
"""Where a method names its block, and may leave it out for the newest."""

_TAGS: Final = ("latest", "pending")
FINALITY_TAGS: Final = ("safe", "finalized")
_NULL_IF_MISSING: Final = ("eth_getBlockByNumber", "eth_getBlockReceipts")
_UNSEEN: Final = Refusal(-32000, "header not found")


@dataclass(frozen=True, slots=True)
class StaleHead(Fault):
    """The node is ``lag`` blocks behind. Set it on every method, so that its view is one.

    ``latest`` and ``pending`` are the block ``lag`` below the head, ``safe`` and ``finalized`` lag as
    much; higher blocks are unknown by number and by hash, receipts and logs in them do not exist, and
    their transactions wait in the pool. Sends are taken, as a lagging node takes them.
    """

    lag: int

    async def apply(self, call: Call, ask: Ask) -> Answer:
        head = await ask(Call("eth_blockNumber"))
        if not isinstance(head, Result):
            return head
        seen = max(int(head.value, 16) - self.lag, 0)
        if call.method == "eth_blockNumber":
            return Result(hex(seen))
        if call.method == "eth_getLogs":
            return await self._get_logs(call, seen, ask)
        if call.method in BLOCK_AT:
            return await self._ask_at(call, seen, ask)
        answer = await ask(call)
        return _hide(call.method, answer, seen) if isinstance(answer, Result) else answer

    async def push(self, event: Any, ask: Ask) -> Any:
        """A new head's event shows the block that far below it; later logs come not at all."""
        if not isinstance(event, Mapping):
            return event
        if "topics" in event:
            return None
        older = hex(max(int(event["number"], 16) - self.lag, 0))
        found = await ask(Call("eth_getBlockByNumber", [older, False]))
        return {name: found.value.get(name) for name in event} if isinstance(found, Result) else None

    async def _ask_at(self, call: Call, seen: int, ask: Ask) -> Answer:
        at = BLOCK_AT[call.method]
        named = call.get(at, "latest")
        height = await self._find_height(named, seen, ask)
        if height is None or height > seen:
            return Result(None) if call.method in _NULL_IF_MISSING else _UNSEEN
        if isinstance(named, Mapping):
            return await ask(call)
        answer = await ask(Call(call.method, [*call.params[:at], hex(height), *call.params[at + 1 :]]))
        if call.method == "eth_feeHistory" and isinstance(answer, Result):
            return await _correct_next_base_fee(answer, height, ask)
        return answer

    async def _get_logs(self, call: Call, seen: int, ask: Ask) -> Answer:
        wanted = dict(call.params[0])
        if "blockHash" in wanted:
            height = await _height_of(Call("eth_getBlockByHash", [wanted["blockHash"], False]), ask)
            return _UNSEEN if height is None or height > seen else await ask(call)
        for name in ("fromBlock", "toBlock"):
            height = await self._find_height(wanted.get(name, "latest"), seen, ask)
            wanted[name] = hex(min(height or 0, seen + 1))
        if int(wanted["fromBlock"], 16) > seen:
            return Result([])
        wanted["toBlock"] = min(wanted["toBlock"], hex(seen), key=lambda height: int(height, 16))
        return await ask(Call(call.method, [wanted]))

    async def _find_height(self, named: Any, seen: int, ask: Ask) -> int | None:
        if named in _TAGS:
            return seen
        if isinstance(named, Mapping) and "blockHash" in named:
            return await _height_of(Call("eth_getBlockByHash", [named["blockHash"], False]), ask)
        if named in FINALITY_TAGS:
            height = await _height_of(Call("eth_getBlockByNumber", [named, False]), ask)
            return None if height is None else max(height - self.lag, 0)
        if isinstance(named, Mapping):
            named = named.get("blockNumber", "0x0")
        return 0 if named == "earliest" else int(named, 16)


def _hide(method: str, answer: Result, seen: int) -> Answer:
    """Return an answer without what lies above ``seen``."""
    found = answer.value
    if not isinstance(found, Mapping):
        return answer
    number = found.get("blockNumber" if method.startswith("eth_getTransaction") else "number")
    if number is None or int(number, 16) <= seen:
        return answer
    if method == "eth_getTransactionByHash":
        return Result({**found, "blockHash": None, "blockNumber": None, "transactionIndex": None})
    return Result(None)


async def _correct_next_base_fee(answer: Result, height: int, ask: Ask) -> Answer:
    """Put the base fee after ``height`` last: anvil gives the one after its head, whatever was asked."""
    following = await ask(Call("eth_getBlockByNumber", [hex(height + 1), False]))
    if not isinstance(following, Result) or not following.value:
        return answer
    fees = [*answer.value["baseFeePerGas"][:-1], following.value["baseFeePerGas"]]
    return Result(answer.value | {"baseFeePerGas": fees})


async def _height_of(call: Call, ask: Ask) -> int | None:
    answer = await ask(call)
    return int(answer.value["number"], 16) if isinstance(answer, Result) and answer.value else None
