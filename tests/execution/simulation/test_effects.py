"""What counts as the effect that was asked for, without a node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import ROUTER, SOLD, TRADER, make_approved

from onchain_exec.core import Address, Log, Token, address_bytes, to_address
from onchain_exec.core.abi import Event
from onchain_exec.errors import EffectError
from onchain_exec.execution import Fees, Purpose, TxPlan
from onchain_exec.execution.simulation.effects import Holdings, require_effects
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE, TRANSFER

APPROVAL = Event("Approval(address,address,uint256)", ("address", "address"), ("uint256",))
STRANGER = to_address(b"\x03" * 20)
OTHER = Token(1, to_address(b"\x07" * 20), "OTHER", 6)
AMOUNT_IN, AMOUNT_IN_MAX, AMOUNT_OUT_MIN, AMOUNT_OUT = 1_000, 1_100, 900, 950


def make_plan(allowance: int = 0, **fields: Any) -> TxPlan:
    approved = make_approved(allowance, amount_in_max=AMOUNT_IN_MAX, amount_out_min=AMOUNT_OUT_MIN)
    plan = TxPlan(approved, approved.quote.block, Purpose.SWAP, TRADER, ROUTER, b"", 0, Fees(1, 1))
    return replace(plan, **fields)


def make_log(token: Address, event: Event, first: Address, second: Address, amount: int) -> Log:
    topics = (event.topic, *(bytes(12) + address_bytes(address) for address in (first, second)))
    return Log(token, topics, amount.to_bytes(32), 0)


def holdings(plan: TxPlan, amount_in: int, amount_out: int, left: int) -> tuple[Holdings, Holdings]:
    assert isinstance(plan.cause, Approved)
    before = Holdings(5_000, 70, plan.cause.account.allowance)
    return before, Holdings(5_000 - amount_in, 70 + amount_out, left)


@given(st.integers(-10, 1_200), st.integers(-10, 1_200))
def test_require_effects_of_a_swap_holds_to_both_bounds(amount_in: int, amount_out: int) -> None:
    plan = make_plan()
    before, after = holdings(plan, amount_in, amount_out, 0)
    if 0 < amount_in <= AMOUNT_IN_MAX and amount_out >= AMOUNT_OUT_MIN:
        require_effects(plan, before, after, ())
    else:
        with pytest.raises(EffectError):
            require_effects(plan, before, after, ())


@given(st.integers(1, AMOUNT_IN_MAX), st.integers(0, 1_200))
def test_require_effects_of_a_granted_swap_leaves_no_more_than_the_slack(amount_in: int, left: int) -> None:
    plan = make_plan()
    before, after = holdings(plan, amount_in, AMOUNT_OUT, left)
    if left <= AMOUNT_IN_MAX - amount_in:
        require_effects(plan, before, after, ())
    else:
        with pytest.raises(EffectError, match="is left to"):
            require_effects(plan, before, after, ())


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 500))
def test_require_effects_of_a_granted_swap_leaves_others_what_they_wait_for_and_no_more(
    waiting: int, since: int, left: int
) -> None:
    plan = make_plan()
    assert isinstance(plan.cause, Approved)
    account = replace(plan.cause.account, allowance=waiting, waiting=waiting)
    plan = replace(plan, cause=replace(plan.cause, account=account))
    before, after = holdings(plan, AMOUNT_IN, AMOUNT_OUT, left)
    before = replace(before, allowance=AMOUNT_IN_MAX + since)  # what was granted, also since the decision
    if left <= AMOUNT_IN_MAX - AMOUNT_IN + max(waiting, since):
        require_effects(plan, before, after, ())
    else:
        with pytest.raises(EffectError, match="is left to"):
            require_effects(plan, before, after, ())


@pytest.mark.parametrize("left", [0, 2_000 - AMOUNT_IN, 2_000])
def test_require_effects_of_a_swap_on_an_old_allowance_lets_it_be(left: int) -> None:
    plan = make_plan(allowance=2_000)
    require_effects(plan, *holdings(plan, AMOUNT_IN, AMOUNT_OUT, left), ())
    with pytest.raises(EffectError):
        require_effects(plan, *holdings(plan, AMOUNT_IN, AMOUNT_OUT, 2_001), ())


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (make_log(OTHER.address, TRANSFER, TRADER, STRANGER, 5), "leave 0x"),
        (make_log(OTHER.address, APPROVAL, TRADER, ROUTER, 5), "is approved"),
        (make_log(SOLD.address, APPROVAL, TRADER, STRANGER, 5), "is approved"),
    ],
)
def test_require_effects_of_a_swap_that_touches_something_else_raises(log: Log, says: str) -> None:
    plan = make_plan()
    with pytest.raises(EffectError, match=says):
        require_effects(plan, *holdings(plan, AMOUNT_IN, AMOUNT_OUT, 0), (log,))


@pytest.mark.parametrize(
    "log",
    [
        make_log(SOLD.address, TRANSFER, TRADER, STRANGER, AMOUNT_IN),
        make_log(SOLD.address, APPROVAL, TRADER, ROUTER, 5),
        make_log(OTHER.address, TRANSFER, STRANGER, ROUTER, 5),
        make_log(OTHER.address, TRANSFER, STRANGER, TRADER, 5),
        make_log(OTHER.address, APPROVAL, STRANGER, ROUTER, 5),
    ],
)
def test_require_effects_of_a_swap_lets_others_be(log: Log) -> None:
    plan = make_plan()
    require_effects(plan, *holdings(plan, AMOUNT_IN, AMOUNT_OUT, 0), (log,))


@given(st.integers(0, 2_000), st.integers(0, 2_000))
def test_require_effects_of_an_allowance_is_exactly_what_was_asked(asked: int, becomes: int) -> None:
    plan = make_plan(purpose=Purpose.ALLOWANCE, to=SOLD.address, data=APPROVE.encode(ROUTER, asked))
    before, after = holdings(plan, 0, 0, becomes)
    if asked == becomes:
        require_effects(plan, before, after, ())
    else:
        with pytest.raises(EffectError, match="the allowance becomes"):
            require_effects(plan, before, after, ())
