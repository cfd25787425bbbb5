"""The routes of requests for quotes: the taker's, and under the makers' path the makers'."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, WebSocket, WebSocketDisconnect

from onchain_exec.app.rfq import QuoteDesk, QuoteRequest
from onchain_exec.errors import UnknownOrderError
from onchain_exec.oms import Journal
from onchain_exec.server.bearer import MAKERS_PATH
from onchain_exec.server.book.models import SignedIn, SignedOrderIn
from onchain_exec.server.book.routes import Digest, read_digest
from onchain_exec.server.models import PROBLEMS
from onchain_exec.server.rfq.models import PickIn, WishIn
from onchain_exec.server.stream import forward, refuse_if_full

RequestId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


def make_taker_router(desk: QuoteDesk, journal: Journal) -> APIRouter:
    """Return the routes of who asks, settles, and pays."""
    router = APIRouter(prefix="/rfq", tags=["quotes"], responses=PROBLEMS)

    @router.post("", status_code=201)
    async def ask(wish: WishIn) -> dict[str, Any]:
        """Ask the makers for quotes. The same id and terms again are the same request."""
        return (await desk.ask(wish.to_wish())).to_json()

    @router.get("/{request_id}")
    def show(request_id: RequestId) -> dict[str, Any]:
        """Show a request with its quotes, the best after gas first, and the order that settled it."""
        order = journal.find_order(request_id)
        try:
            turn = desk.rounds.require(request_id)
        except UnknownOrderError:
            if order is None:
                raise
            return {"request": None, "quotes": [], "order": order.to_json()}
        quotes = [offer.to_json() for offer in turn.rank()]
        return {"request": turn.request.to_json(), "quotes": quotes, "order": order and order.to_json()}

    @router.post("/{request_id}/take")
    async def take(request_id: RequestId, pick: PickIn) -> dict[str, Any]:
        """Settle the best quote, or the one named: verified anew, simulated, journalled, sent. Again is the
        same order; never another quote than the one picked."""
        digest = None if pick.digest is None else read_digest(pick.digest)
        return (await desk.take(request_id, digest)).to_json()

    return router


def make_maker_router(desk: QuoteDesk) -> APIRouter:
    """Return the routes of who answers."""
    router = APIRouter(prefix=f"{MAKERS_PATH}/requests", tags=["quotes"], responses=PROBLEMS)

    @router.get("")
    async def list_requests() -> dict[str, Any]:
        """List the requests that quotes are taken for."""
        return {"requests": [request.to_json() for request in desk.list_open()]}

    @router.post("/{request_id}/quotes", status_code=201)
    async def quote(request_id: RequestId, given: SignedOrderIn) -> dict[str, Any]:
        """Answer with a signed order that sells what the taker gets for what it pays. It takes the place of
        the maker's earlier answer, and may not be worse."""
        offer = await desk.offer(request_id, given.order.to_order(), given.signed.to_signed())
        return offer.to_json()

    @router.post("/{request_id}/quotes/{digest}/withdrawal")
    async def withdraw(request_id: RequestId, digest: Digest, word: SignedIn) -> dict[str, Any]:
        """Take an answer back, on its maker's signed word, as of an order of the book."""
        await desk.withdraw(request_id, read_digest(digest), word.to_signed())
        return {"withdrawn": digest}

    @router.websocket("/live")
    async def live(socket: WebSocket) -> None:
        """Send the open requests, each as a JSON document, and then each that is made."""
        if await refuse_if_full(socket, desk.rounds):
            return
        with desk.rounds.listen() as queue:
            await socket.accept()
            first = desk.list_open()

            async def send(request: QuoteRequest) -> None:
                if request not in first:  # it came while the connection was made
                    await socket.send_json(request.to_json())

            try:
                for request in first:
                    await socket.send_json(request.to_json())
            except WebSocketDisconnect:
                return
            await forward(socket, queue, send)

    return router
