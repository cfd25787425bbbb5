"""Relays and protected endpoints of a simulated chain, and blocks out of what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from onchain_exec.chain import CallResult, Node, Reply, Request
from onchain_exec.chain.one_by_one import request_each
from onchain_exec.chain.relays import Relay, RelayIdentity
from onchain_exec.core import Address, BlockRef
from onchain_exec.errors import InputError, NodeRefusedError, NodeUnreachableError, RevertError
from onchain_exec.testing.lying_node import PoolTx, Refusal
from onchain_exec.testing.relay.answers import Answers
from onchain_exec.testing.relay.orders import BundleOrder
from onchain_exec.testing.relay.whims import Whim
from onchain_exec.testing.simulated.chain import SimulatedChain
from onchain_exec.testing.simulated.fate import Fate
from onchain_exec.testing.simulated.node import SimulatedNode

_KEY = bytes(31) + b"\x01"


class SimulatedRelay(Relay):
    """A relay of that name, as an endpoint: what `LocalRelay` is to anvil, without a wire between.

    ``asked`` are the methods that it was asked, while it was not DOWN.
    """

    def __init__(self, name: str, chain: SimulatedChain) -> None:
        super().__init__(f"http://{name}", RelayIdentity(_KEY), name=name)
        self.asked: list[str] = []
        self._answers = Answers(Node(SimulatedNode(chain, Fate(0)), chain.chain_id), _Hands(chain))

    def behave(self, *whims: Whim) -> None:
        """Put these whims into force, and no others."""
        self._answers.whims = frozenset(whims)

    @property
    def orders(self) -> tuple[BundleOrder, ...]:
        """What it holds."""
        return tuple(self._answers.orders.values())

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """As of `Rpc.request`."""
        if Whim.DOWN in self._answers.whims:
            raise NodeUnreachableError(f"{self.where} answered HTTP 503")
        self.asked.append(method)
        reply = await self._answers.answer(method, params)
        if isinstance(reply, Refusal):
            raise NodeRefusedError(method, reply.code, reply.message)
        return reply.value


class SimulatedProtected:
    """A protected endpoint in front of a relay: it takes what wallets send, and tells wallets nonces of its
    own, which are wrong."""

    def __init__(self, relay: SimulatedRelay) -> None:
        self.relay, self.where = relay, relay.where

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """As of `Rpc.request`."""
        if method == "eth_getTransactionCount":
            return hex(10**6)
        return await self.relay.request(method, params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """As of `Rpc.batch`."""
        return await request_each(self, requests)

    async def close(self) -> None:
        """Nothing to release."""


def build_block(chain: SimulatedChain, relays: Iterable[SimulatedRelay]) -> None:
    """Mine a block of the public pool's transactions, then of what relays hold and can stand in it."""
    number, timestamp = chain.head.number + 1, chain.head.timestamp + 12
    chosen = chain.select_public()
    for relay in relays:
        for order in relay.orders:
            if order.fits(number, timestamp) and _can_stand(chain, chosen, order):
                chosen += order.transactions
    chain.mine(chosen)


def _can_stand(chain: SimulatedChain, before: Sequence[PoolTx], order: BundleOrder) -> bool:
    if not _has_next_nonces(chain, [*before, *order.transactions]):
        return False
    mined = chain.try_out([*before, *order.transactions])[len(before) :]
    return all(item.execution.success or item.tx.tx_hash in order.may_revert for item in mined)


def _has_next_nonces(chain: SimulatedChain, txs: Iterable[PoolTx]) -> bool:
    expected: dict[Address, int] = {}
    for tx in txs:
        if tx.nonce != expected.setdefault(tx.sender, chain.head.nonces.get(tx.sender, 0)):
            return False
        expected[tx.sender] += 1
    return True


class _Hands:
    """What `Answers` needs of a builder."""

    def __init__(self, chain: SimulatedChain) -> None:
        self._chain = chain

    async def leak(self, tx: PoolTx) -> None:
        """Show a transaction to everybody."""
        self._chain.send(tx.raw)

    async def try_out(self, transactions: Sequence[PoolTx], base: BlockRef) -> tuple[CallResult, ...]:
        """Return what the transactions would do."""
        if not _has_next_nonces(self._chain, transactions):
            raise InputError("nonce too low or too high", needed="the senders' next nonces")
        return tuple(
            CallResult(
                item.execution.gas_used,
                b"",
                item.execution.logs,
                None if item.execution.success else RevertError("", (), b""),
            )
            for item in self._chain.try_out(transactions)
        )
