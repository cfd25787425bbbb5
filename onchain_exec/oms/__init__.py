"""Orders, nonces and fills: the journal, its state tables, and reconciliation with the chain."""

from onchain_exec.oms.book.fill import Fill
from onchain_exec.oms.book.states import OrderState, SlotState
from onchain_exec.oms.book.terms import QuoteTerms
from onchain_exec.oms.book.views import Attempt, Failure, OrderView, SlotKey, SlotView
from onchain_exec.oms.journal import Journal, OpenWork

__all__ = [
    "Attempt",
    "Failure",
    "Fill",
    "Journal",
    "OpenWork",
    "OrderState",
    "OrderView",
    "QuoteTerms",
    "SlotKey",
    "SlotState",
    "SlotView",
]
