"""An action in the journal's words: nothing is lost on the way, and other deeds are told apart."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.builders import make_plan, sign_plan
from onchain_exec.core import (
    ZERO_ADDRESS,
    Address,
    BlockRef,
    Call,
    Condition,
    Log,
    Receipt,
    Token,
    to_address,
)
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import DuplicateOrderError
from onchain_exec.execution import Mined, Purpose
from onchain_exec.oms import Journal, SlotKey
from onchain_exec.oms.book import decisions, events
from onchain_exec.oms.book.action_terms import (
    action_from_json,
    action_to_json,
    get_action_moves,
    get_call_moves,
    is_same_action,
)
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.fold import apply
from onchain_exec.oms.book.snapshot import join, split
from onchain_exec.oms.book.states import OrderState
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.venues.erc20 import TRANSFER

TOKEN = ZERO_ADDRESS
TRADER, POOL = to_address(b"\x01" * 20), to_address(b"\x02" * 20)
SOLD, BOUGHT = to_address(b"\x03" * 20), to_address(b"\x04" * 20)
MARK = keccak(b"Performed()")
ORDER = ActionOrder(
    order_id="a1",
    client_order_id="top-up",
    account=ZERO_ADDRESS,
    venue="aave_v3:pool",
    calls=(
        VenueCall(
            "supply 1 WETH",
            TOKEN,
            b"\x01",
            2,
            (Spend(TOKEN, MAX_UINT256, TOKEN), Spend(TOKEN, 1)),
            (Token(1, TOKEN, "WETH", 18),),
        ),
    ),
    conditions=(Condition.at_least(Call(TOKEN, b"\x02"), 10**18, word=5, label="health factor"),),
    expires_at=17,
)


def test_action_from_json_of_action_to_json_is_the_action() -> None:
    for order in (ORDER, replace(ORDER, takes_back=True)):
        assert action_from_json(action_to_json(order)) == order


def test_is_same_action_looks_at_what_is_done_alone() -> None:
    bounded = replace(ORDER.calls[0], spends=(), tokens=())
    assert is_same_action(ORDER, replace(ORDER, order_id="b", expires_at=99, calls=(bounded,)))
    for other in (
        replace(ORDER, conditions=()),
        replace(ORDER, venue="aave_v3:other"),
        replace(ORDER, calls=(replace(bounded, data=b"\x03"),)),
    ):
        assert not is_same_action(ORDER, other)


def test_is_same_action_with_a_fingerprint_looks_at_no_calls() -> None:
    asked = replace(ORDER, fingerprint="ab")
    assert action_from_json(action_to_json(asked)) == asked
    assert is_same_action(asked, replace(asked, order_id="b", venue="aave_v3", calls=(), expires_at=99))
    for other in (ORDER, replace(asked, fingerprint="cd"), replace(asked, conditions=())):
        assert not is_same_action(asked, other)
        assert not is_same_action(other, asked)


def test_book_with_an_action_survives_its_snapshot_and_refuses_other_deeds_of_its_id() -> None:
    book = Book()
    apply(book, events.action_accepted(ORDER), 5)
    assert join(split(book)).orders == book.orders
    view = decisions.find_same_action(book, replace(ORDER, order_id="b"))
    assert view is not None
    assert (view.state, view.action, view.order_id) == (OrderState.NEW, ORDER, "a1")
    with pytest.raises(DuplicateOrderError):
        decisions.find_same_action(book, replace(ORDER, conditions=()))


def make_log(address: Address, *topics: bytes, data: bytes = b"") -> Log:
    return Log(address, topics, data, 0)


def make_transfer(token: Address, sender: Address, receiver: Address, amount: int) -> Log:
    sides = (bytes(12) + bytes.fromhex(side[2:]) for side in (sender, receiver))
    return make_log(token, TRANSFER.topic, *sides, data=amount.to_bytes(32))


def make_receipt(*logs: Log, success: bool = True) -> Receipt:
    return Receipt(
        tx_hash="0x" + "5e" * 32,
        block_number=7,
        block_hash="0x" + "b1" * 32,
        success=success,
        gas_used=100_000,
        effective_gas_price_wei=10**9,
        l1_fee_wei=0,
        sender=TRADER,
        to=TRADER,
        logs=logs,
    )


def trade(sold: int, bought: int) -> tuple[Log, ...]:
    return (
        make_log(POOL, MARK),  # anybody can log it elsewhere
        make_transfer(SOLD, TRADER, POOL, sold),
        make_transfer(BOUGHT, POOL, TRADER, bought),
    )


@given(
    st.lists(st.tuples(st.integers(1, 2**100), st.integers(1, 2**100)), min_size=2, max_size=5),
    st.integers(0, 2),
)
def test_get_call_moves_gives_each_call_what_was_logged_before_its_mark(
    trades: list[tuple[int, int]], approvals: int
) -> None:
    order = replace(ORDER, account=TRADER, calls=ORDER.calls * len(trades))
    mark = make_log(TRADER, MARK)
    logs = (mark,) * approvals
    for sold, bought in trades:
        logs = (*logs, *trade(sold, bought), mark)
    receipt, moves = make_receipt(*logs), [{SOLD: -sold, BOUGHT: bought} for sold, bought in trades]
    assert list(get_call_moves(order, receipt)) == moves
    assert get_action_moves(order, receipt) == {
        token: sum(moved[token] for moved in moves) for token in (SOLD, BOUGHT)
    }


def test_get_call_moves_that_cannot_be_told_apart_is_empty() -> None:
    order, mark = replace(ORDER, account=TRADER, calls=ORDER.calls * 2), make_log(TRADER, MARK)
    for logs in ((*trade(1, 2), *trade(3, 4)), (*trade(1, 2), mark, *trade(3, 4))):
        assert get_call_moves(order, make_receipt(*logs)) == ()
    assert get_call_moves(order, make_receipt(mark, mark, success=False)) == ()


def test_get_call_moves_of_one_call_without_the_guard_is_all_that_moved() -> None:
    order = replace(ORDER, account=TRADER, conditions=())
    assert get_call_moves(order, make_receipt(*trade(1, 2))) == ({SOLD: -1, BOUGHT: 2},)


def test_order_view_of_a_mined_action_tells_its_calls_apart_until_a_reorg(journal: Journal) -> None:
    order = replace(ORDER, account=TRADER, calls=ORDER.calls * 2)
    journal.append_action(order)
    block = BlockRef(1, 6, "0x" + "b0" * 32, 1_700_000_000, 10**9, 30_000_000)
    plan = make_plan(ApprovedAction(order, block), Purpose.ACTION, TRADER, block)
    nonce = journal.reserve_nonce(1, TRADER, order.order_id, Purpose.ACTION, 0)
    durable = journal.write_signed(order.order_id, sign_plan(plan, nonce))
    mark = make_log(TRADER, MARK)
    receipt = replace(make_receipt(*trade(1, 2), mark, *trade(3, 4), mark), tx_hash=durable.tx_hash)
    view = journal.append_outcome(durable, Mined(receipt, 1))
    assert view.call_moves == (((SOLD, -1), (BOUGHT, 2)), ((SOLD, -3), (BOUGHT, 4)))
    journal.append_orphaned(journal.read_slot(SlotKey(1, TRADER, nonce)))
    view = journal.read_order(order.order_id)
    assert (view.state, view.call_moves) == (OrderState.BUSTED, ())
    assert [call["moved"] for call in view.to_json()["calls"]] == [None, None]
