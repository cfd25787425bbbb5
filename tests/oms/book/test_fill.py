"""Fills are the chain's amounts; slippage is exact and has one sign."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from oms.builders import KEEPER, TRADER, USDC, WETH, make_order, make_quote, make_receipt, make_transfer
from onchain_exec.core import Exact
from onchain_exec.oms.book.fill import Fill, get_moved_amounts, get_slippage_bps
from onchain_exec.oms.book.terms import QuoteTerms

AMOUNTS = st.integers(1, 2**255)


@given(AMOUNTS, st.integers(0, 2**255 - 1))
def test_get_moved_amounts_nets_what_came_back(amount, refund):
    order = make_order(amount=amount + refund)
    receipt = make_receipt("0x01", order, 7)
    back = make_transfer(WETH, KEEPER, TRADER, refund)
    assert get_moved_amounts(order, replace(receipt, logs=(*receipt.logs, back))) == (amount, 7)


@given(AMOUNTS)
def test_get_moved_amounts_counts_the_recipients_part_only(amount_out):
    order = make_order(recipient=KEEPER)
    receipt = make_receipt("0x01", order)
    paid = (*receipt.logs[:1], make_transfer(USDC, WETH.address, KEEPER, amount_out))
    assert get_moved_amounts(order, replace(receipt, logs=paid)) == (10**18, amount_out)


@given(quoted=AMOUNTS, got=AMOUNTS)
def test_get_slippage_bps_exact_in_is_the_missing_part_of_the_quote(quoted, got):
    order = make_order(exact=Exact.IN)
    slippage = get_slippage_bps(order, QuoteTerms.of(make_quote(order, quoted)), order.amount, got)
    assert quoted * (1 - slippage / 10_000) == got


@given(paid=AMOUNTS)
def test_get_slippage_bps_exact_out_is_the_extra_part_of_the_quote(paid):
    order = make_order(exact=Exact.OUT)
    quote = QuoteTerms.of(make_quote(order))
    slippage = get_slippage_bps(order, quote, paid, quote.amount_out)
    assert quote.amount_in * (1 + slippage / 10_000) == paid


def test_fill_to_json_writes_amounts_as_text():
    fill = Fill("o", "0x1", 5, "0x2", 2**200, 3, 10**18, Fraction(10, 3))
    assert fill.to_json()["amount_in"] == str(2**200)
    assert fill.to_json()["slippage_bps"] == "3." + "3" * 27
