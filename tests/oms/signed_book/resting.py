"""Signed orders for a book that verifies nothing: no signature is looked at here."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any, Final

from onchain_exec.clearing.settle import Domain, Scheme, SettleOrder, Signed
from onchain_exec.clearing.settle.order_book import BookedFill, OpenOrder
from onchain_exec.core import to_address
from onchain_exec.oms.signed_book import SignedBook

NOW: Final = 1_700_000_000
DOMAIN: Final = Domain(1337, to_address("0x" + "5e" * 20))
MAKER, OTHER = to_address("0x" + "a1" * 20), to_address("0x" + "b2" * 20)
SOLD, BOUGHT = to_address("0x" + "11" * 20), to_address("0x" + "22" * 20)
SIZE: Final = 1_000


def make_resting(seq: int, **terms: Any) -> OpenOrder:
    order = SettleOrder(
        **{
            "owner": MAKER,
            "token_in": SOLD,
            "token_out": BOUGHT,
            "amount_in": SIZE,
            "amount_out": 3 * SIZE,
            "deadline_at": NOW + 60,
            "seq": seq,
        }
        | terms
    )
    return OpenOrder(DOMAIN.get_digest(order), order, Signed(Scheme.PRESIGN))


def make_fill(resting: OpenOrder, amount: int, block_number: int, log_index: int = 0) -> BookedFill:
    """Return a fill that counts ``amount`` of the order's size."""
    paid = 3 * amount
    return BookedFill(
        digest=resting.digest,
        amount_in=amount,
        amount_out=paid,
        fee=0,
        tx_hash=f"0x{block_number:064x}",
        block_number=block_number,
        block_hash=f"0x{block_number:064x}",
        log_index=log_index,
    )


def place_journal(folder: Path, base: Path) -> Path:
    """Return the path of an empty journal in a folder: a copy of one that was made once under ``base``, since
    making its tables takes longer than most tests."""
    return Path(shutil.copy(_make_empty(base), folder / "journal.sqlite"))


@cache
def _make_empty(base: Path) -> Path:
    path = base / "empty_journal.sqlite"
    SignedBook.open(path, DOMAIN).close()
    return path
