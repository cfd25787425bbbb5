"""The state tables as text for people, drawn from the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import TypeVar

from onchain_exec.oms.book.states import OrderEvent, OrderState, SlotEvent, SlotState

State = TypeVar("State", OrderState, SlotState)
Happening = TypeVar("Happening", OrderEvent, SlotEvent)


def draw_table(table: Mapping[tuple[State | None, Happening], State]) -> str:
    """Return a Markdown table: a row for each state and where each event leads, "stays" being the same
    state. What is not there is illegal; a state without a row is an end."""
    rows = ["| State | Event → next state |", "|---|---|"]
    states = [None, *sorted({before for before, _ in table if before}, key=lambda state: state.name)]
    for state in states:
        moves = [(event.value, after) for (before, event), after in table.items() if before is state]
        drawn = ", ".join(
            f"{event} → {'stays' if after is state else after.name}"
            for event, after in sorted(moves, key=itemgetter(0))
        )
        rows.append(f"| {state.name if state else '(none)'} | {drawn} |")
    return "\n".join(rows)
