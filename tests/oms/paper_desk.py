"""A trader who writes the journal by hand, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from oms.builders import CHAIN_ID, make_order, make_quote
from oms.paper_market import recipient_of, sign_swap
from onchain_exec.chain import DevAccount, LocalChain, Node
from onchain_exec.core import Order
from onchain_exec.execution.delivery.confirm import confirm
from onchain_exec.execution.delivery.send import send
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey, SlotState

QUOTED = 2_000 * 10**6


@dataclass
class Desk:
    """A trader on the chain who writes the journal as a run does, as far as told."""

    chain: LocalChain
    node: Node
    journal: Journal
    trader: DevAccount
    number: int = 0

    async def sign(
        self, *, reverts: bool = False, paid: int = QUOTED, private: bool = False, **terms: object
    ) -> DurableTx:
        """Take a new order to where its swap bytes are durable."""
        self.number += 1
        recipient = recipient_of(id(self) + self.number)
        order = make_order(self.number, account=self.trader.address, recipient=recipient, **terms)
        self.journal.append_order(order, make_quote(order))
        floor = await self.node.get_nonce(self.trader.address)
        nonce = self.journal.reserve_nonce(CHAIN_ID, self.trader.address, order.order_id, Purpose.SWAP, floor)
        signed = sign_swap(self.trader.key, order, nonce, paid, reverts=reverts)
        return self.journal.write_signed(order.order_id, signed, private=private)

    def order(self, durable: DurableTx) -> Order:
        order = self.journal.read_order(durable.order_id).order
        assert order is not None
        return order

    def state(self, durable: DurableTx) -> tuple[OrderState, SlotState]:
        slot = self.journal.read_slot(SlotKey(CHAIN_ID, durable.sender, durable.nonce))
        return self.journal.read_order(durable.order_id).state, slot.state

    async def send(self, durable: DurableTx) -> None:
        await send(self.node, durable)
        self.chain.settle()

    async def send_raw(self, raw: bytes) -> str:
        tx_hash = await self.node.send_raw_transaction(raw)
        self.chain.settle()
        return tx_hash

    async def record(self, durable: DurableTx) -> None:
        self.journal.append_outcome(durable, await confirm(self.node, durable, 1, 1, 0.01))
