"""What the commands print can be read, and copied."""

import pytest

from onchain_exec.cli.printing import output

HASH = "0x" + "ab" * 32


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setattr(output.tables, "_width", 40)


def test_print_facts_in_a_narrow_window_breaks_no_word(capsys):
    output.print_facts("Order", [("state", "FILLED"), ("transaction", f"{HASH} in a block of its own")])
    title, state, tx_hash, rest = capsys.readouterr().out.splitlines()
    assert title == "Order"
    assert state == "state        FILLED"
    assert tx_hash == f"transaction  {HASH}"
    assert rest == f"{'':13}in a block of its own"


def test_print_facts_of_nothing_prints_the_title(capsys):
    output.print_facts("No cycle gains after gas", [])
    assert capsys.readouterr().out == "No cycle gains after gas\n"


def test_print_table_without_rows_says_that_there_are_none(capsys):
    output.print_table("Orders", ("Order", "#Sold"), iter(()))
    assert capsys.readouterr().out == "Orders: none\n"
