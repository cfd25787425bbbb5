"""The routes of the book: orders in, listed, shown, withdrawn."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from onchain_exec.core import to_address
from onchain_exec.errors import UnknownOrderError
from onchain_exec.server.bearer import MAKERS_PATH
from onchain_exec.server.book.changes import add_changes
from onchain_exec.server.book.models import SignedIn, SignedOrderIn
from onchain_exec.server.book.service import BookService
from onchain_exec.server.models import PROBLEMS, AddressText

Digest = Annotated[
    str, Path(pattern=r"^0x[0-9a-fA-F]{64}$", description="The EIP-712 digest that the owner signed")
]


def make_book_router(service: BookService) -> APIRouter:
    """Return the routes under `MAKERS_PATH`."""
    router = APIRouter(prefix=MAKERS_PATH, tags=["book"], responses=PROBLEMS)
    book, intake = service.book, service.intake

    @router.get("")
    def describe() -> dict[str, Any]:
        """Tell which contract orders are signed for, and the tokens that may be traded."""
        return service.describe()

    @router.post("/orders", status_code=201, responses={200: {"description": "The order was there before"}})
    async def submit(given: SignedOrderIn, response: Response) -> dict[str, Any]:
        """Take in a signed order, durably, after verifying it on the newest block. The same order again is
        the same order."""
        booked, is_new = await intake.submit(given.order.to_order(), given.signed.to_signed())
        if not is_new:
            response.status_code = 200
        return service.show(booked)

    @router.get("/orders")
    def list_orders(
        owner: Annotated[AddressText | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> dict[str, Any]:
        """List orders, those that changed last first."""
        found = book.list_newest(limit, None if owner is None else to_address(owner))
        return {"orders": [service.show(booked) for booked in found]}

    @router.get("/orders/{digest}")
    def show(digest: Digest) -> dict[str, Any]:
        """Show an order with its fills."""
        booked = book.find(read_digest(digest))
        if booked is None:
            raise UnknownOrderError(f"the book has no order {digest}")
        fills = [
            {
                "amount_in": str(fill.amount_in),
                "amount_out": str(fill.amount_out),
                "fee": str(fill.fee),
                "tx_hash": fill.tx_hash,
                "block_number": fill.block_number,
            }
            for fill in book.list_fills(booked.signed_order.digest)
        ]
        return service.show(booked) | {"fills": fills}

    @router.post("/orders/{digest}/withdrawal")
    async def withdraw(digest: Digest, word: SignedIn) -> dict[str, Any]:
        """Show an order to nobody any more, on its owner's signed word (EIP-712 ``Withdrawal(bytes32 order)``
        in the same domain). Who has seen it may still fill it, until its lane is cancelled on chain."""
        return service.show(await intake.withdraw(read_digest(digest), word.to_signed()))

    add_changes(router, service)
    return router


def read_digest(text: str) -> bytes:
    """Return the bytes of a `Digest`."""
    return bytes.fromhex(text[2:])
