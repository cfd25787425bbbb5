"""Every limit denies what breaks it, says so in human units, and a wider limit never denies more. Catalogue
entry 71 (any price, at any time)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import BlockRef, Exact, Order, Token, to_address
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.pricing import ConsolidatedPrice, PriceSource, SourceKind, consolidate
from onchain_exec.risk import AccountState, Approved, DenialCode, Denied, Limits, check
from onchain_exec.routing import Certificate, Quote, Route

BLOCK = BlockRef(1, 100, "0x" + "ab" * 32, 1_700_000_000, 10**9, 30_000_000)
NOW = BLOCK.timestamp
TRADER, ROUTER = to_address("0x" + "77" * 20), to_address("0x" + "88" * 20)
WETH = Token(1, to_address("0x" + "01" * 20), "WETH", 18)
USDC = Token(1, to_address("0x" + "02" * 20), "USDC", 6)
ORDER = Order("1", "", TRADER, TRADER, WETH, USDC, 2 * 10**18, Exact.IN, 50, NOW + 600)
CERTIFICATE = Certificate(3_980_000_000, {}, ())
ROUTE = Route(BLOCK, WETH, USDC, Exact.IN, 2 * 10**18, 3_980_000_000, (), None, 150_000, CERTIFICATE)
QUOTE = Quote(
    order=ORDER,
    route=ROUTE,
    mid_price=Fraction(2000 * 10**6, 10**18),
    fee_cost=12_000_000,
    impact_cost=8_000_000,
    gas_cost_wei=150_000 * 10**9,
    gas_cost_out=300_000,
    amount_out_min=3_960_100_000,
    amount_in_max=2 * 10**18,
    made_at=NOW,
)
ACCOUNT = AccountState(BLOCK, TRADER, 5 * 10**18, 10**18, ROUTER, 0)


def tell(**usdc_per_weth: int) -> ConsolidatedPrice:
    """Return the consolidated price of sources, by the name of their kind."""
    return consolidate(
        PriceSource(SourceKind[kind], kind, Fraction(price * 10**6, 10**18))
        for kind, price in usdc_per_weth.items()
    )


def deny(quote=QUOTE, account=ACCOUNT, limits=None, now=NOW, reference=None) -> Denied:
    verdict = check(quote, account, limits or Limits(), now, reference)
    assert isinstance(verdict, Denied)
    assert verdict.order == quote.order
    assert verdict.todo
    return verdict


def with_order(**changes) -> Quote:
    return replace(QUOTE, order=replace(ORDER, **changes))


def test_check_sound_quote_is_approved():
    assert check(QUOTE, ACCOUNT, Limits(), NOW) == Approved(QUOTE, ACCOUNT)


def test_check_balance_below_amount_is_denied():
    denied = deny(account=replace(ACCOUNT, balance_in=5 * 10**17))
    assert denied.code is DenialCode.BALANCE_BELOW_AMOUNT
    assert (denied.found, denied.limit) == ("0.5 WETH", "2 WETH")
    assert "Send 1.5 WETH" in denied.todo


def test_check_exact_out_needs_the_bound_not_the_quote():
    quote = replace(with_order(exact=Exact.OUT), amount_in_max=6 * 10**18)
    assert deny(quote).code is DenialCode.BALANCE_BELOW_AMOUNT


def test_check_gas_balance_below_cost_is_denied():
    denied = deny(account=replace(ACCOUNT, balance_wei=10**13))
    assert denied.code is DenialCode.GAS_BALANCE_BELOW_COST
    assert (denied.found, denied.limit) == ("0.00001 of the native coin", "0.00015 for gas and reserve")


def test_check_gas_reserve_is_kept():
    assert deny(limits=Limits(gas_reserve_wei=10**18)).code is DenialCode.GAS_BALANCE_BELOW_COST


@pytest.mark.parametrize(("token", "amount"), [(WETH, "2 WETH"), (USDC, "3980 USDC")])
def test_check_notional_above_maximum_is_denied(token, amount):
    denied = deny(limits=Limits(max_notional={token.address: 10**6}))
    assert denied.code is DenialCode.NOTIONAL_EXCEEDS_MAXIMUM
    assert denied.found == amount


def test_check_slippage_above_maximum_is_denied():
    denied = deny(with_order(max_slippage_bps=101))
    assert (denied.code, denied.found, denied.limit) == (
        DenialCode.SLIPPAGE_EXCEEDS_MAXIMUM,
        "101 bps",
        "100 bps",
    )


def test_check_impact_above_maximum_is_denied():
    denied = deny(limits=Limits(max_impact_bps=19))
    assert denied.code is DenialCode.PRICE_IMPACT_EXCEEDS_MAXIMUM
    assert denied.found == "20.0 bps, 8 USDC"


def test_check_shortfall_against_own_mid_is_denied():
    denied = deny(limits=Limits(max_shortfall_bps=49))
    assert denied.code is DenialCode.PRICE_SHORTFALL_EXCEEDS_MAXIMUM
    assert denied.found == "50 bps below the mid price"


def test_check_shortfall_against_a_reference_is_denied():
    denied = deny(reference=tell(FEED=2_500))
    assert denied.code is DenialCode.PRICE_SHORTFALL_EXCEEDS_MAXIMUM
    assert denied.found == "2040 bps below the reference price"


def test_check_price_above_the_reference_passes():
    reference = tell(FEED=1_900)
    assert check(QUOTE, ACCOUNT, Limits(), NOW, reference) == Approved(QUOTE, ACCOUNT, reference)


def test_check_reference_of_pools_alone_is_no_reference():
    limits = Limits(max_shortfall_bps=49)
    assert deny(limits=limits, reference=tell(POOL=1_900)).found == "50 bps below the mid price"


def test_check_sources_apart_beyond_the_limit_are_denied():
    reference = tell(POOL=2_000, TWAP=2_000, FEED=2_021)
    denied = deny(limits=Limits(max_price_divergence_bps=104), reference=reference)
    assert denied.code is DenialCode.PRICE_DIVERGENCE_EXCEEDS_MAXIMUM
    assert (denied.found, denied.limit) == ("feed 105.0 bps off the consolidated price", "104 bps")
    assert isinstance(check(QUOTE, ACCOUNT, Limits(max_price_divergence_bps=105), NOW, reference), Approved)


@pytest.mark.parametrize("reference", [None, tell(), tell(POOL=2_000)])
def test_check_fewer_kinds_of_sources_than_asked_are_denied(reference):
    denied = deny(limits=Limits(min_price_kinds=2), reference=reference)
    assert denied.code is DenialCode.PRICE_SOURCES_BELOW_MINIMUM
    assert denied.found.startswith("1 kinds" if reference and reference.kinds else "0 kinds")
    found = check(QUOTE, ACCOUNT, Limits(min_price_kinds=2), NOW, tell(POOL=2_000, FEED=2_000))
    assert isinstance(found, Approved)


def test_check_amount_out_min_zero_is_denied():
    assert deny(replace(QUOTE, amount_out_min=0)).code is DenialCode.AMOUNT_OUT_MIN_MISSING


@pytest.mark.parametrize("expires_at", [0, -1])
def test_check_deadline_missing_is_denied(expires_at):
    assert deny(with_order(expires_at=expires_at)).code is DenialCode.DEADLINE_MISSING


def test_check_deadline_passed_is_denied():
    denied = deny(with_order(expires_at=NOW - 5))
    assert denied.code is DenialCode.DEADLINE_PASSED
    assert denied.found == "the deadline passed 5 s ago"


@pytest.mark.parametrize("allowed", [WETH, USDC])
def test_check_token_outside_the_list_is_denied(allowed):
    denied = deny(limits=Limits(allowed_tokens=frozenset({allowed.address})))
    assert denied.code is DenialCode.TOKEN_NOT_ALLOWED
    assert allowed.address not in denied.found


def test_check_tokens_on_the_list_pass():
    limits = Limits(allowed_tokens=frozenset({WETH.address, USDC.address}))
    assert isinstance(check(QUOTE, ACCOUNT, limits, NOW), Approved)


def test_check_account_of_another_block_is_denied():
    denied = deny(account=replace(ACCOUNT, block=replace(BLOCK, number=101)))
    assert denied.code is DenialCode.QUOTE_STALE
    assert "block 101" in denied.limit


def test_check_old_quote_is_denied():
    denied = deny(now=NOW + 61)
    assert (denied.code, denied.found, denied.limit) == (
        DenialCode.QUOTE_STALE,
        "the quote is 61 s old",
        "60 s",
    )


def test_check_missing_allowance_is_denied_only_where_none_may_be_granted():
    denied = deny(limits=Limits(may_approve=False))
    assert denied.code is DenialCode.ALLOWANCE_FORBIDDEN
    assert denied.limit == f"2 WETH for {ROUTER}"
    granted = replace(ACCOUNT, allowance=2 * 10**18)
    assert isinstance(check(QUOTE, granted, Limits(may_approve=False), NOW), Approved)


def test_check_account_of_another_owner_raises():
    with pytest.raises(InputError, match="the order's account"):
        check(QUOTE, replace(ACCOUNT, owner=ROUTER), Limits(), NOW)


@pytest.mark.parametrize("name", ["max_slippage_bps", "max_impact_bps", "max_shortfall_bps"])
@pytest.mark.parametrize("value", [-1, 10_000, 0.3, True])
def test_limits_absurd_bound_raises(name, value):
    with pytest.raises(ConfigError, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize("token", ["WETH", "0x" + "ab" * 20, ""])
def test_limits_of_a_token_that_is_not_its_checksummed_address_raise(token):
    """They would bind nothing, and nobody would be told."""
    with pytest.raises(ConfigError, match="would bind nothing"):
        Limits(max_notional={token: 1})
    with pytest.raises(ConfigError, match="would bind nothing"):
        Limits(allowed_tokens=frozenset({token}))


@pytest.mark.parametrize(
    "name",
    ["max_quote_age_s", "gas_reserve_wei", "max_price_divergence_bps", "max_price_age_s", "min_price_kinds"],
)
def test_limits_negative_raises(name):
    with pytest.raises(ConfigError, match=name):
        Limits(**{name: -1})


bps = st.integers(0, 200)
limits = st.builds(
    Limits,
    max_slippage_bps=bps,
    max_impact_bps=bps,
    max_shortfall_bps=bps,
    max_quote_age_s=st.integers(0, 100),
    max_price_divergence_bps=st.none() | bps,
    min_price_kinds=st.integers(0, 3),
    max_notional=st.dictionaries(st.sampled_from((WETH.address, USDC.address)), st.integers(1, 4 * 10**18)),
    allowed_tokens=st.none() | st.frozensets(st.sampled_from((WETH.address, USDC.address))),
    may_approve=st.booleans(),
    gas_reserve_wei=st.integers(0, 2 * 10**18),
)


def wider(narrow: Limits, by: int) -> Limits:
    return Limits(
        max_slippage_bps=narrow.max_slippage_bps + by,
        max_impact_bps=narrow.max_impact_bps + by,
        max_shortfall_bps=narrow.max_shortfall_bps + by,
        max_quote_age_s=narrow.max_quote_age_s + by,
        max_price_divergence_bps=None,
        min_price_kinds=max(0, narrow.min_price_kinds - by),
        max_notional={token: limit + by for token, limit in narrow.max_notional.items()},
        allowed_tokens=narrow.allowed_tokens and narrow.allowed_tokens | {ROUTER},
        may_approve=True,
        gas_reserve_wei=max(0, narrow.gas_reserve_wei - by),
    )


references = st.dictionaries(st.sampled_from(list(SourceKind)), st.integers(1_950, 2_050)).map(
    lambda told: tell(**{kind.name: price for kind, price in told.items()})
)


@given(limits, references, st.integers(0, 10**4 - 201), st.integers(0, 100), st.integers(0, 8 * 10**7))
def test_check_wider_limits_never_deny_more(narrow, reference, by, age_s, impact_cost):
    quote = replace(QUOTE, impact_cost=impact_cost)
    if isinstance(check(quote, ACCOUNT, narrow, NOW + age_s, reference), Approved):
        assert isinstance(check(quote, ACCOUNT, wider(narrow, by), NOW + age_s, reference), Approved)
