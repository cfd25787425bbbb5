"""What people may stop: everything, an account, or a venue. A journal event each, so that a stop holds in
every process of the journal and after a restart."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import Address, format_time, to_address
from onchain_exec.errors import HaltedError, InputError

EVERYTHING: Final = "all"
_VENUE: Final = "venue:"

SWAPS: Final = "swaps"
"""The venue that every trade with pools goes through, whatever their protocol, alone or with others."""

SETTLE: Final = "settle"
"""The venue that everything goes through which the Settle contract settles."""


class SwitchState(enum.Enum):
    """How far a scope may go."""

    RUNNING = "RUNNING"
    PAUSED = (
        "PAUSED"  # nothing new is begun; what was signed is looked after: sent again, replaced, cancelled
    )
    KILLED = "KILLED"  # nothing is signed and nothing is sent, not even what was signed before


_STOPPED: Final = frozenset({SwitchState.PAUSED, SwitchState.KILLED})


@dataclass(frozen=True, slots=True)
class Switch:
    """A scope's newest setting; ``times`` counts how often it was set, ``set_at`` is unix seconds."""

    scope: str
    state: SwitchState
    reason: str
    set_at: int
    times: int

    def to_json(self) -> dict[str, Any]:
        """Return the switch as JSON values."""
        return {
            "scope": self.scope,
            "state": self.state.value,
            "reason": self.reason,
            "set_at": self.set_at,
        }


Switches = Mapping[str, Switch]
"""By scope; one that is not there runs."""


def get_account_scope(account: Address) -> str:
    """Return the scope of one account, on every chain."""
    return f"account:{account}"


def get_venue_scope(protocol: str) -> str:
    """Return the scope of one protocol, such as ``uniswap_v3``, or of another place that a journal names."""
    return _VENUE + protocol


def parse_scope(text: str) -> str:
    """Return a scope as the journal names it: ``all``, ``account:0x...``, or ``venue:NAME``.

    Raises:
        InputError: it is none of these.
        AddressError: the account is no address.
    """
    kind, _, name = text.partition(":")
    if kind == "account":
        return get_account_scope(to_address(name))
    if text != EVERYTHING and not (kind == "venue" and name):
        raise InputError(f"the scope {text!r}", needed="all, account:0x..., or venue:NAME")
    return text


def list_paused_venues(switches: Switches) -> frozenset[str]:
    """Return the protocols that no new order may go through."""
    return frozenset(
        switch.scope.removeprefix(_VENUE)
        for switch in switches.values()
        if switch.scope.startswith(_VENUE) and switch.state in _STOPPED
    )


def is_killed(switches: Switches, account: Address | None = None) -> bool:
    """Return whether everything, or this account, is killed."""
    scopes = (EVERYTHING, get_account_scope(account) if account else EVERYTHING)
    return any(scope in switches and switches[scope].state is SwitchState.KILLED for scope in scopes)


def require_not_killed(switches: Switches, account: Address) -> None:
    """Raise HaltedError if nothing of the account's may be signed or sent."""
    _require(switches, _list_scopes(account), {SwitchState.KILLED})


def require_running(switches: Switches, account: Address) -> None:
    """Raise HaltedError if the account may begin nothing new."""
    _require(switches, _list_scopes(account), _STOPPED)


def require_venues_running(switches: Switches, venues: Iterable[str]) -> None:
    """Raise HaltedError if nothing new may be begun at one of the venues: a kind, or ``KIND:ADDRESS``."""
    _require(switches, (get_venue_scope(venue.partition(":")[0]) for venue in venues), _STOPPED)


def _list_scopes(account: Address) -> tuple[str, ...]:
    return EVERYTHING, get_account_scope(account)


def _require(switches: Switches, scopes: Iterable[str], forbidden: Set[SwitchState]) -> None:
    for scope in scopes:
        switch = switches.get(scope)
        if switch and switch.state in forbidden:
            since = f"{switch.state.value} since {format_time(switch.set_at)}"
            raise HaltedError(
                f"{scope} is {since}: {switch.reason or 'no reason'}",
                needed=f"{scope} running",
                todo=f"`onchain-exec resume --scope {scope}` when it is safe",
            )
