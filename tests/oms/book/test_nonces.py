"""Which nonces an account that lends code (EIP-7702) has: mined, the lending takes two.

Catalogue entry 15.
"""

from __future__ import annotations

import pytest

from oms.builders import (
    CHAIN_ID,
    TRADER,
    make_approved,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_plan,
)
from onchain_exec.errors import JournalError
from onchain_exec.execution.delivery.outcome import Mined, Superseded
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey


def sign_lending(journal, number: int) -> DurableTx:
    """Sign bytes that lend the account code, as far as the journal can tell."""
    order = make_order(number)
    journal.append_order(order, make_quote(order))
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
    signed = sign_plan(make_plan(make_approved(order)), nonce, b"\x04" + bytes([number]))
    return journal.write_signed(order.order_id, signed)


def test_reserve_nonce_after_lending_code_waits_and_then_leaves_out_the_nonce_it_took(journal):
    lending, later = sign_lending(journal, 1), make_order(2)
    journal.append_order(later, make_quote(later))
    with pytest.raises(JournalError, match=r"nonce 1 of \S+ goes with nonce 0, which lends code"):
        journal.reserve_nonce(CHAIN_ID, TRADER, later.order_id, Purpose.SWAP, 0)
    journal.append_outcome(lending, Mined(make_receipt(lending.tx_hash, make_order(1)), 1))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, later.order_id, Purpose.SWAP, 0) == 2
    last = make_order(3)
    journal.append_order(last, make_quote(last))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, last.order_id, Purpose.SWAP, 1) == 3  # of a node that lags


def test_reserve_nonce_after_a_cancelled_lending_is_the_next(journal):
    lending, later = sign_lending(journal, 1), make_order(2)
    cancel = journal.write_signed("order-1", sign_plan(make_plan(lending, Purpose.CANCEL), lending.nonce))
    journal.append_outcome(cancel, Mined(make_receipt(cancel.tx_hash, make_order(1)), 1))
    journal.append_order(later, make_quote(later))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, later.order_id, Purpose.SWAP, 1) == 1
    journal.write_signed(later.order_id, make_signed(later, 1))
    last = make_order(3)
    journal.append_order(last, make_quote(last))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, last.order_id, Purpose.SWAP, 1) == 2


def test_reserve_nonce_after_a_lending_that_lost_its_own_to_a_stranger_is_the_next(journal):
    lending, later = sign_lending(journal, 1), make_order(2)
    journal.append_outcome(lending, Superseded("0x77", lending.nonce))
    journal.append_order(later, make_quote(later))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, later.order_id, Purpose.SWAP, 1) == 1


def test_reserve_nonce_that_lending_code_was_to_take_until_a_reorg_is_given_out(journal, tmp_path):
    """Or a later one would wait for it for ever."""
    lending = sign_lending(journal, 1)
    journal.append_outcome(lending, Mined(make_receipt(lending.tx_hash, make_order(1)), 1))
    later, last = make_order(2), make_order(3)
    for order in (later, last):
        journal.append_order(order, make_quote(order))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, later.order_id, Purpose.SWAP, 2) == 2
    journal.write_signed(later.order_id, make_signed(later, 2))
    journal.append_orphaned(journal.read_slot(SlotKey(CHAIN_ID, TRADER, 0)))
    cancel = journal.write_signed("order-1", sign_plan(make_plan(lending, Purpose.CANCEL), 0))
    journal.append_outcome(cancel, Mined(make_receipt(cancel.tx_hash, make_order(1)), 1))
    for _ in range(2):
        assert journal.reserve_nonce(CHAIN_ID, TRADER, last.order_id, Purpose.SWAP, 1) == 1
    with Journal.open(tmp_path / "journal.sqlite") as heir:
        assert heir.reserve_nonce(CHAIN_ID, TRADER, last.order_id, Purpose.SWAP, 1) == 1


def test_write_signed_lending_code_below_a_nonce_that_is_given_out_is_refused(journal):
    first, second = make_order(1), make_order(2)
    for order in (first, second):
        journal.append_order(order, make_quote(order))
        journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
    with pytest.raises(JournalError, match=r"nonce 0 of \S+ would lend code, and nonce 1 is given out"):
        journal.write_signed("order-1", sign_plan(make_plan(make_approved(first)), 0, b"\x04"))
    assert journal.read_order("order-1").state is OrderState.NEW
