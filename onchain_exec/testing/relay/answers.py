"""What the relay says to each method, and what it keeps of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from onchain_exec.chain import CallResult, Node
from onchain_exec.core import BlockRef
from onchain_exec.errors import InputError, NodeRefusedError
from onchain_exec.testing.lying_node import PoolTx, Refusal, Result
from onchain_exec.testing.relay.orders import (
    BundleOrder,
    read_bundle,
    read_conditional,
    read_private,
    read_shared,
)
from onchain_exec.testing.relay.whims import Whim

Reply = Result | Refusal
_PRIVATE_BLOCKS: Final = 25
"""How many blocks a private transaction lives unless it says otherwise (Flashbots Protect)."""

_NONCE_TOO_LOW: Final = Refusal(-32000, "nonce too low")


class Hands(Protocol):
    """What a relay does to a chain."""

    async def try_out(self, transactions: Sequence[PoolTx], base: BlockRef) -> tuple[CallResult, ...]:
        """As of `Builder.try_out`."""
        ...

    async def leak(self, tx: PoolTx) -> None:
        """As of `Builder.leak`."""
        ...


class Answers:
    """Holds ``orders`` by name; ``whims`` are in force."""

    def __init__(self, node: Node, builder: Hands) -> None:
        self._node, self._builder = node, builder
        self.whims = frozenset[Whim]()
        self.orders: dict[str, BundleOrder] = {}

    async def answer(self, method: str, params: Sequence[Any]) -> Reply:
        """Return the reply to a request."""
        answer = _METHODS.get(method)
        if answer is None:
            return Refusal(-32601, f"the method {method} does not exist/is not available")
        try:
            return await answer(self, *params)
        except (InputError, KeyError, TypeError, ValueError) as error:
            return Refusal(-32602, f"invalid params: {error}")

    async def _send_bundle(self, fields: Mapping[str, Any]) -> Reply:
        order = read_bundle(fields)
        return await self._keep(order, order.name or order.hash, {"bundleHash": order.hash})

    async def _send_shared(self, fields: Mapping[str, Any]) -> Reply:
        order = read_shared(fields)
        return await self._keep(order, order.hash, {"bundleHash": order.hash})

    async def _send_private(self, fields: Mapping[str, Any]) -> Reply:
        head = (await self._node.get_block()).number
        order = read_private(fields, head + 1, head + _PRIVATE_BLOCKS)
        return await self._keep(order, order.name, order.name)

    async def _send_raw(self, raw: str) -> Reply:
        return await self._send_private({"tx": raw})

    async def _send_conditional(self, raw: str, conditions: Mapping[str, Any]) -> Reply:
        order = read_conditional(raw, conditions, (await self._node.get_block()).number + 1)
        return await self._keep(order, order.name, order.name)

    async def _cancel_bundle(self, fields: Mapping[str, Any]) -> Reply:
        cancelled = self.orders.get(fields["replacementUuid"])
        self._forget(fields["replacementUuid"])
        return Result([cancelled.hash] if cancelled else [])

    async def _cancel_private(self, fields: Mapping[str, Any]) -> Reply:
        known = fields["txHash"].lower() in self.orders
        self._forget(fields["txHash"].lower())
        return Result(known)

    async def _call_bundle(self, fields: Mapping[str, Any]) -> Reply:
        order, results = read_bundle(fields), await self._try(read_bundle(fields))
        if isinstance(results, Refusal):
            return results
        shown = [_show(tx, result) for tx, result in zip(order.transactions, results, strict=True)]
        head = await self._node.get_block()
        fees = [
            result.gas_used * tx.get_effective_tip(head.base_fee_wei)
            for tx, result in zip(order.transactions, results, strict=True)
        ]
        return Result(
            {
                "bundleHash": order.hash,
                "coinbaseDiff": str(sum(fees)),
                "results": shown,
                "stateBlockNumber": head.number,
                "totalGasUsed": sum(result.gas_used for result in results),
            }
        )

    async def _simulate_shared(self, fields: Mapping[str, Any], _options: object = None) -> Reply:
        results = await self._try(read_shared(fields))
        if isinstance(results, Refusal):
            return results
        gas_used = sum(result.gas_used for result in results)
        return Result({"success": all(result.success for result in results), "gasUsed": hex(gas_used)})

    async def _keep(self, order: BundleOrder, name: str, reply: Any) -> Reply:
        if Whim.WRONG_NONCE in self.whims:
            return _NONCE_TOO_LOW
        if Whim.LEAK in self.whims:
            for tx in order.transactions:
                await self._builder.leak(tx)
        if Whim.LATE in self.whims:
            order = replace(order, first=order.first + 1, last=order.last + 1)
        if Whim.UNBUNDLE in self.whims:
            order = replace(order, transactions=order.transactions[:1])
        if Whim.IGNORE not in self.whims:
            self.orders[name] = order
        return Result(reply)

    def _forget(self, name: str) -> None:
        if Whim.KEEP_CANCELLED not in self.whims:
            self.orders.pop(name, None)

    async def _try(self, order: BundleOrder) -> tuple[CallResult, ...] | Refusal:
        try:
            return await self._builder.try_out(order.transactions, await self._node.get_block())
        except NodeRefusedError as error:
            return Refusal(-32000, error.rpc_message)
        except InputError as error:
            return Refusal(-32000, error.found)


def _show(tx: PoolTx, result: CallResult) -> dict[str, Any]:
    told = {"error": "execution reverted", "revert": result.error.found} if result.error else {}
    return {
        "txHash": tx.tx_hash,
        "gasUsed": result.gas_used,
        "fromAddress": tx.sender,
        "toAddress": tx.to,
        "value": "0x" + result.data.hex(),
        **told,
    }


_METHODS: Final[Mapping[str, Callable[..., Awaitable[Reply]]]] = {
    "eth_sendBundle": Answers._send_bundle,
    "eth_callBundle": Answers._call_bundle,
    "eth_cancelBundle": Answers._cancel_bundle,
    "eth_sendPrivateTransaction": Answers._send_private,
    "eth_sendRawTransaction": Answers._send_raw,
    "eth_cancelPrivateTransaction": Answers._cancel_private,
    "mev_sendBundle": Answers._send_shared,
    "mev_simBundle": Answers._simulate_shared,
    "eth_sendRawTransactionConditional": Answers._send_conditional,
}
