"""The bound of an order that names none, and the reason it gives. Catalogue entry 71 (any price)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandwich_pools import BLOCK, E18, A, B, C, make_curve, make_pair, make_sandwiches, route

from onchain_exec.core import Exact, Order, to_address
from onchain_exec.risk.exposure import Attacker, Inclusion, Volatility, bound_quote
from onchain_exec.routing import BoundReason, GasModel, Quote, Route, make_quote

CALM, WILD = Volatility(0.0001), Volatility(0.05)
FREE = Attacker()
DEAR = Attacker(GasModel(10**9, 10.0**12))
PAIR = make_pair(0, (A, B), (10**24, 2 * 10**24))
TRADER = to_address("0x" + "77" * 20)


def make(found: Route, slippage_bps: int = 50) -> Quote:
    amount = found.amount_in if found.exact is Exact.IN else found.amount_out
    order = Order("1", "", TRADER, TRADER, A, B, amount, found.exact, slippage_bps, BLOCK.timestamp + 60)
    return make_quote(order, found, GasModel(), 0)


QUOTE = make(route((PAIR,), 20_000 * E18))
BOUGHT = make(route((PAIR,), 20_000 * E18, Exact.OUT))


@pytest.mark.parametrize(
    ("volatility", "attacker", "inclusion", "reason"),
    [
        (None, DEAR, Inclusion(), BoundReason.POLICY),
        (WILD, DEAR, Inclusion(), BoundReason.POLICY),
        (CALM, DEAR, Inclusion(), BoundReason.VOLATILITY),
        (CALM, FREE, Inclusion(hidden=True), BoundReason.VOLATILITY),
        (None, FREE, Inclusion(), BoundReason.SANDWICH),
        (CALM, FREE, Inclusion(), BoundReason.SANDWICH),
    ],
)
@pytest.mark.parametrize("quote", [QUOTE, BOUGHT], ids=["in", "out"])
def test_bound_quote_says_what_decided(
    quote: Quote, volatility: Volatility | None, attacker: Attacker, inclusion: Inclusion, reason: BoundReason
) -> None:
    found = bound_quote(quote, volatility, attacker, inclusion, given=False)
    assert found.tolerance is not None
    assert found.tolerance.reason is reason
    assert found.slippage_bps <= quote.slippage_bps
    assert (found.slippage_bps == quote.slippage_bps) is (reason is BoundReason.POLICY)
    assert (found.tolerance.revert_chance is None) is (volatility is None)


@pytest.mark.parametrize("quote", [QUOTE, BOUGHT], ids=["in", "out"])
def test_bound_quote_of_a_given_slippage_keeps_it_and_says_what_is_at_stake(quote: Quote) -> None:
    found = bound_quote(quote, CALM, FREE, Inclusion(), given=True)
    assert (found.amount_out_min, found.amount_in_max) == (quote.amount_out_min, quote.amount_in_max)
    assert found.tolerance is not None
    assert found.tolerance.reason is BoundReason.GIVEN
    assert found.tolerance.at_stake > 0
    assert found.tolerance.revert_chance == pytest.approx(0, abs=1e-9)


def test_bound_quote_by_volatility_is_passed_with_the_chance_of_the_inclusion() -> None:
    found = bound_quote(QUOTE, CALM, DEAR, Inclusion(blocks=3, revert_chance=0.02), given=False)
    assert found.tolerance is not None
    assert found.tolerance.revert_chance == pytest.approx(0.02, abs=1e-9)
    assert float(found.slippage_bps) == pytest.approx(1.0 * 2.0537 * 3**0.5, rel=1e-3)


@settings(max_examples=settings.default.max_examples // 3)
@given(st.integers(10**19, 10**22), st.floats(1e-5, 1e-2), st.integers(1, 10**6))
def test_bound_quote_by_default_leaves_no_sandwich_that_pays(
    amount: int, per_block: float, wei_worth: int
) -> None:
    found = route((PAIR, make_curve(1, (A, B), 10**23), make_pair(2, (A, C), (10**23, 10**23))), amount)
    attacker = Attacker(GasModel(10**9, float(wei_worth)))
    quote = bound_quote(make(found), Volatility(per_block), attacker, Inclusion(), given=False)
    slack = quote.amount_out - quote.amount_out_min
    assert slack >= 0
    assert not make_sandwiches(found, attacker).find(slack).pays
    assert quote.tolerance is not None
    if quote.tolerance.reason is BoundReason.SANDWICH:
        assert quote.tolerance.at_stake > slack
