"""What is not the journal's to decide: a nonce that another program used is neither given out nor
filled, and the time of signed bytes does not pass here."""

from __future__ import annotations

from oms.builders import CHAIN_ID, TRADER, make_order, make_quote, make_signed
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal, SlotKey


def test_is_left_out_of_a_nonce_that_another_program_used_is_false(journal: Journal) -> None:
    for number, nonce in ((1, 0), (2, 2)):  # 1 was another's
        order = make_order(number)
        journal.append_order(order, make_quote(order))
        assert journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, nonce) == nonce
        journal.write_signed(order.order_id, make_signed(order, nonce))
    assert not journal.is_left_out(SlotKey(CHAIN_ID, TRADER, 1))


def test_append_expiry_of_an_order_that_was_signed_leaves_it_alone(journal: Journal) -> None:
    order = make_order(1)
    journal.append_order(order, make_quote(order))
    journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
    journal.write_signed(order.order_id, make_signed(order, 0))
    before = journal.read_order(order.order_id)
    assert journal.append_expiry(order.order_id) == before
