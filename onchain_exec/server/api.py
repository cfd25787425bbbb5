"""The routes: parent orders, their children, switches, positions, metrics, and the stream of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp

from onchain_exec.app.engine import Engine, Lane
from onchain_exec.app.scopes import parse_stop
from onchain_exec.errors import (
    DuplicateOrderError,
    HaltedError,
    InputError,
    JournalError,
    NodeError,
    OnchainExecError,
    OrderRefusedError,
    UnknownOrderError,
)
from onchain_exec.oms import OrderState, ParentView
from onchain_exec.server.bearer import BearerGuard
from onchain_exec.server.book.routes import make_book_router
from onchain_exec.server.book.service import BookService
from onchain_exec.server.metrics import make_registry
from onchain_exec.server.models import PROBLEMS, OrderIn, Problem, SwitchIn
from onchain_exec.server.rates import BodyLimit
from onchain_exec.server.rfq.routes import make_maker_router, make_taker_router
from onchain_exec.server.stream import add_stream

_STATUSES: Final[tuple[tuple[type[OnchainExecError], int], ...]] = (
    (DuplicateOrderError, 409),
    (UnknownOrderError, 404),
    (HaltedError, 409),
    (InputError, 400),
    (NodeError, 503),
    (JournalError, 503),
)
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,80}$", description="Order id or client order id")]
Scope = Annotated[
    str,
    Path(
        pattern=r"^(all|account:0x[0-9a-fA-F]{40}|venue:[a-z0-9_]{1,32})$",
        description="all, account:0x... or venue:...",
    ),
]


def make_app(
    engine: Engine, token: str, book: BookService | None = None, maker_tokens: Iterable[str] = ()
) -> ASGIApp:
    """Return the ASGI application in front of an engine that somebody else runs; every path, the
    description at ``/openapi.json`` too, needs ``token`` as a bearer token. With a ``book`` of signed orders
    it is served, too, and with it requests for quotes, also to those with one of the ``maker_tokens``."""
    app = FastAPI(title="onchain-exec", version="1", docs_url=None, redoc_url=None)
    app.include_router(_make_orders(engine))
    app.include_router(_make_state(engine))
    if book is not None:
        app.include_router(make_book_router(book))
        app.include_router(make_taker_router(book.quotes, engine.journal))
        app.include_router(make_maker_router(book.quotes))
    add_stream(app, engine.journal)
    app.add_exception_handler(OnchainExecError, _show_error)
    return BearerGuard(BodyLimit(app), token, maker_tokens)


def _make_orders(engine: Engine) -> APIRouter:
    router = APIRouter(prefix="/orders", tags=["orders"], responses=PROBLEMS)

    @router.post("", status_code=201, responses={200: {"description": "The order was there before"}})
    async def submit(order: OrderIn, response: Response) -> dict[str, Any]:
        """Take in an order, durably. The same client order id and terms again return the same order."""
        parent = await order.to_request().resolve(_find_lane(engine, order.chain_id))
        view = engine.submit(parent, reduce_only=order.reduce_only)
        if view.parent.order_id != parent.order_id:
            response.status_code = 200
        return view.to_json()

    @router.get("")
    def list_orders(
        state: Annotated[OrderState | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> dict[str, Any]:
        """List orders, the newest first."""
        views = [view for view in engine.journal.read_parents() if state in (None, view.state)]
        return {"orders": [view.to_json() for view in views[: -limit - 1 : -1]]}

    @router.get("/{name}")
    def show(name: Name) -> dict[str, Any]:
        """Show an order with its children."""
        view = _require_parent(engine, name)
        children = [child.to_json() for child in engine.journal.read_children(view)]
        return view.to_json() | {"orders": children}

    @router.delete("/{name}", status_code=202)
    def cancel(name: Name) -> dict[str, Any]:
        """Ask for an order's cancellation: at once where nothing is signed, else on the same nonce."""
        view = _require_parent(engine, name)
        engine.journal.append_cancel(view.parent.order_id)
        engine.wake()
        return _require_parent(engine, name).to_json()

    return router


def _make_state(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["state"], responses=PROBLEMS)
    registry = make_registry(engine.journal)

    @router.get("/switches")
    def list_switches() -> dict[str, Any]:
        """List what was stopped, or runs again after that."""
        return {"switches": [switch.to_json() for switch in engine.journal.read_switches().values()]}

    @router.put("/switches/{scope}")
    def set_switch(scope: Scope, switch: SwitchIn) -> dict[str, Any]:
        """Pause, kill, or run everything, an account, or a venue: in every process of the journal."""
        engine.journal.append_switch(parse_stop(scope), switch.state, switch.reason)
        engine.wake()
        return list_switches()

    @router.get("/positions")
    def list_positions() -> dict[str, Any]:
        """List what the canonical fills moved, in base units."""
        positions = [
            {"chain_id": chain_id, "account": account, "token": token, "amount": str(amount)}
            for (chain_id, account, token), amount in engine.journal.read_positions().items()
        ]
        return {"positions": positions}

    @router.get("/metrics", response_class=PlainTextResponse)
    def show_metrics() -> Response:
        """Show the metrics, in Prometheus' format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _find_lane(engine: Engine, chain_id: int | None) -> Lane:
    lanes = [lane for lane in engine.lanes if chain_id in (None, lane.chain_id)]
    if len(lanes) != 1:
        traded = ", ".join(str(lane.chain_id) for lane in engine.lanes)
        raise InputError(f"chain {chain_id or 'not named'}", needed=f"one of {traded}")
    return lanes[0]


def _require_parent(engine: Engine, name: str) -> ParentView:
    view = engine.journal.find_parent(name)
    if view is None:
        raise UnknownOrderError(f"the journal knows no order {name!r}")
    return view


def _show_error(request: Request, error: Exception) -> JSONResponse:
    """Return a typed error as a `Problem`."""
    if not isinstance(error, OnchainExecError):
        raise error
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 409)
    reason = error.reason if isinstance(error, OrderRefusedError) else ""
    problem = Problem(code=error.code, found=error.found, needed=error.needed, todo=error.todo, reason=reason)
    return JSONResponse(problem.model_dump(), status)
