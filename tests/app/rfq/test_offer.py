"""What a maker's order comes to for a taker: within its limit, and not a unit worse than that allows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.app.rfq import Offer, QuoteRequest
from onchain_exec.app.rfq.offer import make_offer
from onchain_exec.clearing.settle import Flags, Lane, Scheme, SettleOrder, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.clearing.settle.replica import require_allowed
from onchain_exec.core import Exact, Token, to_address
from onchain_exec.errors import OrderRefusedError, SettleRevertError

NOW = 1_700_000_000
SETTLE, TAKER, MAKER = (to_address("0x" + byte * 20) for byte in ("5e", "aa", "bb"))
PAID = Token(1, to_address("0x" + "11" * 20), "PAID", 18)
GOT = Token(1, to_address("0x" + "22" * 20), "GOT", 6)
amounts = st.integers(1, 2**40) | st.integers(1, 50)


def make_request(exact: Exact, amount: int, gas_price: Fraction = Fraction()) -> QuoteRequest:
    return QuoteRequest("one", TAKER, PAID, GOT, amount, exact, NOW + 10, gas_price=gas_price)


def offer(request: QuoteRequest, gives: int, wants: int, flags: Flags = Flags.NONE, gas: int = 0) -> Offer:
    order = SettleOrder(MAKER, GOT.address, PAID.address, gives, wants, request.settle_by, 1, flags=flags)
    return make_offer(request, OpenOrder(b"", order, Signed(Scheme.PRESIGN)), gas, SETTLE, NOW)


def offer_or_reason(request: QuoteRequest, gives: int, wants: int, flags: Flags = Flags.NONE) -> Offer | str:
    try:
        return offer(request, gives, wants, flags)
    except OrderRefusedError as error:
        return error.reason


@given(st.sampled_from(Exact), amounts, amounts, amounts, st.sampled_from([Flags(n) for n in range(4)]))
def test_make_offer_is_the_best_that_the_makers_limit_allows(
    exact: Exact, amount: int, gives: int, wants: int, flags: Flags
) -> None:
    found = offer_or_reason(make_request(exact, amount), gives, wants, flags)
    if isinstance(found, str):
        assert found in ("too_small", "not_whole")
        return
    assert amount == (found.amount_in if exact is Exact.IN else found.amount_out)
    require_allowed(found.fill, NOW)
    Lane().fill(1, found.fill.amount, found.resting.order.size)
    if exact is Exact.IN:
        better = replace(found.fill, amount_in=found.amount_out + 1)
    else:
        better = replace(found.fill, amount_out=found.amount_in - 1)
    with pytest.raises(SettleRevertError):
        require_allowed(replace(better, order=replace(better.order, flags=flags & Flags.EXACT_OUT)), NOW)


@given(st.sampled_from(Exact), amounts, amounts, amounts)
def test_make_offer_refuses_no_part_that_the_order_holds(
    exact: Exact, amount: int, gives: int, wants: int
) -> None:
    if isinstance(offer_or_reason(make_request(exact, amount), gives, wants), str):
        most = gives if exact is Exact.OUT else wants
        assert amount > most or amount * gives < wants


def test_net_counts_gas_against_the_taker_and_rounds_so() -> None:
    price = Fraction(1, 3)
    sold = offer(make_request(Exact.IN, 100, price), 200, 100, gas=10)
    bought = offer(make_request(Exact.OUT, 100, price), 100, 200, gas=10)
    assert (sold.amount_out, sold.net, sold.rank) == (200, 196, 196)
    assert (bought.amount_in, bought.net, bought.rank) == (200, 204, -204)


@pytest.mark.parametrize(("exact", "limit", "holds"), [
    (Exact.IN, 200, True), (Exact.IN, 201, False), (Exact.OUT, 50, True), (Exact.OUT, 49, False),
])  # fmt: skip
def test_make_offer_beyond_the_takers_limit_is_refused(exact: Exact, limit: int, holds: bool) -> None:
    request = replace(make_request(exact, 100), limit=limit)
    if holds:
        offer(request, 200, 100)
        return
    with pytest.raises(OrderRefusedError) as refused:
        offer(request, 200, 100)
    assert refused.value.reason == "worse_than_limit"
