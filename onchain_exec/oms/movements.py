"""What balances did between two blocks, against what the journal says they did: to the base unit, and to the
wei of gas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, Order, Token
from onchain_exec.execution.signers.transaction import decode_unsigned
from onchain_exec.oms.book.fill import Fill
from onchain_exec.oms.book.views import OrderView, SlotView
from onchain_exec.oms.journal import Journal
from onchain_exec.venues.erc20 import read_balances

_NATIVE = ""
"""Where a token's address would stand."""


async def find_unexplained(
    node: Node, journal: Journal, since: BlockRef, until: BlockRef
) -> Iterator[tuple[Address, str, int, int]]:
    """Return (account, token or "", what the chain moved, what the journal did) where the two differ.

    Compared are the wei of every account that the journal ever signed for, and of every token that an
    order of such an account names, after ``since`` and up to ``until``. The journal must be
    reconciled at ``until`` or later.

    Raises:
        NodeError: the node fails (BlockNotFoundError: a reorg took one of the blocks, or the node no
            longer has its state).
    """
    orders = {view.order_id: view for view in journal.read_orders()}
    intents = [
        (view.order, view.fill)
        for view in orders.values()
        if view.order and view.intent and view.order.token_in.chain_id == node.chain_id
    ]
    accounts = {*journal.read_tops(node.chain_id), *(order.account for order, _ in intents)}
    held = {account: _list_tokens(orders.values(), account, node.chain_id) for account in sorted(accounts)}
    recorded = Counter[tuple[Address, str]]()
    for slot in journal.read_slots():
        mined_in = slot.consumer.block_number if slot.consumer else 0
        if slot.key.chain_id == node.chain_id and since.number < mined_in <= until.number:
            recorded.update(dict(_list_moves(slot, orders.get(slot.order_id))))
    for order, fill in intents:
        if fill and since.number < fill.block_number <= until.number:
            recorded.update(dict(_list_fill(order, fill)))
    before = await _read_all(node, held, since)
    after = await _read_all(node, held, until)
    return (
        (*place, after[place] - before[place], recorded[place])
        for place in after
        if after[place] - before[place] != recorded[place]
    )


def _list_tokens(orders: Iterable[OrderView], account: Address, chain_id: int) -> list[Token]:
    terms = [view.order for view in orders if view.order]
    paid = {order.token_in for order in terms if order.account == account}
    got = {order.token_out for order in terms if order.recipient == account}
    tokens = {token.address: token for token in paid | got if token.chain_id == chain_id}
    return list(tokens.values())


def _list_moves(slot: SlotView, view: OrderView | None) -> Iterator[tuple[tuple[Address, str], int]]:
    """Yield what the slot's consumer did to each place."""
    consumer = slot.consumer
    attempt = slot.get_attempt(consumer.tx_hash) if consumer else None
    if consumer is None or attempt is None:
        return
    fill = view.fill if view and view.fill and view.fill.tx_hash == consumer.tx_hash else None
    value_wei = decode_unsigned(attempt.tx.raw).value_wei if fill else 0
    yield (slot.key.account, _NATIVE), -consumer.gas_cost_wei - value_wei
    for token, change in consumer.moved:
        yield (slot.key.account, token), change
    if view and view.order and fill:
        yield from _list_fill(view.order, fill)


def _list_fill(order: Order, fill: Fill) -> Iterator[tuple[tuple[Address, str], int]]:
    """Yield what a fill did to each place."""
    yield (order.account, order.token_in.address), -fill.amount_in
    yield (order.recipient, order.token_out.address), fill.amount_out


async def _read_all(
    node: Node, held: dict[Address, list[Token]], block: BlockRef
) -> dict[tuple[Address, str], int]:
    """Return the balances at the block by place, one batch an account."""
    balances: dict[tuple[Address, str], int] = {}
    for account, tokens in held.items():
        balances[account, _NATIVE] = await node.get_balance(account, block)
        amounts = await node.perform(read_balances(account, tokens), block) if tokens else ()
        for token, amount in zip(tokens, amounts, strict=True):
            balances[account, token.address] = amount
    return balances
