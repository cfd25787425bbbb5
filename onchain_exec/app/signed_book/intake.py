"""What the book takes in: orders of listed tokens, signed, paid for, and not yet over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from onchain_exec.app.signed_book.verifier import Verifier
from onchain_exec.clearing.settle import SettleOrder, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import Address
from onchain_exec.errors import OrderRefusedError, UnknownOrderError
from onchain_exec.oms.signed_book import BookedOrder, SignedBook

_LONGEST_S: Final = 90 * 86_400
"""How long an order may rest: what is withdrawn must be kept until then, or anybody could bring it again."""


class Intake:
    """Takes signed orders of ``tokens`` into a book. ``now`` gives unix seconds."""

    def __init__(
        self, book: SignedBook, verifier: Verifier, tokens: Collection[Address], now: Callable[[], int]
    ) -> None:
        self._book, self._verifier, self._tokens, self._now = book, verifier, frozenset(tokens), now

    async def submit(self, order: SettleOrder, signed: Signed) -> tuple[BookedOrder, bool]:
        """Take in an order, durably; return it, and whether it is new. The same terms again are the same
        order, in whatever state it is.

        Raises:
            OrderRefusedError: it breaks a rule; its ``reason`` says which.
            InputError: a number beyond its type.
            NodeError, JournalError: it could not be verified, or not be written.
        """
        resting = OpenOrder(self._book.domain.get_digest(order), order, signed)
        if (known := await asyncio.to_thread(self._book.find, resting.digest)) is not None:
            return known, False
        require_tradable(order, self._tokens, self._now(), self._book.domain.contract)
        verified, block = await self._verifier.verify(resting)
        return await asyncio.to_thread(self._book.add, resting, verified.lane, block.number)

    async def withdraw(self, digest: bytes, signed: Signed) -> BookedOrder:
        """Show an order to nobody any more, on its owner's word for its withdrawal. Who has the order may
        still fill it: only its lane ends it for everybody.

        Raises:
            UnknownOrderError: the book does not have it.
            OrderRefusedError: the word is not the owner's.
        """
        known = await asyncio.to_thread(self._book.find, digest)
        if known is None:
            raise UnknownOrderError(f"the book has no order 0x{digest.hex()}")
        wanted = self._book.domain.get_withdrawal_digest(digest)
        await self._verifier.require_word(known.signed_order.order.owner, wanted, signed)
        return await asyncio.to_thread(self._book.withdraw, digest)


def require_tradable(order: SettleOrder, tokens: Collection[Address], now: int, contract: Address) -> None:
    """Return if an order's terms can be settled, whatever the chain says.

    Raises:
        OrderRefusedError: not, or not here: ``token_not_listed``, ``expired``, ``expires_late``,
            ``bad_receiver``.
    """
    for token in (order.token_in, order.token_out):
        if token not in tokens:
            raise OrderRefusedError(
                "token_not_listed",
                f"{token} is not listed on this chain",
                needed="tokens that are: others may take fees, or lie about what they hold",
                todo="GET /book lists the tokens",
            )
    if order.deadline_at < now:
        late = f"the deadline passed {now - order.deadline_at} s ago"
        raise OrderRefusedError("expired", late, needed=f"{now} or later", todo="Sign it with a later one")
    if order.deadline_at > now + _LONGEST_S:
        raise OrderRefusedError(
            "expires_late",
            f"a deadline in {order.deadline_at - now} s",
            needed=f"at most {_LONGEST_S} s from now",
            todo="Sign it with an earlier one",
        )
    if order.pays_to in (contract, order.token_in, order.token_out):
        raise OrderRefusedError(
            "bad_receiver", f"{order.pays_to} would get what is bought", needed="an account that can use it"
        )
