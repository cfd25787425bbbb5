"""A stop is a line of the journal: after it no signature becomes durable, and nothing else can be sent."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from oms.builders import (
    BLOCK,
    CHAIN_ID,
    KEEPER,
    TRADER,
    make_approved,
    make_order,
    make_plan,
    make_quote,
    sign_plan,
)
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import HaltedError, InputError
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import EVERYTHING, Journal, OrderState, SwitchState, get_account_scope, parse_scope
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.venues import Hop, Leg
from onchain_exec.venues.balancer import BalancerWeightedPool

ORDER = make_order(1)


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        opened.append_order(ORDER, make_quote(ORDER))
        yield opened


def sign(journal, purpose=Purpose.SWAP, cause=None):
    plan = make_plan(cause or make_approved(ORDER), purpose)
    nonce = cause.nonce if cause else journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, purpose, 0)
    return journal.write_signed(ORDER.order_id, sign_plan(plan, nonce, None if cause is None else b"more"))


@pytest.mark.parametrize("scope", [EVERYTHING, get_account_scope(TRADER), "venue:swaps"])
@pytest.mark.parametrize("state", [SwitchState.PAUSED, SwitchState.KILLED])
def test_write_signed_after_a_stop_writes_nothing(journal, scope, state):
    journal.append_switch(scope, state, "a drill")
    with pytest.raises(HaltedError, match="a drill"):
        sign(journal)
    assert journal.read_order(ORDER.order_id).state is OrderState.NEW
    journal.append_switch(scope, SwitchState.RUNNING)
    assert sign(journal).order_id == ORDER.order_id


@pytest.mark.parametrize("purpose", [Purpose.SWAP, Purpose.CANCEL])
def test_write_signed_replacement_is_written_while_paused_and_not_once_killed(journal, purpose):
    first = sign(journal)
    journal.append_switch(EVERYTHING, SwitchState.KILLED)
    with pytest.raises(HaltedError):
        sign(journal, purpose, first)
    journal.append_switch(EVERYTHING, SwitchState.PAUSED)
    assert sign(journal, purpose, first).nonce == first.nonce


@pytest.mark.parametrize("takes_back", [False, True])
def test_write_signed_while_paused_is_of_an_action_that_takes_back_alone(journal, takes_back):
    call = VenueCall("cancel lane 7", KEEPER, b"")
    order = ActionOrder("a", "a", TRADER, "settle", (call,), (), 10**10, takes_back=takes_back)
    journal.append_action(order)
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.ACTION, 0)
    signed = sign_plan(make_plan(ApprovedAction(order, BLOCK), Purpose.ACTION), nonce)
    journal.append_switch(EVERYTHING, SwitchState.KILLED)
    with pytest.raises(HaltedError):
        journal.write_signed(order.order_id, signed)
    journal.append_switch(EVERYTHING, SwitchState.PAUSED)
    with nullcontext() if takes_back else pytest.raises(HaltedError):
        journal.write_signed(order.order_id, signed)
    assert len(journal.read_slots()[0].attempts) == takes_back


@pytest.mark.parametrize("state", [SwitchState.PAUSED, SwitchState.KILLED])
def test_write_signed_of_an_action_at_a_stopped_venue_writes_nothing(journal, state):
    order = ActionOrder(
        "a", "a", TRADER, f"aave_v3:{KEEPER}", (VenueCall("supply", KEEPER, b""),), (), 10**10
    )
    journal.append_action(order)
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.ACTION, 0)
    signed = sign_plan(make_plan(ApprovedAction(order, BLOCK), Purpose.ACTION), nonce)
    journal.append_switch("venue:aave_v2", state)  # another's stop is not ours
    journal.append_switch("venue:aave_v3", state, "a drill")
    with pytest.raises(HaltedError, match=rf"venue:aave_v3 is {state.value} .*a drill"):
        journal.write_signed(order.order_id, signed)
    journal.append_switch("venue:aave_v3", SwitchState.RUNNING)
    assert journal.write_signed(order.order_id, signed).nonce == nonce


@pytest.mark.parametrize("purpose", [Purpose.SWAP, Purpose.ALLOWANCE])
def test_write_signed_of_a_swap_through_a_stopped_protocol_writes_nothing(journal, purpose):
    weth, usdc = ORDER.token_in, ORDER.token_out
    pool = BalancerWeightedPool(KEEPER, "0x" + "01" * 32, KEEPER, (weth, usdc), (1, 1), 0, (WAD // 2,) * 2, 2)
    approved = make_approved(ORDER)
    leg = Leg((Hop(pool, weth, usdc, 1, 1, 0),))
    route = replace(approved.quote.route, legs=(leg,))
    approved = replace(approved, quote=replace(approved.quote, route=route))
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, purpose, 0)
    signed = sign_plan(make_plan(approved, purpose), nonce)
    journal.append_switch("venue:uniswap_v3", SwitchState.KILLED)  # another's stop is not ours
    journal.append_switch("venue:balancer_v2", SwitchState.PAUSED, "a drill")
    with pytest.raises(HaltedError, match="venue:balancer_v2 is PAUSED"):
        journal.write_signed(ORDER.order_id, signed)
    journal.append_switch("venue:balancer_v2", SwitchState.RUNNING)
    assert journal.write_signed(ORDER.order_id, signed).nonce == nonce


def test_write_signed_of_an_action_through_another_venue_that_is_stopped_writes_nothing(journal):
    call = VenueCall("settle", KEEPER, b"")
    order = ActionOrder("a", "a", TRADER, "settle", (call,), (), 10**10, through=("swaps", "uniswap_v3"))
    view = journal.append_action(order)
    assert view.action == order
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.ACTION, 0)
    signed = sign_plan(make_plan(ApprovedAction(order, BLOCK), Purpose.ACTION), nonce)
    journal.append_switch("venue:uniswap_v3", SwitchState.PAUSED, "a drill")
    with pytest.raises(HaltedError, match="venue:uniswap_v3"):
        journal.write_signed(order.order_id, signed)


def test_append_switch_is_seen_by_every_process_and_after_a_restart(journal, tmp_path):
    journal.append_switch(get_account_scope(KEEPER), SwitchState.PAUSED)
    sign(journal)  # another account's pause is not ours
    with Journal.open(tmp_path / "journal.sqlite") as other:
        other.append_switch(EVERYTHING, SwitchState.KILLED, "from elsewhere")
    assert journal.read_switches()[EVERYTHING].reason == "from elsewhere"


def test_append_switch_same_again_is_one_line(journal):
    for state in (SwitchState.PAUSED, SwitchState.PAUSED, SwitchState.RUNNING, SwitchState.PAUSED):
        journal.append_switch(EVERYTHING, state)
    assert journal.read_switches()[EVERYTHING].times == 3


@pytest.mark.parametrize("text", ["all", "venue:uniswap_v3", get_account_scope(TRADER)])
def test_parse_scope_of_a_scope_is_the_scope(text):
    assert parse_scope(text) == text


@pytest.mark.parametrize("text", ["", "ALL", "venue:", "account:", "account:0x12", "pool:x"])
def test_parse_scope_of_something_else_is_refused(text):
    with pytest.raises(InputError):
        parse_scope(text)
