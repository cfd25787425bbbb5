"""Intents in the journal: what is appended, and what it means. An order has one at most, and then no swap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from onchain_exec.clearing.settle import Signed
from onchain_exec.clearing.settle.contract import FILLED
from onchain_exec.clearing.settle.events import Filled, decode_fills
from onchain_exec.core import Order, Receipt
from onchain_exec.core.block import BlockRef
from onchain_exec.errors import IllegalTransitionError, JournalError
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms.book import conduct, moves
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind, consumer_to_json
from onchain_exec.oms.book.intent_terms import SEQ, IntentTerms, LaneKey
from onchain_exec.oms.book.states import Fate, OrderEvent, OrderState
from onchain_exec.oms.book.switches import SETTLE, SWAPS, require_running, require_venues_running
from onchain_exec.oms.book.terms import QuoteTerms
from onchain_exec.oms.book.views import Consumer, Failure, IntentEnd, IntentView, OrderView
from onchain_exec.routing import Quote

TAKEN: Final = "taken"
"""What a book said that will show the intent, or has it already."""

_ENDS: Final = {
    Fate.FILLED: OrderEvent.FILL,
    Fate.LAPSED: OrderEvent.LAPSE,
    Fate.WITHDRAWN: OrderEvent.CANCEL,
}


def sign(book: Book, quote: Quote, terms: IntentTerms, signed: Signed) -> Iterator[Event]:
    """Yield the intent of an order, signed on a quote of it.

    Raises:
        JournalError: the order has signed bytes or an end, was promised to stay private, its lane is taken,
            or the signature is not its owner's for these terms.
        HaltedError: a pause, or the kill switch, forbids it.
    """
    view = book.orders[quote.order.order_id]
    if view.order is None:
        raise JournalError(f"order {view.order_id} swaps nothing", needed="terms to sign an intent of")
    require_running(book.switches, view.order.account)
    require_venues_running(book.switches, (SWAPS, SETTLE))
    _require_unsigned(book, view)
    if taken_by := book.lanes.get(terms.get_key(view.order)):
        raise JournalError(
            f"lane {terms.lane} is taken by order {taken_by}",
            needed="a lane of its own for each intent",
            todo="Take the next lane, and sign again; this signature must not be shown to anybody",
        )
    digest = terms.get_digest(view.order)
    if not signed.is_by_key(view.order.account, digest):
        raise JournalError(
            f"the signature of order {view.order_id}'s intent is not {view.order.account}'s",
            needed="its owner's signature for just these terms",
        )
    payload = {
        "terms": terms.to_json(),
        "digest": "0x" + digest.hex(),
        "signature": "0x" + signed.signature.hex(),
        "quote": QuoteTerms.of(quote).to_json(),
    }
    yield _event(EventKind.INTENT_SIGNED, view.order_id, payload)


def _require_unsigned(book: Book, view: OrderView) -> None:
    swaps = any(
        attempt.tx.purpose is Purpose.SWAP for key in view.slots for attempt in book.slots[key].attempts
    )
    if swaps or view.intent or view.state is not OrderState.NEW:
        raise JournalError(
            f"order {view.order_id} is {view.state.value}: it has signed bytes, or an end",
            needed="a NEW order",
            todo="Post what is journalled again; never sign anything else for the same order",
        )
    if view.stays_private:
        raise JournalError(
            f"order {view.order_id} was accepted under private_only, and a book shows it to everybody",
            needed="a private channel",
        )


def post(book: Book, order_id: str, answer: str, reason: str) -> Iterator[Event]:
    """Yield what the book answered, unless it has answered so already."""
    intent = _get(book.orders[order_id])
    payload = {"answer": answer, "reason": reason}
    yield _event(EventKind.INTENT_POSTED, order_id, payload, answer, intent.orphaned)


def end(book: Book, order_id: str, seen: IntentEnd | None, found: IntentEnd | None) -> Iterator[Event]:
    """Yield how the chain has an intent end, instead of the end that was ``seen`` in the journal by who found
    that; None: it is open. What somebody else has recorded since stands: he may have looked later."""
    intent = _get(book.orders[order_id])
    if intent.final or intent.end != seen or (seen and found and seen.is_same(found)):
        return
    if intent.end:
        payload = _consumer(intent.end)
        yield _event(EventKind.INTENT_ORPHANED, order_id, payload, intent.orphaned)
    if found:
        payload = {"fate": found.fate.value, **_consumer(found)}
        yield _event(EventKind.INTENT_ENDED, order_id, payload, _get(book.orders[order_id]).orphaned)


def finalise(book: Book, order_id: str) -> Iterator[Event]:
    """Yield that no reorg takes an intent's end away any more."""
    intent = _get(book.orders[order_id])
    if intent.end and not intent.final:
        yield _event(EventKind.INTENT_FINAL, order_id, _consumer(intent.end), intent.orphaned)


def note_signed(book: Book, event: Event, recorded_at: int) -> None:
    """Take in that an order is signed for the Settle contract."""
    payload, order = event.payload, _require_order(book.orders[event.order_id])
    terms = IntentTerms.from_json(payload["terms"])
    intent = IntentView(terms, payload["digest"], payload["signature"])
    quote = QuoteTerms.from_json(payload["quote"])
    moves.move(book, event.order_id, OrderEvent.SIGN, recorded_at, quote=quote, intent=intent)
    book.lanes[terms.get_key(order)] = event.order_id
    book.intents[event.order_id] = None


def note_posted(book: Book, event: Event, recorded_at: int) -> None:
    """Take in what the book answered."""
    view, payload = book.orders[event.order_id], event.payload
    intent = replace(_get(view), answer=payload["answer"], reason=payload["reason"])
    book.orders[event.order_id] = replace(view, intent=intent, updated_at=recorded_at)


def note_ended(book: Book, event: Event, recorded_at: int) -> None:
    """Take in that an intent was filled, has lapsed, or that its lane was passed."""
    view, payload = book.orders[event.order_id], event.payload
    consumer = Consumer(
        payload["tx_hash"],
        payload["block_number"],
        payload["block_hash"],
        int(payload["amount_in"]),
        int(payload["amount_out"]),
    )
    ended = IntentEnd(Fate(payload["fate"]), consumer)
    intent, changes = replace(_get(view), end=ended), dict[str, Any]()
    if ended.fate is Fate.FILLED:
        changes = {"fill": moves.make_fill(view, view.quote, consumer), "tx_hash": consumer.tx_hash}
    if ended.fate is Fate.LAPSED and view.state is not OrderState.CANCEL_PENDING:
        changes = {"failure": _lapsed(intent)}
    happened = _ENDS[ended.fate]
    moves.move(book, event.order_id, happened, recorded_at, intent=intent, **changes)
    _count(book, event.order_id, ended, 1)


def note_orphaned(book: Book, event: Event, recorded_at: int) -> None:
    """Take an end back, and with it the fill or failure that it made. The book is to be asked again: it may
    have dropped what it saw end."""
    intent = _get(book.orders[event.order_id])
    if intent.end:
        _count(book, event.order_id, intent.end, -1)
    back = {"fill": None, "failure": None, "tx_hash": ""}
    intent = replace(intent, end=None, answer="", reason="", orphaned=intent.orphaned + 1)
    moves.move(book, event.order_id, OrderEvent.ORPHAN, recorded_at, intent=intent, **back)


def note_final(book: Book, event: Event, recorded_at: int) -> None:
    """Take in that an end stands for good."""
    view = book.orders[event.order_id]
    intent = replace(_get(view), final=True)
    moves.put(book, replace(view, final=True, intent=intent, updated_at=recorded_at), recorded_at)
    moves.discard(book.intents, event.order_id)
    if intent.end:
        moves.keep_highest(book.newest_final, intent.terms.chain_id, intent.end.consumer)


def list_fills(book: Book, chain_id: int, receipt: Receipt) -> Iterator[tuple[Order, Filled]]:
    """Yield the orders of the book whose intents a transaction fills, each with its fill, by the word of the
    contracts that they were signed for: others may say what they like."""
    told = {log.address for log in receipt.logs if log.topics[:1] == (FILLED.topic,)}
    for contract in told & {key.contract for key in book.lanes} if told else ():
        for fill in decode_fills(receipt.logs, contract):
            order_id = book.lanes.get(LaneKey(chain_id, contract, fill.owner, fill.lane))
            if order_id and fill.seq == SEQ:
                yield _require_order(book.orders[order_id]), fill


def make_lapse(head: BlockRef) -> IntentEnd:
    """Return the end that a block after the deadline gives an intent whose lane it finds untouched."""
    return IntentEnd(Fate.LAPSED, Consumer("", head.number, head.hash))


def _count(book: Book, order_id: str, ended: IntentEnd, sign: int) -> None:
    view = book.orders[order_id]
    conduct.count_intent(book, view, ended, sign)
    moves.count_fill(book, view, ended.consumer, sign)


def _lapsed(intent: IntentView) -> Failure:
    said = f"the book said {intent.answer}" if intent.answer else "no book had answered"
    return Failure(
        "LAPSED",
        f"nobody filled the intent by {intent.terms.deadline_at}; {said}",
        "a solver who gains by its bound",
        "Give the order again, with another bound or another channel; nothing was moved",
    )


def _event(kind: EventKind, order_id: str, payload: dict[str, Any], *recurring: object) -> Event:
    event_id = "/".join(map(str, (kind.value, order_id, *recurring)))
    return Event(event_id, kind, order_id, None, payload)


def _consumer(ended: IntentEnd) -> dict[str, Any]:
    found = ended.consumer
    amounts = {"amount_in": str(found.amount_in), "amount_out": str(found.amount_out)}
    return {**consumer_to_json(found.tx_hash, found.block_number, found.block_hash), **amounts}


def _get(view: OrderView) -> IntentView:
    if view.intent is None:
        raise IllegalTransitionError(f"order {view.order_id} has no intent", needed="one that was signed")
    return view.intent


def _require_order(view: OrderView) -> Order:
    if view.order is None:
        raise JournalError(f"order {view.order_id} swaps nothing", needed="terms to sign an intent of")
    return view.order
