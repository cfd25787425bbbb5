"""The book of one chain as the server has it: the store, the intake, and what is traded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onchain_exec.app.context import Context
from onchain_exec.app.signed_book import Intake, Verifier
from onchain_exec.clearing.settle import Domain
from onchain_exec.core import Token
from onchain_exec.oms.signed_book import BookedOrder, SignedBook


@dataclass(frozen=True, slots=True)
class BookService:
    """A book with what surrounds it. ``tokens`` are those that may be traded, by symbol."""

    context: Context
    book: SignedBook
    verifier: Verifier
    intake: Intake
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
def open_service(context: Context, where: str | Path) -> Iterator[BookService | None]:
    """Open the book beside the journal at ``where``, of the chain's Settle contract; None where the chain
    lists none.

    Raises:
        JournalError: as for `SignedBook.open`.
    """
    contract = context.profile.get_contract("onchain_exec", "settle")
    if contract is None:
        yield None
        return
    domain, tokens = Domain(context.node.chain_id, contract), context.profile.tokens
    with closing(SignedBook.open(where, domain)) as book:
        verifier = Verifier(context.node, domain)
        listed = [token.address for token in tokens.values()]
        intake = Intake(book, verifier, listed, context.now)
        yield BookService(context, book, verifier, intake, tokens)
