"""What others may pull from our accounts, as the chain was last found to have it.

No transaction of ours says all of it: swaps use allowances up, tokens treat endless ones each in its own
way, and a stranger with the key may grant some. So reconciliation reads them, and corrects the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.views import AllowanceKey, Found


def correct(book: Book, found: Mapping[AllowanceKey, int]) -> Iterator[Event]:
    """Yield what the chain has otherwise than the book."""
    for key, amount in sorted(found.items()):
        before = book.allowances.get(key, Found())
        if before.amount != amount:
            yield _allowance_found(key, amount, before)


def note_allowance(book: Book, event: Event, recorded_at: int) -> None:
    """Take in a correction."""
    key = AllowanceKey.parse(event.payload["allowance"])
    before = book.allowances.get(key, Found())
    book.allowances[key] = Found(int(event.payload["amount"]), before.times + 1)


def _allowance_found(key: AllowanceKey, amount: int, before: Found) -> Event:
    payload: dict[str, Any] = {"allowance": str(key), "amount": str(amount), "before": str(before.amount)}
    return Event(f"allowance_found/{key}/{before.times}", EventKind.ALLOWANCE_FOUND, "", None, payload)
