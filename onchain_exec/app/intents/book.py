"""What a book that shows intents is asked for. What it says of an order is not believed."""

from __future__ import annotations

from typing import Protocol

from onchain_exec.clearing.settle import Domain, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder


class IntentBook(Protocol):
    """A book of signed orders that solvers read."""

    async def describe(self) -> Domain:
        """Return which contract, on which chain, its orders are signed for.

        Raises:
            OrderBookError: it does not answer, or not so.
        """
        ...

    async def post(self, intent: OpenOrder) -> None:
        """Show an order; the same one again is the same order.

        Raises:
            OrderRefusedError: it does not take it.
            OrderBookError: it does not answer, or not so: it may show the order all the same.
        """
        ...

    async def withdraw(self, digest: bytes, word: Signed) -> None:
        """Ask that an order be shown to nobody any more, on its owner's word. Who has it may still fill it.

        Raises:
            OrderRefusedError: it does not know the order, or not take the word.
            OrderBookError: as of `post`.
        """
        ...
