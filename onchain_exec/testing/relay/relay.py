"""The relay: HTTP on a loopback port, in a thread of its own, driven without an event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

from aiohttp import web
from coincurve import PublicKey

from onchain_exec.chain import Node
from onchain_exec.chain.relays.identity import HEADER, get_digest
from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import AddressError
from onchain_exec.testing.background import BackgroundServer
from onchain_exec.testing.listening import listen
from onchain_exec.testing.lying_node import PoolTx, Refusal
from onchain_exec.testing.lying_node.wire import decode_exchange, encode_invalid
from onchain_exec.testing.relay.answers import Answers
from onchain_exec.testing.relay.building import Builder
from onchain_exec.testing.relay.orders import Asked
from onchain_exec.testing.relay.whims import Whim

_UNSIGNED: Final = frozenset({"eth_sendRawTransaction"})
"""What wallets send as well: protected endpoints take it from anybody."""


class LocalRelay(BackgroundServer):
    """A relay that builds blocks on an anvil started with ``--no-mining --order fifo``.

    It listens at ``url`` on loopback. A request counts if its ``X-Flashbots-Signature`` is of its body, or if
    it is ``eth_sendRawTransaction``, as to a protected endpoint; `asked` lists those in their order. Nothing
    is mined before `build`. Use it as a context manager.

        with LocalRelay.start(chain.url) as relay:
            ...                      # the code under test sends to relay.url
            relay.build()            # the next block, with what is due in it
    """

    def __init__(self, chain_url: str) -> None:
        self.asked: list[Asked] = []
        self._chain_url = chain_url
        self._mined: tuple[PoolTx, ...] = ()
        self.url = f"http://127.0.0.1:{self._start('local-relay')}"

    @classmethod
    def start(cls, chain_url: str) -> Self:
        """Return a running relay that does as it says."""
        return cls(chain_url)

    def behave(self, *whims: Whim) -> None:
        """Put these whims into force, and no others; none: it does as it says."""
        self._answers.whims = frozenset(whims)

    def build(self) -> BlockRef:
        """Mine the next block with what is due in it, behind the public pool's transactions; return it."""
        return self._run(self._build())

    def orphan(self) -> BlockRef:
        """Take the block that `build` mined last off the chain, put an empty one in its place, and return
        that. What was private in it is public from now on."""
        return self._run(self._orphan())

    async def _build(self) -> BlockRef:
        held = dict(self._answers.orders)  # others may come meanwhile
        block = await self._builder.build(list(held.values()))
        self._mined = ()
        for name, order in held.items():
            mined = [tx for tx in order.transactions if await self._node.get_receipt(tx.tx_hash)]
            self._mined = (*self._mined, *mined)
            if (mined or order.last <= block.number) and self._answers.orders.get(name) is order:
                del self._answers.orders[name]
        return block

    async def _orphan(self) -> BlockRef:
        await self._node.rpc.request("anvil_rollback", (1,))
        block = await self._builder.build(())
        for tx in self._mined:
            await self._builder.leak(tx)
        return block

    @asynccontextmanager
    async def _serve(self) -> AsyncIterator[int]:
        self._node = await Node.connect(self._chain_url)
        self._builder = Builder(self._node)
        self._answers = Answers(self._node, self._builder)
        runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.05)
        try:
            async with listen(runner) as port:
                yield port
        finally:
            await self._node.close()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if Whim.DOWN in self._answers.whims:
            return web.Response(status=503)
        body = await request.read()
        exchange = decode_exchange(body)
        if exchange is None or exchange.batch:
            return web.Response(body=encode_invalid(), content_type="application/json")
        searcher = find_searcher(body, request.headers.get(HEADER, ""))
        (call,) = exchange.calls
        if searcher is None and call.method not in _UNSIGNED:
            reply: Any = Refusal(-32600, "signature missing or invalid")
            status = 403
        else:
            self.asked.append(Asked(searcher, call.method, call.params))
            reply, status = await self._answers.answer(call.method, call.params), 200
        return web.Response(body=exchange.encode([reply]), content_type="application/json", status=status)


def find_searcher(body: bytes, header: str) -> Address | None:
    """Return who signed a request, or None if the header is not of this body."""
    named, _, text = header.partition(":")
    try:
        packed = bytes.fromhex(text.removeprefix("0x"))
        signature = packed[:64] + bytes((packed[64] % 27,))
        key = PublicKey.from_signature_and_message(signature, get_digest(body), hasher=None)
        signer = to_address(keccak(key.format(compressed=False)[1:])[12:])
        return signer if len(packed) == 65 and to_address(named) == signer else None
    except (ValueError, IndexError, AddressError):
        return None
