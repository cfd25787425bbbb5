"""Orders, nonces and fills: the journal, its state tables, and reconciliation with the chain."""

from onchain_exec.oms.book.fill import Fill
from onchain_exec.oms.book.states import OrderState, SlotState
from onchain_exec.oms.book.terms import QuoteTerms
from onchain_exec.oms.book.views import Attempt, Failure, OrderView, SlotKey, SlotView
from onchain_exec.oms.journal import Journal, OpenWork
from onchain_exec.oms.reconcile import Break, BreakCode, Reconciliation, reconcile
from onchain_exec.oms.recover import Recovery, recover

__all__ = [
    "Attempt",
    "Break",
    "BreakCode",
    "Failure",
    "Fill",
    "Journal",
    "OpenWork",
    "OrderState",
    "OrderView",
    "QuoteTerms",
    "Reconciliation",
    "Recovery",
    "SlotKey",
    "SlotState",
    "SlotView",
    "reconcile",
    "recover",
]
