"""What people may stop: everything, an account, or a venue that something of ours goes through."""

from __future__ import annotations

from typing import Final

from onchain_exec.app.pools.discovery import PROTOCOLS
from onchain_exec.app.positions.reads import VENUES
from onchain_exec.app.rfq.settling import VENUE as SETTLE_RFQ
from onchain_exec.errors import InputError
from onchain_exec.oms import SETTLE, SWAPS, parse_scope

STOPPABLE: Final = (*PROTOCOLS, *VENUES, SETTLE, SETTLE_RFQ, SWAPS)
"""The last are no protocols: whatever the Settle contract settles, be it a solver's batch, an intent or a
quote; quotes alone; and every trade with pools, whatever their protocol."""


def parse_stop(text: str) -> str:
    """Return the scope of a stop, or of its end, as the journal names it: ``all``, ``account:0x...``, or
    ``venue:NAME``. A venue that nothing goes through is misspelt, and to stop it would stop nothing.

    Raises:
        InputError: it is none of these.
        AddressError: the account is no address.
    """
    scope = parse_scope(text)
    kind, _, name = scope.partition(":")
    if kind == "venue" and name not in STOPPABLE:
        raise InputError(f"no venue {name!r}", needed=f"one of {', '.join(STOPPABLE)}")
    return scope
