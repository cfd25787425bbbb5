"""The methods that geth answers from its pool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from onchain_exec.core import to_address
from onchain_exec.errors import InputError
from onchain_exec.testing.lying_node.exchange import Call, Refusal
from onchain_exec.testing.lying_node.mempool.core import Mempool
from onchain_exec.testing.lying_node.mempool.transaction import decode_transaction
from onchain_exec.testing.lying_node.mempool.views import show_content, show_inspection, show_status

Handler = Callable[[Call], Awaitable[Any]]
"""Returns a result, or a `Refusal`."""


class Face:
    """JSON-RPC in front of a `Mempool`. ``automine``: a block follows each send that is taken."""

    def __init__(self, mempool: Mempool, *, automine: bool) -> None:
        self.automine = automine
        self._mempool, self._chain = mempool, mempool.chain
        self.handlers: dict[str, Handler] = {
            "eth_sendRawTransaction": self._send,
            "eth_getTransactionByHash": self._get_transaction,
            "eth_getRawTransactionByHash": self._get_raw_transaction,
            "eth_getTransactionCount": self._get_transaction_count,
            "eth_newFilter": self._new_filter,
            "eth_getFilterChanges": self._get_filter_changes,
            "txpool_content": self._get_content,
            "txpool_contentFrom": self._get_content_from,
            "txpool_inspect": self._inspect,
            "txpool_status": self._get_status,
            "anvil_mine": self._mine,
            "evm_mine": self._mine,
            "evm_setAutomine": self._set_automine,
            "anvil_dropTransaction": self._drop_transaction,
        }

    async def _send(self, call: Call) -> Any:
        try:
            tx = decode_transaction(bytes.fromhex(call.params[0][2:]))
        except (InputError, ValueError) as error:
            return Refusal(-32000, f"rlp: {error}")
        return await self._mempool.send(tx, mine=self.automine) or tx.tx_hash

    async def _get_transaction(self, call: Call) -> Any:
        waiting = (await self._mempool.follow()).find(call.params[0])
        return waiting.to_json() if waiting else await self._pass_on(call)

    async def _get_raw_transaction(self, call: Call) -> Any:
        waiting = (await self._mempool.follow()).find(call.params[0])
        return "0x" + waiting.raw.hex() if waiting else await self._pass_on(call)

    async def _get_transaction_count(self, call: Call) -> Any:
        if call.get(1) != "pending":
            return await self._pass_on(call)
        nonce = (await self._mempool.follow()).get_next_nonce(to_address(call.params[0]))
        return await self._pass_on(call) if nonce is None else hex(nonce)

    async def _new_filter(self, call: Call) -> Any:
        filter_id = await self._pass_on(call)
        self._mempool.removed.watch(filter_id, call.params[0])
        return filter_id

    async def _get_filter_changes(self, call: Call) -> Any:
        new = await self._pass_on(call)
        return [*self._mempool.removed.take(call.params[0]), *new]

    async def _get_content(self, call: Call) -> Any:
        return show_content(await self._mempool.follow())

    async def _get_content_from(self, call: Call) -> Any:
        sender = to_address(call.params[0])
        content = show_content(await self._mempool.follow())
        return {part: found.get(sender, {}) for part, found in content.items()}

    async def _inspect(self, call: Call) -> Any:
        return show_inspection(await self._mempool.follow())

    async def _get_status(self, call: Call) -> Any:
        return show_status(await self._mempool.follow())

    async def _mine(self, call: Call) -> Any:
        blocks = call.get(0, 1) if call.method == "anvil_mine" else 1
        await self._mempool.mine(blocks if isinstance(blocks, int) else int(blocks, 16))
        return None if call.method == "anvil_mine" else "0x0"

    async def _set_automine(self, call: Call) -> Any:
        self.automine = bool(call.params[0])

    async def _drop_transaction(self, call: Call) -> Any:
        known = (await self._mempool.follow()).find(call.params[0])
        await self._mempool.drop(call.params[0])
        return known.tx_hash if known else None

    async def _pass_on(self, call: Call) -> Any:
        return await self._chain.request(call.method, *call.params)
