"""Requests that are open, with the offers that came for them: in memory, for as long as they last.

A stop loses them, and nothing else: until an offer is an order of the journal, nobody has promised anything
that a new request under the same id would double.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from onchain_exec.app.rfq.offer import Offer
from onchain_exec.app.rfq.request import QuoteRequest
from onchain_exec.core import Address
from onchain_exec.errors import DuplicateOrderError, OrderRefusedError, UnknownOrderError

_MOST_REQUESTS, _MOST_OFFERS, _MOST_LISTENERS = 1_000, 100, 256
_BACKLOG: Final = 1_000
"""Requests that wait for a slow listener; one that is slower is cut off."""


@dataclass(slots=True)
class Round:
    """A request, and the newest offer of each maker. Once one is ``taken``, being settled or in the journal,
    no more are; it and those ``withdrawn`` are known by their digests. What was withdrawn does not come back,
    whoever brings it."""

    request: QuoteRequest
    offers: dict[Address, Offer] = field(default_factory=dict)
    withdrawn: set[bytes] = field(default_factory=set)
    taken: bytes | None = None

    def rank(self) -> tuple[Offer, ...]:
        """Return the offers, the best first, of equal ones the earliest."""
        return tuple(sorted(self.offers.values(), key=lambda offer: -offer.rank))

    def find(self, digest: bytes) -> Offer:
        """Return an offer by its digest.

        Raises:
            UnknownOrderError: there is none.
        """
        for offer in self.offers.values():
            if offer.resting.digest == digest:
                return offer
        raise UnknownOrderError(f"the request has no offer 0x{digest.hex()}")

    def require_welcome(self, offer: Offer) -> None:
        """Return if the offer may stand.

        Raises:
            OrderRefusedError: ``late``, ``withdrawn``, ``worse_than_promised`` by its maker before,
                ``too_many_quotes``.
        """
        before = self.offers.get(offer.resting.order.owner)
        if self.taken is not None:
            raise OrderRefusedError("late", "a quote was taken already", needed="a request that is open")
        if offer.resting.digest in self.withdrawn:
            raise OrderRefusedError("withdrawn", "its maker took it back", needed="another order")
        if before is not None and offer.rank < before.rank:
            raise OrderRefusedError(
                "worse_than_promised",
                f"{offer.net} after gas",
                needed=f"what this maker offered before, {before.net}, or better",
                todo="Withdraw the earlier offer first, on a signed word",
            )
        if before is None and len(self.offers) >= _MOST_OFFERS:
            raise OrderRefusedError("too_many_quotes", f"{_MOST_OFFERS} makers answered", needed="room")

    def put(self, offer: Offer) -> None:
        """Let the offer stand in the place of its maker's earlier one."""
        self.require_welcome(offer)
        self.offers[offer.resting.order.owner] = offer

    def withdraw(self, offer: Offer) -> None:
        """Drop an offer for good.

        Raises:
            OrderRefusedError: it is being settled (``late``).
        """
        if self.taken == offer.resting.digest:
            raise OrderRefusedError(
                "late",
                "the quote is being settled",
                needed="one that is not",
                todo="Cancel its lane on chain",
            )
        self.withdrawn.add(offer.resting.digest)
        self.drop(offer)

    def drop(self, offer: Offer) -> None:
        """Forget an offer, unless its maker has made another since."""
        if self.offers.get(offer.resting.order.owner) is offer:
            del self.offers[offer.resting.order.owner]


class Rounds:
    """The open requests, and who wants to hear of new ones."""

    def __init__(self) -> None:
        self._rounds: dict[str, Round] = {}
        self._listeners: set[asyncio.Queue[QuoteRequest | None]] = set()

    def open(self, request: QuoteRequest, now: int) -> QuoteRequest:
        """Open a request and tell the listeners; return it, or the same one that is open already.

        Raises:
            DuplicateOrderError: its id is taken by other terms.
            OrderRefusedError: too many are open.
        """
        known = self._rounds.get(request.request_id)
        if known is not None and known.request.is_same(request):
            return known.request
        if known is not None:
            raise DuplicateOrderError(
                f"{request.request_id!r} names a request with other terms",
                needed="the same tokens, amount and limit",
                todo="An id names one request for ever; take a new one",
            )
        self._forget(now)
        if len(self._rounds) >= _MOST_REQUESTS:
            raise OrderRefusedError("too_many_requests", f"{_MOST_REQUESTS} are open", needed="room")
        self._rounds[request.request_id] = Round(request)
        for queue in self._listeners:
            if queue.qsize() <= _BACKLOG:
                queue.put_nowait(request if queue.qsize() < _BACKLOG else None)
        return request

    def list_open(self, now: int) -> tuple[QuoteRequest, ...]:
        """Return the requests that quotes are taken for."""
        found = (turn.request for turn in self._rounds.values() if turn.taken is None)
        return tuple(request for request in found if now <= request.expires_at)

    def require(self, request_id: str) -> Round:
        """Return a request with its offers.

        Raises:
            UnknownOrderError: there is none, or it is long over.
        """
        turn = self._rounds.get(request_id)
        if turn is None:
            raise UnknownOrderError(
                f"no request {request_id!r} is open",
                needed="one that was made since the server started, and is not long over",
                todo="Ask anew, under the same id; a maker ends what it signed for good by its lane on chain",
            )
        return turn

    @property
    def is_full(self) -> bool:
        """Whether no more may listen."""
        return len(self._listeners) >= _MOST_LISTENERS

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[QuoteRequest | None]]:
        """Give a queue of the requests that are opened from now on; None in it says that it overflowed."""
        queue: asyncio.Queue[QuoteRequest | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.remove(queue)

    def _forget(self, now: int) -> None:
        over = [name for name, turn in self._rounds.items() if now > turn.request.settle_by]
        for request_id in over:
            del self._rounds[request_id]
