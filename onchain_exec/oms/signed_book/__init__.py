"""Signed orders that rest, kept beside the journal's lines in the same database."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.oms.signed_book.store import Changes, SignedBook
    from onchain_exec.oms.signed_book.terms import order_to_json
    from onchain_exec.oms.signed_book.view import BookedOrder, RestState
    from onchain_exec.oms.signed_book.writing import BookLimits

__all__ = ["BookLimits", "BookedOrder", "Changes", "RestState", "SignedBook", "order_to_json"]

load_when_asked(__name__)
