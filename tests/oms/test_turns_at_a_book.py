"""One process at a time settles a book, in either database, and another goes on when it ends or hangs."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from oms.builders import CHAIN_ID
from onchain_exec.core import to_address
from onchain_exec.errors import FencedError
from onchain_exec.oms import Journal

BOOK, OTHER_BOOK = to_address("0x" + "11" * 20), to_address("0x" + "22" * 20)


def test_hold_turn_one_process_has_it_until_it_ends(journal_place: str) -> None:
    first = Journal.open(journal_place)
    with Journal.open(journal_place) as second:
        first.hold_turn(CHAIN_ID, BOOK)
        first.hold_turn(CHAIN_ID, BOOK)
        second.hold_turn(CHAIN_ID, OTHER_BOOK)
        second.hold_turn(CHAIN_ID + 1, BOOK)
        with pytest.raises(FencedError):
            second.hold_turn(CHAIN_ID, BOOK)
        first.close()
        second.hold_turn(CHAIN_ID, BOOK)


def test_hold_turn_of_a_process_that_hangs_ends_with_its_lease(postgres_url: str) -> None:
    with Journal.open(postgres_url) as hung, Journal.open(postgres_url) as next_one:
        hung.hold_turn(CHAIN_ID, BOOK)
        engine = create_engine(postgres_url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("update leases set ends_at = 0"))  # as if its time had passed
        next_one.hold_turn(CHAIN_ID, BOOK)
        with pytest.raises(FencedError):
            hung.hold_turn(CHAIN_ID, BOOK)
