"""The journal's part for intents: orders that are signed for whoever settles them."""

from __future__ import annotations

from collections.abc import Generator

from onchain_exec.clearing.settle import Signed
from onchain_exec.oms.book import intents
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event
from onchain_exec.oms.book.intent_terms import IntentTerms, LaneKey
from onchain_exec.oms.book.views import IntentEnd, OrderView
from onchain_exec.oms.store import Store
from onchain_exec.routing import Quote


class IntentJournal:
    """Every ``append_`` is one transaction that survives power loss when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append_signed(self, quote: Quote, terms: IntentTerms, signed: Signed) -> OrderView:
        """Write an order's intent down; when this returns it may be shown to others.

        Raises:
            JournalError: the order has signed bytes, an intent or an end; it was promised to stay private;
                the lane is another's; or the signature is not its owner's for these terms. Show it to nobody.
            HaltedError: a pause, or the kill switch, forbids it. Show it to nobody.
        """

        def decide(book: Book) -> Generator[Event, None, OrderView]:
            yield from intents.sign(book, quote, terms, signed)
            return book.orders[quote.order.order_id]

        return self._store.append(decide)[0]

    def append_answer(self, order_id: str, answer: str, reason: str = "") -> None:
        """Record what the book said to an order's intent."""
        self._store.append_new(lambda book: intents.post(book, order_id, answer, reason))

    def append_end(self, order_id: str, seen: IntentEnd | None, found: IntentEnd | None) -> tuple[Event, ...]:
        """Record how the chain has an intent end (None: not), instead of the end that was ``seen`` here
        before the chain was looked at; return what was new: nothing if that is not the recorded one any
        more."""
        return self._store.append_new(lambda book: intents.end(book, order_id, seen, found))

    def append_final(self, order_id: str) -> tuple[Event, ...]:
        """Record that an intent's end is finalised; return what was new."""
        return self._store.append_new(lambda book: intents.finalise(book, order_id))

    def has_lane(self, key: LaneKey) -> bool:
        """Return whether an intent has that lane."""
        return self._store.ask(lambda book: key in book.lanes)

    def read_unsettled(self, chain_id: int) -> tuple[OrderView, ...]:
        """Return the orders of a chain whose intent has no final end."""
        views = self._store.ask(lambda book: [book.orders[order_id] for order_id in book.intents])
        return tuple(view for view in views if view.intent and view.intent.terms.chain_id == chain_id)
