"""A parent is what its children did: its sums and its state hold through every history."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.builders import (
    CHAIN_ID,
    TRADER,
    USDC,
    WETH,
    make_block,
    make_order,
    make_quote,
    make_receipt,
    make_signed,
)
from onchain_exec.core import Exact, ParentOrder
from onchain_exec.errors import DuplicateOrderError
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal, OrderState
from onchain_exec.oms.book.book import Book
from onchain_exec.testing.simulated import Fate, MemoryJournal

PARENT = ParentOrder("p", "client", (TRADER,), WETH, USDC, 3 * 10**18, Exact.IN, 50, 0, 10**9)
steps = st.lists(
    st.tuples(st.sampled_from(["sign", "mine", "revert", "orphan", "final", "cancel"]), st.integers(0, 2)),
    max_size=25,
)


def make_child(number):
    return make_order(number, client_order_id=f"p.{number}", parent_id="p")


def act(journal: Journal, act_name: str, number: int) -> None:
    """Let something happen to a child, if it can."""
    order = make_child(number)
    view = journal.read_order(order.order_id)
    signed = view.tx_hash
    match act_name:
        case "sign" if view.state is OrderState.NEW:
            nonce = journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
            journal.write_signed(order.order_id, make_signed(order, nonce))
        case "mine" | "revert" if signed and not journal.read_slot(view.slots[0]).consumer:
            receipt = make_receipt(signed, order, success=act_name == "mine", block=make_block(number))
            journal.append_receipt(journal.read_slot(view.slots[0]), receipt, 1)
        case "orphan" if signed and journal.read_slot(view.slots[0]).state.name in ("MINED", "CONFIRMED"):
            journal.append_orphaned(journal.read_slot(view.slots[0]))
        case "final" if signed:
            journal.append_final(view.slots[0])
        case "cancel":
            journal.append_cancel("p")


@given(steps=steps)
def test_follow_any_history_filled_is_the_sum_of_filled_children(steps):
    lines = MemoryJournal(Fate(0), lambda: 0)
    journal = lines.open()
    journal.append_parent(PARENT)
    for number in range(3):
        journal.append_order(make_child(number), make_quote(make_child(number)))
    for name, number in steps:
        act(journal, name, number)
        require_sound(lines.replay())


def require_sound(book: Book) -> None:
    view = book.parents.views["p"]
    children = book.parents.get_children(view)
    filled = [child for child in children if child.state is OrderState.FILLED]
    assert view.filled == sum(child.order.amount for child in filled)
    assert (view.state is OrderState.FILLED) == (view.filled >= PARENT.amount)
    if view.state is OrderState.PARTIAL:
        assert 0 < view.filled < PARENT.amount
    if view.state is OrderState.CANCELLED:
        assert any(child.state is not OrderState.FILLED for child in children)
    assert view.final == (not view.is_alive and all(child.final for child in children))


def test_append_parent_same_id_for_other_terms_or_a_plain_order_is_refused():
    journal = MemoryJournal(Fate(0), lambda: 0).open()
    plain = make_order(7)
    journal.append_order(plain, make_quote(plain))
    assert journal.append_parent(PARENT) == journal.append_parent(PARENT)
    for client_id, amount in (("client", 1), (plain.client_order_id, PARENT.amount)):
        other = ParentOrder("q", client_id, (TRADER,), WETH, USDC, amount, Exact.IN, 50, 0, 10**9)
        with pytest.raises(DuplicateOrderError):
            journal.append_parent(other)
    late = make_order(8, client_order_id="client")
    with pytest.raises(DuplicateOrderError):
        journal.append_order(late, make_quote(late))


@pytest.mark.parametrize("promised", [False, True])
def test_append_parent_keeps_the_promise_to_what_it_replaces(journal, promised):
    journal.append_parent(PARENT, promised=promised)
    journal.append_parent(replace(PARENT, order_id="q", client_order_id="other", replaces="p"))
    assert journal.find_parent("q").promised is promised
