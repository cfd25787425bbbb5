"""The JSON-RPC of a simulated chain, with the faults that fate draws."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from onchain_exec.chain import Reply, Request
from onchain_exec.chain.one_by_one import request_each
from onchain_exec.core import Log, to_address
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError
from onchain_exec.testing.lying_node.exchange import Refusal
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx
from onchain_exec.testing.simulated.chain import GAS_LIMIT, WEALTH_WEI, Block, Mined, SimulatedChain
from onchain_exec.testing.simulated.fate import Fate, SendFault


class SimulatedNode:
    """An `Rpc` in front of a chain: ``Node(SimulatedNode(chain, fate), chain.chain_id)``.

    Each request takes a drawn time, so that what runs side by side meets in every order. ``sent``
    counts the transactions that reached the wire.
    """

    where = "simulated"

    def __init__(self, chain: SimulatedChain, fate: Fate) -> None:
        self.chain, self._fate = chain, fate
        self.sent = 0
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(chain.chain_id),
            "eth_getBlockByNumber": lambda named, full: self._show_block(self._find(named), full),
            "eth_getBlockByHash": lambda named, full: self._show_block(self._find(named), full),
            "eth_getTransactionCount": lambda account, at: hex(
                self._require(at).nonces.get(to_address(account), 0)
            ),
            "eth_getBalance": lambda account, at: hex(
                WEALTH_WEI - self._require(at).spent_wei.get(to_address(account), 0)
            ),
            "eth_getTransactionByHash": self._show_transaction,
            "eth_getTransactionReceipt": self._show_receipt,
            "eth_feeHistory": self._show_fees,
            "eth_call": lambda call, at, *overrides: "0x",
            "eth_simulateV1": self._simulate,
        }

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Return a result, after a while, or raise what fate has drawn."""
        self._fate.pass_step()
        if latency_s := self._fate.draw_latency_s():
            await asyncio.sleep(latency_s)
        if method == "eth_sendRawTransaction":
            return self._send(bytes.fromhex(params[0][2:]))
        if self._fate.is_reply_lost():
            raise NodeUnreachableError(f"no answer to {method}")
        if method not in self._methods:
            raise NodeRefusedError(method, -32601, f"the method {method} does not exist")
        return self._methods[method](*params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """Return the replies of requests one after the other."""
        return await request_each(self, requests)

    async def close(self) -> None:
        """Nothing to release."""

    def _send(self, raw: bytes) -> str:
        fault = self._fate.draw_send_fault()
        if fault is SendFault.LOST_BEFORE:
            raise NodeUnreachableError("the connection was reset before the request")
        self.sent += 1
        self._fate.pass_step()
        refusal = self.chain.send(raw)
        tx = self.chain.decode(raw)
        match fault:
            case SendFault.LOST_AFTER:
                raise NodeUnreachableError("the connection was reset before the reply")
            case SendFault.DOUBLED:
                refusal = self.chain.send(raw)
            case SendFault.FORGOTTEN:
                self.chain.pool.drop(tx.tx_hash)
                return tx.tx_hash
        if isinstance(refusal, Refusal):
            raise NodeRefusedError("eth_sendRawTransaction", refusal.code, refusal.message)
        return tx.tx_hash

    def _simulate(self, asked: dict[str, Any], at: Any) -> list[dict[str, Any]]:
        head, txs = self._require(at), list[PoolTx]()
        for call in asked["blockStateCalls"][0]["calls"]:
            tx = _read_call(call)
            if tx.nonce != head.nonces.get(tx.sender, 0) + len(txs):
                word = "low" if tx.nonce < head.nonces.get(tx.sender, 0) else "high"
                raise NodeRefusedError("eth_simulateV1", -32000, f"nonce too {word}")
            txs.append(tx)
        return [{"calls": [_show_result(mined, head) for mined in self.chain.try_out(txs)]}]

    def _find(self, named: Any) -> Block | None:
        chain = self.chain
        if isinstance(named, dict):
            named = named["blockHash"]
        if named in ("latest", "pending"):
            return chain.head
        if named in ("finalized", "safe"):
            return chain.final
        if len(named) == 66:
            return next((block for block in reversed(chain.blocks) if block.hash == named), None)
        number = int(named, 16)
        return chain.blocks[number] if number < len(chain.blocks) else None

    def _require(self, named: Any) -> Block:
        block = self._find(named)
        if block is None:
            raise NodeRefusedError("", -32000, "header not found")
        return block

    def _show_block(self, block: Block | None, full: bool) -> dict[str, Any] | None:
        if block is None:
            return None
        return {
            "number": hex(block.number),
            "hash": block.hash,
            "parentHash": block.parent_hash,
            "timestamp": hex(block.timestamp),
            "baseFeePerGas": hex(block.base_fee_wei),
            "gasLimit": hex(GAS_LIMIT),
            "transactions": [mined.tx.to_json() if full else mined.tx.tx_hash for mined in block.txs],
        }

    def _show_transaction(self, tx_hash: str) -> dict[str, Any] | None:
        if pooled := self.chain.pool.find(tx_hash):
            return pooled.to_json()
        found = self.chain.find(tx_hash)
        if found is None:
            return None
        block, _, mined = found
        return mined.tx.to_json() | {"blockHash": block.hash, "blockNumber": hex(block.number)}

    def _show_receipt(self, tx_hash: str) -> dict[str, Any] | None:
        found = self.chain.find(tx_hash)
        if found is None:
            return None
        block, _, mined = found
        return {
            "transactionHash": tx_hash,
            "blockNumber": hex(block.number),
            "blockHash": block.hash,
            "status": hex(mined.execution.success),
            "gasUsed": hex(mined.execution.gas_used),
            "effectiveGasPrice": hex(block.base_fee_wei + mined.tx.get_effective_tip(block.base_fee_wei)),
            "from": mined.tx.sender,
            "to": mined.tx.to,
            "logs": [_show_log(log, block, mined) for log in mined.execution.logs],
        }

    def _show_fees(self, count: str, newest: str, percentiles: Sequence[float]) -> dict[str, Any]:
        block = self._require(newest)
        return {
            "oldestBlock": hex(block.number),
            "baseFeePerGas": [hex(block.base_fee_wei), hex(self.chain.base_fee_wei)],
            "gasUsedRatio": [0.5],
            "reward": [[hex(10**9)] * len(percentiles)],
        }


def _read_call(call: dict[str, Any]) -> PoolTx:
    """A transaction of one sender that nobody has signed."""
    return PoolTx(
        raw=b"",
        tx_hash="",
        kind=2,
        chain_id=None,
        sender=to_address(call["from"]),
        nonce=int(call["nonce"], 16),
        tip_cap_wei=int(call["maxPriorityFeePerGas"], 16),
        fee_cap_wei=int(call["maxFeePerGas"], 16),
        gas_limit=int(call["gas"], 16),
        to=to_address(call["to"]),
        value_wei=int(call.get("value", "0x0"), 16),
        data=bytes.fromhex(call["data"][2:]),
    )


def _show_result(mined: Mined, head: Block) -> dict[str, Any]:
    execution = mined.execution
    return {
        "status": hex(execution.success),
        "gasUsed": hex(execution.gas_used),
        "returnData": "0x",
        "logs": [_show_log(log, head, mined) for log in execution.logs],
    }


def _show_log(log: Log, block: Block, mined: Mined) -> dict[str, Any]:
    return {
        "address": log.address,
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "logIndex": hex(log.index),
        "blockNumber": hex(block.number),
        "blockHash": block.hash,
        "transactionHash": mined.tx.tx_hash,
    }
