"""An order's terms in the journal's words, and back."""

from __future__ import annotations

import json
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from oms.builders import TRADER, USDC, WETH, make_order
from onchain_exec.core import Comparison, Condition, Exact, ParentOrder, to_address
from onchain_exec.oms.book.parent_terms import parent_from_json, parent_to_json
from onchain_exec.oms.book.terms import order_from_json, order_to_json

addresses = st.binary(min_size=20, max_size=20).map(to_address)
words = st.integers(0, 2**256 - 1)
conditions = st.builds(
    Condition,
    addresses,
    st.binary(max_size=100),
    st.sampled_from([kind for kind in Comparison if not kind.signed]),
    words,
    words,
    st.text(max_size=20),
) | st.builds(
    Condition,
    addresses,
    st.binary(max_size=100),
    st.sampled_from([kind for kind in Comparison if kind.signed]),
    st.integers(-(2**255), 2**255 - 1),
    words,
    st.text(max_size=20),
)


@given(st.lists(conditions, max_size=3).map(tuple))
def test_order_from_json_of_what_order_to_json_wrote_is_the_order(held: tuple[Condition, ...]) -> None:
    order = make_order(conditions=held)
    again = order_from_json(json.loads(json.dumps(order_to_json(order))))
    assert again == order
    assert [condition.label for condition in again.conditions] == [condition.label for condition in held]


@given(st.lists(conditions, max_size=3).map(tuple))
def test_parent_from_json_of_what_parent_to_json_wrote_is_the_parent(held: tuple[Condition, ...]) -> None:
    terms = WETH, USDC, 10**18, Exact.IN, 50, 0, 10**9
    parent = ParentOrder("p", "client", (TRADER,), *terms, limit_price=Fraction(1, 3), conditions=held)
    assert parent_from_json(json.loads(json.dumps(parent_to_json(parent)))) == parent


def test_order_from_json_of_before_there_were_conditions_has_none() -> None:
    written = order_to_json(make_order())
    del written["conditions"]
    assert order_from_json(written) == make_order()
