"""The drawing says what the table says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from onchain_exec.oms.book.drawing import draw_table
from onchain_exec.oms.book.states import ORDER_TABLE, PARENT_TABLE, SLOT_TABLE


def parse_drawing(text: str) -> set[tuple[str, str, str]]:
    moves = set()
    for row in text.splitlines()[2:]:
        state, drawn = (cell.strip() for cell in row.strip("|").split("|"))
        for move in drawn.split(", "):
            event, after = move.split(" → ")
            moves.add((state, event, state if after == "stays" else after))
    return moves


@pytest.mark.parametrize("table", [ORDER_TABLE, PARENT_TABLE, SLOT_TABLE], ids=["orders", "parents", "slots"])
def test_draw_table_read_back_is_the_table(table):
    expected = {
        (before.name if before else "(none)", event.value, after.name)
        for (before, event), after in table.items()
    }
    assert parse_drawing(draw_table(table)) == expected


@pytest.mark.parametrize("table", [ORDER_TABLE, PARENT_TABLE, SLOT_TABLE], ids=["orders", "parents", "slots"])
def test_readme_shows_the_table_as_drawn(table):
    assert draw_table(table).strip() in (Path(__file__).parents[3] / "README.md").read_text("utf-8")
