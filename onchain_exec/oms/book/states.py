"""The state machines, as data: an order, the parent of several, and the nonce slot that carries one.

What is not in a table is illegal and raises. ``None`` is the state before the first event.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from onchain_exec.errors import IllegalTransitionError


class _Label(enum.Enum):
    __hash__ = object.__hash__  # by identity, as equality is; Enum's own takes a call

    def __str__(self) -> str:
        return str(self.value)


class OrderState(_Label):
    """Where an order, or a parent, stands. FILLED, FAILED and CANCELLED are provisional until `final`, and so
    is EXPIRED of an intent."""

    NEW = "NEW"  # accepted, no swap bytes exist
    DENIED = "DENIED"  # refused by a check
    REJECTED = "REJECTED"  # failed before any swap bytes existed
    EXPIRED = "EXPIRED"  # its time passed unsigned, or its intent's unfilled; of a parent: before it was full
    WORKING = "WORKING"  # swap bytes, or an intent, exist; whether they will be mined is not known
    PARTIAL = "PARTIAL"  # a parent some of whose children are filled
    FILLED = "FILLED"  # mined and successful
    FAILED = "FAILED"  # mined and reverted, or a stranger consumed the nonce
    BUSTED = "BUSTED"  # was filled, and a reorg took the block away; its bytes are still good
    CANCEL_PENDING = "CANCEL_PENDING"  # to be cancelled; a cancel competes, or will, for the nonce
    CANCELLED = "CANCELLED"  # the cancel won, came before any swap bytes existed, or the intent lapsed


class OrderEvent(_Label):
    """What can happen to an order."""

    ACCEPT = "accept"
    DENY = "deny"
    REJECT = "reject"
    EXPIRE = "expire"
    SIGN = "sign"
    FILL_PART = "fill_part"
    FILL = "fill"
    REVERT = "revert"
    LOSE_NONCE = "lose_nonce"
    LAPSE = "lapse"
    ORPHAN = "orphan"
    ASK_CANCEL = "ask_cancel"
    SIGN_CANCEL = "sign_cancel"
    CANCEL = "cancel"


class Fate(_Label):
    """How an intent ended."""

    FILLED = "FILLED"
    LAPSED = "LAPSED"  # its deadline passed, and nobody had filled it
    WITHDRAWN = "WITHDRAWN"  # its owner passed its lane on chain


class SlotState(_Label):
    """Where one nonce of one account stands. Only a finalised consumer closes it (FINAL)."""

    RESERVED = "RESERVED"  # promised to an order, nothing signed
    SIGNED = "SIGNED"  # signed bytes are durable, no word from a node about the newest
    SENT = "SENT"  # bytes left the process, or may have
    SEEN = "SEEN"  # a node knew the bytes when it was asked
    MINED = "MINED"  # consumed by our transaction
    REPLACED = "REPLACED"  # consumed by our cancel
    FOREIGN = "FOREIGN"  # consumed by a transaction that is not in the journal
    CONFIRMED = "CONFIRMED"  # consumed by us, deep enough by policy
    FINAL = "FINAL"  # its consumer is finalised
    ORPHANED = "ORPHANED"  # its consumer left the chain: its signed bytes are good again


class SlotEvent(_Label):
    """What can happen to a slot."""

    RESERVE = "reserve"
    SIGN = "sign"
    SEND = "send"
    SEE = "see"
    REFUSE = "refuse"
    MINE = "mine"
    REPLACE = "replace"
    LOSE = "lose"
    CONFIRM = "confirm"
    FINALISE = "finalise"
    ORPHAN = "orphan"
    GIVE_BACK = "give_back"


_O, _OE, _S, _SE = OrderState, OrderEvent, SlotState, SlotEvent

CONSUMED: Final = frozenset({_S.MINED, _S.REPLACED, _S.FOREIGN, _S.CONFIRMED})
"""Slots with a canonical consumer that a reorg can still take away."""

OPEN: Final = frozenset({_S.SIGNED, _S.SENT, _S.SEEN, _S.ORPHANED})
"""Slots whose signed bytes may still be mined."""

UNDECIDED: Final = frozenset({_O.NEW, _O.WORKING, _O.BUSTED, _O.CANCEL_PENDING})
"""Orders without an end."""

_CONSUMERS: Final = {_SE.MINE: _S.MINED, _SE.REPLACE: _S.REPLACED, _SE.LOSE: _S.FOREIGN}

ORDER_TABLE: Final[Mapping[tuple[OrderState | None, OrderEvent], OrderState]] = MappingProxyType(
    {
        (None, _OE.ACCEPT): _O.NEW,
        (None, _OE.DENY): _O.DENIED,
        (None, _OE.REJECT): _O.REJECTED,
        (_O.NEW, _OE.DENY): _O.DENIED,
        (_O.NEW, _OE.REJECT): _O.REJECTED,
        (_O.NEW, _OE.EXPIRE): _O.EXPIRED,
        (_O.NEW, _OE.ASK_CANCEL): _O.CANCELLED,
        (_O.NEW, _OE.SIGN): _O.WORKING,
        **{(state, _OE.SIGN): state for state in (_O.WORKING, _O.BUSTED)},  # the same swap for a higher fee
        **{
            (state, event): after
            for state in (_O.WORKING, _O.BUSTED, _O.CANCEL_PENDING)
            for event, after in (
                (_OE.FILL, _O.FILLED),
                (_OE.REVERT, _O.FAILED),
                (_OE.LOSE_NONCE, _O.FAILED),
                (_OE.ASK_CANCEL, _O.CANCEL_PENDING),
                (_OE.SIGN_CANCEL, _O.CANCEL_PENDING),
                (_OE.CANCEL, _O.CANCELLED),
            )
        },
        (_O.WORKING, _OE.LAPSE): _O.EXPIRED,
        (_O.BUSTED, _OE.LAPSE): _O.EXPIRED,
        (_O.CANCEL_PENDING, _OE.LAPSE): _O.CANCELLED,
        (_O.FILLED, _OE.ORPHAN): _O.BUSTED,
        (_O.FAILED, _OE.ORPHAN): _O.WORKING,
        (_O.EXPIRED, _OE.ORPHAN): _O.WORKING,
        (_O.CANCELLED, _OE.ORPHAN): _O.CANCEL_PENDING,
    }
)

_ALIVE: Final = (_O.NEW, _O.WORKING, _O.PARTIAL, _O.BUSTED)
_ENDED: Final = (_O.CANCELLED, _O.EXPIRED, _O.DENIED, _O.REJECTED)

PARENT_TABLE: Final[Mapping[tuple[OrderState | None, OrderEvent], OrderState]] = MappingProxyType(
    {
        (None, _OE.ACCEPT): _O.NEW,
        **{
            (state, event): after
            for state in _ALIVE
            for event, after in (
                (_OE.SIGN, _O.WORKING if state is _O.NEW else state),
                (_OE.FILL_PART, _O.PARTIAL),
                (_OE.FILL, _O.FILLED),
                (_OE.ASK_CANCEL, _O.CANCEL_PENDING),
                (_OE.EXPIRE, _O.EXPIRED),
                (_OE.DENY, _O.DENIED),
                (_OE.REJECT, _O.REJECTED),
            )
        },
        (_O.PARTIAL, _OE.ORPHAN): _O.WORKING,
        (_O.FILLED, _OE.ORPHAN): _O.BUSTED,
        (_O.BUSTED, _OE.ORPHAN): _O.BUSTED,
        (_O.CANCEL_PENDING, _OE.ASK_CANCEL): _O.CANCEL_PENDING,
        (_O.CANCEL_PENDING, _OE.CANCEL): _O.CANCELLED,
        # what its children do is counted, wherever the parent stands
        **{
            (state, event): after
            for state in (_O.CANCEL_PENDING, *_ENDED)
            for event, after in (
                (_OE.FILL_PART, state),
                (_OE.FILL, _O.FILLED),
                (_OE.ORPHAN, state),
                (_OE.SIGN, state),
            )
        },
    }
)

SLOT_TABLE: Final[Mapping[tuple[SlotState | None, SlotEvent], SlotState]] = MappingProxyType(
    {
        (None, _SE.RESERVE): _S.RESERVED,
        (_S.RESERVED, _SE.RESERVE): _S.RESERVED,
        (_S.RESERVED, _SE.SIGN): _S.SIGNED,
        (_S.RESERVED, _SE.LOSE): _S.FOREIGN,
        **{(state, _SE.SIGN): _S.SIGNED for state in OPEN},
        **{(state, _SE.SEND): _S.SENT for state in OPEN - {_S.SEEN}},
        (_S.SEEN, _SE.SEND): _S.SEEN,
        **{(state, _SE.SEE): _S.SEEN for state in OPEN},
        **{(state, _SE.REFUSE): state for state in OPEN},
        **{(state, event): after for state in OPEN for event, after in _CONSUMERS.items()},
        # a late word about a send says nothing new once the nonce is consumed
        **{
            (state, event): state
            for state in CONSUMED | {_S.FINAL}
            for event in (_SE.SEND, _SE.SEE, _SE.REFUSE)
        },
        (_S.MINED, _SE.CONFIRM): _S.CONFIRMED,
        **{(state, _SE.FINALISE): _S.FINAL for state in CONSUMED},
        **{(state, _SE.ORPHAN): _S.ORPHANED for state in CONSUMED},
        # a reorg took a stranger's away, and nothing of ours is signed
        (_S.FOREIGN, _SE.GIVE_BACK): _S.RESERVED,
    }
)

State = TypeVar("State", OrderState, SlotState)
Happening = TypeVar("Happening", OrderEvent, SlotEvent)


def next_order_state(state: OrderState | None, event: OrderEvent, order_id: str) -> OrderState:
    """Return the state after ``event``, or raise IllegalTransitionError naming both."""
    return _next(ORDER_TABLE, state, event, "order", order_id)


def next_parent_state(state: OrderState | None, event: OrderEvent, order_id: str) -> OrderState:
    """Return the parent's state after ``event``, or raise IllegalTransitionError naming both."""
    return _next(PARENT_TABLE, state, event, "parent order", order_id)


def next_slot_state(state: SlotState | None, event: SlotEvent, slot: object) -> SlotState:
    """Return the state after ``event``, or raise IllegalTransitionError naming both."""
    return _next(SLOT_TABLE, state, event, "slot", slot)


def _next(
    table: Mapping[tuple[State | None, Happening], State],
    state: State | None,
    event: Happening,
    *what: object,
) -> State:
    try:
        return table[state, event]
    except KeyError as error:
        legal = ", ".join(legal_event.name for legal_state, legal_event in table if legal_state is state)
        raise IllegalTransitionError(
            f"{' '.join(map(str, what))} met {event.name} in state {state.name if state else 'none'}",
            needed=f"one of: {legal}" if legal else "no event at all: the state is terminal",
        ) from error
