"""The chain below the model: what it reads of anvil, and how it makes anvil build a block."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onchain_exec.core import Address
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError
from onchain_exec.testing.lying_node.exchange import Answer, Call, HttpFailure, Refusal, Result
from onchain_exec.testing.lying_node.mempool.rules import Account, Head
from onchain_exec.testing.lying_node.upstream import Upstream


class AnvilChain:
    """An anvil that mines what it is given and nothing else."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._coinbases = itertools.count(0xC0FFEE)

    async def request(self, method: str, *params: Any) -> Any:
        """Return a result.

        Raises:
            NodeRefusedError: anvil refused.
            NodeUnreachableError: it gave no answer.
        """
        call = Call(method, params)
        return _require(call, await self._upstream.ask(call))

    async def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Return the results of a batch; errors as of `request`."""
        answers = await self._upstream.ask_all(calls) if calls else []
        return [_require(call, answer) for call, answer in zip(calls, answers, strict=True)]

    async def read_head(self) -> tuple[str, Head]:
        """Return the newest block's hash, and what the pool needs of it."""
        latest, pending, chain_id = await self.batch(
            [
                Call("eth_getBlockByNumber", ("latest", False)),
                Call("eth_getBlockByNumber", ("pending", False)),
                Call("eth_chainId"),
            ]
        )
        base_fee_wei = int(pending["baseFeePerGas"], 16)
        return latest["hash"], Head(int(chain_id, 16), base_fee_wei, int(pending["gasLimit"], 16))

    async def read_accounts(self, senders: Iterable[Address]) -> dict[Address, Account]:
        """Return accounts as they are at the newest block."""
        senders = tuple(senders)
        methods = ("eth_getTransactionCount", "eth_getBalance", "eth_getCode")
        calls = [Call(method, (sender, "latest")) for sender in senders for method in methods]
        found = iter(await self.batch(calls))
        return {
            sender: Account(int(next(found), 16), int(next(found), 16), next(found) != "0x")
            for sender in senders
        }

    async def mine(self, raws: Sequence[bytes]) -> None:
        """Build one block of these transactions; what does not fit is not anvil's any more."""
        mined_at_once = await self.request("anvil_getAutomine")
        await self.request("evm_setAutomine", False)
        try:
            sent = [await self._send(raw) for raw in raws]
            await self.request("anvil_mine", "0x1")
            await self.batch([Call("anvil_dropTransaction", (tx_hash,)) for tx_hash in sent if tx_hash])
        finally:
            await self.request("evm_setAutomine", mined_at_once)

    async def read_orphans(self, depth: int) -> tuple[list[str], list[Mapping[str, Any]]]:
        """Return the hashes of the newest ``depth`` blocks, oldest first, and their transactions, each
        with its raw bytes under ``raw``."""
        head = int(await self.request("eth_blockNumber"), 16)
        heights = range(head - depth + 1, head + 1)
        blocks = await self.batch([Call("eth_getBlockByNumber", (hex(height), True)) for height in heights])
        txs = [tx for block in blocks for tx in block["transactions"]]
        raws = await self.batch([Call("eth_getRawTransactionByHash", (tx["hash"],)) for tx in txs])
        with_raw = [tx | {"raw": raw} for tx, raw in zip(txs, raws, strict=True)]
        return [block["hash"] for block in blocks], with_raw

    async def reorg(self, depth: int, included: Sequence[str]) -> None:
        """Replace the newest ``depth`` blocks by as many; the first holds ``included`` (raw, in order)."""
        miner = (await self.request("eth_getBlockByNumber", "latest", False))["miner"]
        # with the same miner, empty blocks at the lowest base fee come out as they were, hash and all
        await self.request("anvil_setCoinbase", f"0x{next(self._coinbases):040x}")
        try:
            await self.request("anvil_reorg", depth, [[raw, 0] for raw in included])
        finally:
            await self.request("anvil_setCoinbase", miner)

    async def _send(self, raw: bytes) -> str | None:
        answer = await self._upstream.ask(Call("eth_sendRawTransaction", ("0x" + raw.hex(),)))
        return answer.value if isinstance(answer, Result) else None


def _require(call: Call, answer: Answer) -> Any:
    if isinstance(answer, Result):
        return answer.value
    if isinstance(answer, Refusal):
        raise NodeRefusedError(call.method, answer.code, answer.message, answer.data)
    found = answer.body if isinstance(answer, HttpFailure) else "the connection was cut"
    raise NodeUnreachableError(f"no answer to {call.method}: {found}", needed="a running anvil")
