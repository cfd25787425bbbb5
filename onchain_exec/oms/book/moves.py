"""What every event of an order comes to, whatever carries it: its state, its parent's, what was moved."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from onchain_exec.core import Address
from onchain_exec.errors import JournalError
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.fill import Fill, get_slippage_bps
from onchain_exec.oms.book.states import UNDECIDED, OrderEvent, next_order_state
from onchain_exec.oms.book.terms import QuoteTerms
from onchain_exec.oms.book.views import Consumer, OrderView


def move(book: Book, order_id: str, happened: OrderEvent, recorded_at: int, **changes: Any) -> None:
    """Let ``happened`` happen to an order.

    Raises:
        IllegalTransitionError: its state does not allow it.
    """
    view = book.orders[order_id]
    state = next_order_state(view.state, happened, order_id)
    put(book, replace(view, state=state, updated_at=recorded_at, **changes), recorded_at)


def put(book: Book, view: OrderView, recorded_at: int) -> None:
    """Let an order be as in ``view``, and its parent follow."""
    before = book.orders.get(view.order_id)
    book.orders[view.order_id] = view
    if view.state in UNDECIDED:
        book.undecided[view.order_id] = None
    else:
        discard(book.undecided, view.order_id)
    book.parents.follow(before, view, recorded_at)


def make_fill(view: OrderView, quote: QuoteTerms | None, consumer: Consumer) -> Fill:
    """Return what an order got, against the quote that it was signed on."""
    order = view.order
    if order is None or quote is None:
        raise JournalError(f"the fill of order {view.order_id} has no terms", needed="an accepted order")
    return Fill(
        order_id=view.order_id,
        tx_hash=consumer.tx_hash,
        block_number=consumer.block_number,
        block_hash=consumer.block_hash,
        amount_in=consumer.amount_in,
        amount_out=consumer.amount_out,
        gas_cost_wei=consumer.gas_cost_wei,
        slippage_bps=get_slippage_bps(order, quote, consumer.amount_in, consumer.amount_out),
    )


def count_fill(book: Book, view: OrderView | None, consumer: Consumer, sign: int) -> None:
    """Add to the positions (or take back) what filled an order."""
    order = view.order if view else None
    if order and (consumer.amount_in or consumer.amount_out):
        chain_id = order.token_in.chain_id
        add(book.positions, (chain_id, order.account, order.token_in.address), -sign * consumer.amount_in)
        add(book.positions, (chain_id, order.recipient, order.token_out.address), sign * consumer.amount_out)


def count_costs(book: Book, chain_id: int, account: Address, consumer: Consumer, sign: int) -> None:
    """Add (or take back) the gas of a transaction of ours, and what it moved of its account's."""
    add(book.gas_wei, (chain_id, account), sign * consumer.gas_cost_wei)
    for token, change in consumer.moved:
        add(book.positions, (chain_id, account, token), sign * change)


def keep_highest(consumers: dict[int, Consumer], chain_id: int, consumer: Consumer) -> None:
    """Keep the higher of what is there for a chain and ``consumer``, if its block is known."""
    before = consumers.get(chain_id)
    if consumer.block_hash and (before is None or consumer.block_number >= before.block_number):
        consumers[chain_id] = consumer


def add(totals: dict[Any, int], key: Any, amount: int) -> None:
    """Add, keeping no zeros: a book whose fills were all busted equals one that never had any."""
    total = totals.get(key, 0) + amount
    if total:
        totals[key] = total
    else:
        discard(totals, key)


def discard(entries: dict[Any, Any], key: Any) -> None:
    """Remove a key that may not be there."""
    entries.pop(key, None)
