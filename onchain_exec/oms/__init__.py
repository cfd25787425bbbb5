"""Orders, nonces and fills: the journal, its state tables, and reconciliation with the chain."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.oms.book.fill import Fill
    from onchain_exec.oms.book.parents import ParentView
    from onchain_exec.oms.book.states import OrderEvent, OrderState, SlotState
    from onchain_exec.oms.book.switches import (
        EVERYTHING,
        SETTLE,
        SWAPS,
        Switch,
        SwitchState,
        get_account_scope,
        get_venue_scope,
        is_killed,
        list_paused_venues,
        parse_scope,
        require_not_killed,
        require_running,
        require_venues_running,
    )
    from onchain_exec.oms.book.terms import QuoteTerms
    from onchain_exec.oms.book.views import Attempt, Failure, IntentView, OrderView, SlotKey, SlotView
    from onchain_exec.oms.breaks import Break, BreakCode
    from onchain_exec.oms.journal import Journal, OpenWork
    from onchain_exec.oms.reconcile import Reconciliation, reconcile
    from onchain_exec.oms.recover import Recovery, recover

__all__ = [
    "EVERYTHING",
    "SETTLE",
    "SWAPS",
    "Attempt",
    "Break",
    "BreakCode",
    "Failure",
    "Fill",
    "IntentView",
    "Journal",
    "OpenWork",
    "OrderEvent",
    "OrderState",
    "OrderView",
    "ParentView",
    "QuoteTerms",
    "Reconciliation",
    "Recovery",
    "SlotKey",
    "SlotState",
    "SlotView",
    "Switch",
    "SwitchState",
    "get_account_scope",
    "get_venue_scope",
    "is_killed",
    "list_paused_venues",
    "parse_scope",
    "reconcile",
    "recover",
    "require_not_killed",
    "require_running",
    "require_venues_running",
]

load_when_asked(__name__)
