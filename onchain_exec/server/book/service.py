"""The book of one chain as the server has it: the store, the intake, the requests for quotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onchain_exec.app.engine import Lane
from onchain_exec.app.path.context import Context
from onchain_exec.app.rfq import QuoteDesk
from onchain_exec.app.signed_book import Intake, Verifier
from onchain_exec.clearing.settle import Domain
from onchain_exec.core import Token
from onchain_exec.oms.signed_book import BookedOrder, SignedBook


@dataclass(frozen=True, slots=True)
class BookService:
    """A book with what surrounds it. ``tokens`` are those that may be traded, by symbol."""

    context: Context
    book: SignedBook
    intake: Intake
    quotes: QuoteDesk
    tokens: Mapping[str, Token]

    def describe(self) -> dict[str, Any]:
        """Return what a maker needs to know to sign."""
        domain = self.book.domain
        return {
            "chain_id": domain.chain_id,
            "contract": domain.contract,
            "tokens": [
                {"symbol": token.symbol, "address": token.address, "decimals": token.decimals}
                for token in self.tokens.values()
            ],
        }

    def show(self, booked: BookedOrder) -> dict[str, Any]:
        """Return an order as it stands now."""
        return booked.to_json(self.context.now())


@contextmanager
def open_service(lane: Lane, where: str | Path) -> Iterator[BookService | None]:
    """Open the book beside the journal at ``where``, of the chain's Settle contract; None where the chain
    lists none.

    Raises:
        JournalError: as for `SignedBook.open`.
    """
    context = lane.context
    contract = context.profile.get_contract("onchain_exec", "settle")
    if contract is None:
        yield None
        return
    domain, tokens = Domain(context.node.chain_id, contract), context.profile.tokens
    with closing(SignedBook.open(where, domain)) as book:
        verifier = Verifier(context.node, domain)
        listed = [token.address for token in tokens.values()]
        intake = Intake(book, verifier, listed, context.now)
        yield BookService(context, book, intake, QuoteDesk(lane, verifier, book), tokens)
