"""An action in the journal's words: nothing is lost on the way, and other deeds are told apart."""

from dataclasses import replace

import pytest

from onchain_exec.core import ZERO_ADDRESS, Call, Condition
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import DuplicateOrderError
from onchain_exec.oms.book import decisions, events
from onchain_exec.oms.book.action_terms import action_from_json, action_to_json, is_same_action
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.fold import apply
from onchain_exec.oms.book.snapshot import join, split
from onchain_exec.oms.book.states import OrderState

TOKEN = ZERO_ADDRESS
ORDER = ActionOrder(
    order_id="a1",
    client_order_id="top-up",
    account=ZERO_ADDRESS,
    venue="aave_v3:pool",
    calls=(
        VenueCall("supply 1 WETH", TOKEN, b"\x01", 2, (Spend(TOKEN, MAX_UINT256, TOKEN), Spend(TOKEN, 1))),
    ),
    conditions=(Condition.at_least(Call(TOKEN, b"\x02"), 10**18, word=5, label="health factor"),),
    expires_at=17,
)


def test_action_from_json_of_action_to_json_is_the_action() -> None:
    assert action_from_json(action_to_json(ORDER)) == ORDER


def test_is_same_action_looks_at_what_is_done_alone() -> None:
    bounded = replace(ORDER.calls[0], spends=())
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
