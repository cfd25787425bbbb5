"""The tables are the whole truth: every pair is either in them or raises, and every state is used."""

from __future__ import annotations

from itertools import product

import pytest

from onchain_exec.errors import IllegalTransitionError
from onchain_exec.oms.book.states import (
    CONSUMED,
    OPEN,
    ORDER_TABLE,
    PARENT_TABLE,
    SLOT_TABLE,
    OrderEvent,
    OrderState,
    SlotEvent,
    SlotState,
    next_order_state,
    next_parent_state,
    next_slot_state,
)

MACHINES = {
    "order": (OrderState, OrderEvent, ORDER_TABLE, next_order_state),
    "parent": (OrderState, OrderEvent, PARENT_TABLE, next_parent_state),
    "slot": (SlotState, SlotEvent, SLOT_TABLE, next_slot_state),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_next_state_every_pair_follows_the_table_or_raises(machine):
    states, happenings, table, next_state = MACHINES[machine]
    for state, event in product([None, *states], happenings):
        if (state, event) in table:
            assert next_state(state, event, "x") is table[state, event]
            continue
        with pytest.raises(IllegalTransitionError) as caught:
            next_state(state, event, "x")
        assert event.name in caught.value.found
        assert (state.name if state else "none") in caught.value.found


@pytest.mark.parametrize("machine", MACHINES)
def test_table_every_state_in_it_can_be_reached(machine):
    _, _, table, _ = MACHINES[machine]
    assert _reach(table) == {state for state, _ in table} | set(table.values())


@pytest.mark.parametrize("machines", [("order", "parent"), ("slot",)])
def test_tables_every_state_and_event_is_used(machines):
    states, happenings, _, _ = MACHINES[machines[0]]
    tables = [MACHINES[machine][2] for machine in machines]
    assert set().union(*map(_reach, tables)) - {None} == set(states)
    assert {event for table in tables for _, event in table} == set(happenings)


def test_order_table_swap_bytes_leave_only_the_chain_to_end_an_order():
    ends_without_chain = {OrderEvent.DENY, OrderEvent.REJECT, OrderEvent.EXPIRE}
    after_signing = set(OrderState) - {
        OrderState.NEW, OrderState.DENIED, OrderState.REJECTED, OrderState.EXPIRED
    }  # fmt: skip
    assert not [pair for pair in ORDER_TABLE if pair[0] in after_signing and pair[1] in ends_without_chain]


def test_order_table_what_the_chain_gave_a_reorg_can_take():
    given = {OrderState.FILLED, OrderState.FAILED, OrderState.CANCELLED, OrderState.EXPIRED}
    assert {state for state, event in ORDER_TABLE if event is OrderEvent.ORPHAN} == given


def test_parent_table_no_end_trades_again():
    ends = {OrderState.CANCELLED, OrderState.EXPIRED, OrderState.DENIED, OrderState.REJECTED}
    after = {after for (state, _), after in PARENT_TABLE.items() if state in ends}
    assert after == ends | {OrderState.FILLED}


def test_slot_table_only_a_finalised_consumer_closes_a_slot():
    into_final = {state for (state, _), after in SLOT_TABLE.items() if after is SlotState.FINAL}
    assert into_final == CONSUMED | {SlotState.FINAL}
    out_of_final = {after for (state, _), after in SLOT_TABLE.items() if state is SlotState.FINAL}
    assert out_of_final == {SlotState.FINAL}


def test_slot_table_open_slots_never_go_back_to_reserved():
    assert not [pair for pair, after in SLOT_TABLE.items() if pair[0] in OPEN and after is SlotState.RESERVED]


def _reach(table):
    reached = {None}
    while more := {after for (before, _), after in table.items() if before in reached} - reached:
        reached |= more
    return reached
