"""What an account does at a venue itself: its calls, what they may take, and what must hold after them."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.address import Address
from onchain_exec.core.condition import Condition
from onchain_exec.core.token import Token


@dataclass(frozen=True, slots=True)
class Spend:
    """What a call may take of the account: at most ``amount`` base units of ``token``. ``spender`` is
    who pulls it and needs an allowance; None where the venue takes it without."""

    token: Address
    amount: int
    spender: Address | None = None


@dataclass(frozen=True, slots=True)
class VenueCall:
    """One action as the call that the account itself makes. ``label`` is the action for people, and
    ``tokens`` are what they read its amounts in, as far as that was known."""

    label: str
    to: Address
    data: bytes
    value_wei: int = 0
    spends: tuple[Spend, ...] = ()
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionOrder:
    """An order to make ``calls`` at ``venue``, one after the other, all or nothing.

    ``conditions`` must hold after them, or all of it reverts on chain, as it does past ``expires_at``
    (unix seconds); one call without a condition has no such deadline on chain, but a recovery after it
    cancels what is not mined. ``order_id`` is unique in a journal, ``client_order_id`` the caller's
    idempotency key. ``fingerprint`` is of what was asked for, where the calls that do it follow the time or
    the account's state; empty where they say it themselves. ``through`` are the other venues that the calls
    go through: who stops one of them stops this. ``takes_back`` says that it does nothing but make
    worthless what the account signed before, which a pause does not stop.
    """

    order_id: str
    client_order_id: str
    account: Address
    venue: str
    calls: tuple[VenueCall, ...]
    conditions: tuple[Condition, ...]
    expires_at: int
    fingerprint: str = ""
    takes_back: bool = False
    through: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The actions for people."""
        return ", then ".join(call.label for call in self.calls)

    @property
    def venues(self) -> tuple[str, ...]:
        """Everything that it goes through."""
        return self.venue, *self.through

    @property
    def is_guarded(self) -> bool:
        """Whether the calls go through the Guard: it takes one to make several of them one."""
        return bool(self.conditions) or len(self.calls) > 1

    @property
    def spends(self) -> tuple[Spend, ...]:
        """What all the calls may take, in their order."""
        return tuple(spend for call in self.calls for spend in call.spends)

    @property
    def pulled(self) -> tuple[Spend, ...]:
        """Those of the spends that need an allowance."""
        return tuple(spend for spend in self.spends if spend.spender is not None)
