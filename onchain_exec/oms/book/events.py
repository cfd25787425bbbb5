"""The journal's events. An id is made from what happened, so the same event twice is one event.

Ids that can recur after a reorg (mined, orphaned, mined in the same block again) carry how often
the slot, or intent, was orphaned before.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import msgspec

from onchain_exec.clearing.settle.events import Filled
from onchain_exec.core import Address, Order, ParentOrder, Receipt
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import OnchainExecError
from onchain_exec.execution.channels import Decision
from onchain_exec.execution.delivery.outcome import Accepted, AlreadyKnown, Ambiguous, Rejected, SendOutcome
from onchain_exec.execution.plan import Purpose, SignedTx
from onchain_exec.oms.book.action_terms import action_to_json, get_action_moves, get_call_moves
from onchain_exec.oms.book.fill import get_moved_amounts
from onchain_exec.oms.book.parent_terms import parent_to_json
from onchain_exec.oms.book.states import OrderEvent
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.oms.book.switches import Switch, SwitchState
from onchain_exec.oms.book.terms import QuoteTerms, order_to_json
from onchain_exec.oms.book.views import Consumer, Failure, OrderView, SlotKey, SlotView
from onchain_exec.risk import Approved, Denied
from onchain_exec.risk.action import DeniedAction
from onchain_exec.routing import Quote


class EventKind(enum.Enum):
    """What a journal line says."""

    ORDER_ACCEPTED = "order_accepted"
    ORDER_DENIED = "order_denied"
    ORDER_REJECTED = "order_rejected"
    ORDER_EXPIRED = "order_expired"
    PARENT_ACCEPTED = "parent_accepted"
    PARENT_ENDED = "parent_ended"
    CANCEL_ASKED = "cancel_asked"
    SWITCH_SET = "switch_set"
    NONCE_RESERVED = "nonce_reserved"
    TX_SIGNED = "tx_signed"
    TX_SENT = "tx_sent"
    TX_MINED = "tx_mined"
    SLOT_CONFIRMED = "slot_confirmed"
    SLOT_FINAL = "slot_final"
    SLOT_ORPHANED = "slot_orphaned"
    SLOT_FOREIGN = "slot_foreign"
    ALLOWANCE_FOUND = "allowance_found"
    TX_LEAKED = "tx_leaked"
    CHANNEL_CHOSEN = "channel_chosen"
    TRADE_WATCHED = "trade_watched"
    INTENT_SIGNED = "intent_signed"
    INTENT_POSTED = "intent_posted"
    INTENT_ENDED = "intent_ended"
    INTENT_ORPHANED = "intent_orphaned"
    INTENT_FINAL = "intent_final"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened. ``payload`` holds JSON values; integers that can pass 2**53 are text."""

    event_id: str
    kind: EventKind
    order_id: str
    slot: SlotKey | None = None
    payload: dict[str, Any] = msgspec.field(default_factory=dict)

    def __str__(self) -> str:
        about = self.slot or self.order_id
        return f"{self.kind.value} {about}" if about else self.event_id


def order_accepted(order: Order, quote: Quote, *, promised: bool = False) -> Event:
    """The order passed the checks on ``quote``; ``promised`` as `OrderView.promised`."""
    terms = {"order": order_to_json(order), "quote": QuoteTerms.of(quote).to_json()}
    payload = {**terms, "promised": promised}
    return Event(f"order_accepted/{order.order_id}", EventKind.ORDER_ACCEPTED, order.order_id, None, payload)


def revocation_accepted(order_id: str, *, promised: bool = False) -> Event:
    """An approval is to be taken back: an order without terms, which swaps nothing."""
    payload: dict[str, Any] = {"order": None, "quote": None, "promised": promised}
    return Event(f"order_accepted/{order_id}", EventKind.ORDER_ACCEPTED, order_id, None, payload)


def action_accepted(order: ActionOrder, *, promised: bool = False) -> Event:
    """What an account is to do at a venue passed the checks: an order that swaps nothing."""
    payload = {"order": None, "quote": None, "action": action_to_json(order), "promised": promised}
    return Event(f"order_accepted/{order.order_id}", EventKind.ORDER_ACCEPTED, order.order_id, None, payload)


def action_denied(denied: DeniedAction) -> Event:
    """A check refused what an account was to do at a venue."""
    order_id = denied.order.order_id
    payload = {"order": None, "action": action_to_json(denied.order), "failure": _to_failure(denied)}
    return Event(f"order_denied/{order_id}", EventKind.ORDER_DENIED, order_id, None, payload)


def order_denied(quote: Quote, denied: Denied) -> Event:
    """A check refused the order."""
    payload = {
        "order": order_to_json(denied.order),
        "quote": QuoteTerms.of(quote).to_json(),
        "failure": _to_failure(denied),
    }
    order_id = denied.order.order_id
    return Event(f"order_denied/{order_id}", EventKind.ORDER_DENIED, order_id, None, payload)


def order_rejected(order_id: str, error: OnchainExecError) -> Event:
    """The order failed before any swap bytes existed."""
    return _rejected(order_id, error.code, error.found, error.needed, error.todo)


def approval_failed(slot: SlotView, reason: str = "") -> Event:
    """The approval that an order waited for is not to come: another took its nonce, or it reverted for
    ``reason``. ``slot`` has its consumer."""
    taker = slot.consumer.tx_hash if slot.consumer else ""
    attempt, place = slot.get_attempt(taker), f"nonce {slot.key.nonce} of {slot.key.account}"
    todo = "Nothing was swapped, and nothing will be; give a new order if it is still wanted"
    if attempt is None:
        found = (
            f"{place}, its approval's, was consumed by {taker or 'a transaction'} that is not in this journal"
        )
        todo = f"Find out who else holds the key, unless it was you. {todo}"
    elif attempt.tx.purpose is Purpose.CANCEL:
        found = f"{place}, its approval's, was consumed by the cancel {taker}"
    else:
        found = f"its approval {taker} reverted: {reason or 'no reason given'}"
    needed = "the approval, mined: by it the swap pulls what it sells"
    return _rejected(slot.order_id, "APPROVAL_FAILED", found, needed, todo)


def _rejected(order_id: str, code: str, found: str, needed: str, todo: str) -> Event:
    failure = {"code": code, "found": found, "needed": needed, "todo": todo}
    return Event(f"order_rejected/{order_id}", EventKind.ORDER_REJECTED, order_id, None, {"failure": failure})


def order_expired(order: Order | ActionOrder) -> Event:
    """The time of an order, or action, passed before any bytes of it existed."""
    failure = {
        "code": "EXPIRED",
        "found": f"the order expired at {order.expires_at} before it was signed",
        "needed": "a transaction before that",
        "todo": "Give a new order; nothing was sent",
    }
    return Event(
        f"order_expired/{order.order_id}", EventKind.ORDER_EXPIRED, order.order_id, None, {"failure": failure}
    )


def parent_accepted(parent: ParentOrder, *, promised: bool = False) -> Event:
    """A parent order was taken in; it has no children yet. ``promised`` as `ParentView.promised`."""
    payload = {"parent": parent_to_json(parent), "promised": promised}
    return Event(
        f"parent_accepted/{parent.order_id}", EventKind.PARENT_ACCEPTED, parent.order_id, None, payload
    )


def parent_ended(order_id: str, happened: OrderEvent, failure: Failure) -> Event:
    """A parent order trades no more: it expired, was denied, or rejected (``happened`` says which)."""
    payload = {"happened": happened.value, "failure": failure.to_json()}
    return Event(f"parent_ended/{order_id}", EventKind.PARENT_ENDED, order_id, None, payload)


def cancel_asked(order_id: str, since: int) -> Event:
    """Somebody wants an order, or a parent and so its children, cancelled, as it stands ``since`` then."""
    return Event(f"cancel_asked/{order_id}/{since}", EventKind.CANCEL_ASKED, order_id)


def switch_set(before: Switch | None, scope: str, state: SwitchState, reason: str) -> Event:
    """A scope was stopped, or runs again."""
    times = before.times if before else 0
    payload = {"scope": scope, "state": state.value, "reason": reason}
    return Event(f"switch_set/{scope}/{times}", EventKind.SWITCH_SET, "", None, payload)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Who asks for a nonce: an order, for a purpose, in a session (a process)."""

    order_id: str
    purpose: Purpose
    session: str


def nonce_reserved(slot: SlotKey, wanted: Reservation, before: SlotView | None, floor: int) -> Event:
    """The slot is promised; ``floor`` is the highest nonce that the chain was seen to expect."""
    times = before.reserved if before else 0
    payload = {"purpose": wanted.purpose.value, "session": wanted.session, "floor": floor}
    return Event(f"nonce_reserved/{slot}/{times}", EventKind.NONCE_RESERVED, wanted.order_id, slot, payload)


def tx_signed(order_id: str, slot: SlotKey, signed: SignedTx, *, private: bool) -> Event:
    """Signed bytes stand in the slot. This line is durable before they leave the process."""
    plan = signed.simulated.plan
    swapped = plan.cause if plan.purpose is Purpose.SWAP and isinstance(plan.cause, Approved) else None
    payload = {
        "purpose": plan.purpose.value,
        "raw": "0x" + signed.raw.hex(),
        "tx_hash": signed.tx_hash,
        "quote": QuoteTerms.of(swapped.quote).to_json() if swapped else None,
        "private": private,
    }
    return Event(f"tx_signed/{signed.tx_hash}", EventKind.TX_SIGNED, order_id, slot, payload)


def tx_sent(slot: SlotView, outcome: SendOutcome) -> Event:
    """A node answered, or did not answer, a send of one of the slot's attempts."""
    takers: tuple[str, ...] = ()
    match outcome:
        case Accepted():
            reason, takers = "; ".join(outcome.refusals), outcome.takers
        case AlreadyKnown():
            reason = "; ".join(outcome.refusals)
        case Rejected() | Ambiguous():
            reason = outcome.reason
        case never:
            assert_never(never)
    name = type(outcome).__name__
    payload = {"tx_hash": outcome.tx_hash, "outcome": name, "reason": reason, "takers": list(takers)}
    event_id = f"tx_sent/{outcome.tx_hash}/{name}/{slot.orphaned}"
    return Event(event_id, EventKind.TX_SENT, slot.order_id, slot.key, payload)


def tx_mined(
    slot: SlotView,
    view: OrderView | None,
    receipt: Receipt,
    reason: str = "",
    fills: Iterable[tuple[Order, Filled]] = (),
) -> Event:
    """One of the slot's attempts stands in a canonical block; ``reason`` says why it reverted, ``fills`` are
    those of our own intents in it."""
    order, action = (view.order, view.action) if view else (None, None)
    attempt = slot.get_attempt(receipt.tx_hash)
    is_fill = receipt.success and order and attempt and attempt.tx.purpose is Purpose.SWAP
    amount_in, amount_out = get_moved_amounts(order, receipt) if is_fill and order else (0, 0)
    acted = action if attempt and attempt.tx.purpose is Purpose.ACTION else None
    payload = {
        **consumer_to_json(receipt.tx_hash, receipt.block_number, receipt.block_hash),
        "success": receipt.success,
        "reason": reason,
        "amount_in": str(amount_in),
        "amount_out": str(amount_out),
        "gas_cost_wei": str(receipt.cost_wei),
        "moved": _moves_to_json(get_action_moves(acted, receipt, fills)) if acted else [],
        "calls": [_moves_to_json(moves) for moves in get_call_moves(acted, receipt)] if acted else [],
    }
    event_id = f"tx_mined/{receipt.tx_hash}/{receipt.block_hash}/{slot.orphaned}"
    return Event(event_id, EventKind.TX_MINED, slot.order_id, slot.key, payload)


def slot_foreign(slot: SlotView, tx_hash: str) -> Event:
    """A transaction that is not ours consumed the nonce (``tx_hash`` empty where nobody knows it)."""
    event_id = f"slot_foreign/{slot.key}/{slot.orphaned}"
    return Event(event_id, EventKind.SLOT_FOREIGN, slot.order_id, slot.key, consumer_to_json(tx_hash, 0, ""))


def slot_step(kind: EventKind, slot: SlotView, consumer: Consumer) -> Event:
    """The slot's consumer was confirmed, finalised or orphaned (``kind`` says which)."""
    payload = consumer_to_json(consumer.tx_hash, consumer.block_number, consumer.block_hash)
    return Event(f"{kind.value}/{slot.key}/{slot.orphaned}", kind, slot.order_id, slot.key, payload)


def tx_leaked(slot: SlotView, tx_hash: str) -> Event:
    """Others were seen to have a private transaction of the slot that is in no block."""
    return Event(f"tx_leaked/{tx_hash}", EventKind.TX_LEAKED, slot.order_id, slot.key, {"tx_hash": tx_hash})


def channel_chosen(order_id: str, decision: Decision) -> Event:
    """Which way an order goes out was decided, for the first time or again."""
    event_id = f"channel_chosen/{order_id}/{decision.channel.value}/{decision.block_number}"
    return Event(event_id, EventKind.CHANNEL_CHOSEN, order_id, None, decision.to_json())


def trade_watched(slot: SlotView, found: Surroundings) -> Event:
    """The block of an order's fill was looked at for others around it."""
    event_id = f"trade_watched/{slot.order_id}/{found.block_hash}/{slot.orphaned}"
    return Event(event_id, EventKind.TRADE_WATCHED, slot.order_id, slot.key, found.to_json())


def _to_failure(denied: Denied | DeniedAction) -> dict[str, str]:
    return {"code": denied.code.value, "found": denied.found, "needed": denied.limit, "todo": denied.todo}


def _moves_to_json(moves: Mapping[Address, int]) -> list[list[str]]:
    return [[token, str(change)] for token, change in moves.items()]


def consumer_to_json(tx_hash: str, block_number: int, block_hash: str) -> dict[str, Any]:
    """Return what stands where, as JSON values."""
    return {"tx_hash": tx_hash, "block_number": block_number, "block_hash": block_hash}
