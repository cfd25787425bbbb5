"""What our client makes of a book that fails, lies, hangs or refuses: a typed error each, and nothing of it
tells the token."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from onchain_exec.app.intents.http_book import HttpIntentBook
from onchain_exec.clearing.settle import Domain, Scheme, SettleOrder, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import to_address
from onchain_exec.errors import ConfigError, OrderBookError, OrderRefusedError
from onchain_exec.testing.listening import listen

CONTRACT, OWNER, WETH, USDC = (to_address("0x" + digit * 40) for digit in "1234")
ORDER = SettleOrder(OWNER, WETH, USDC, 10**18, 10**9, 2_000_000_000, 1)
DOMAIN = Domain(1337, CONTRACT)
INTENT = OpenOrder(DOMAIN.get_digest(ORDER), ORDER, Signed(Scheme.ECDSA, bytes(64)))
DIGEST = "0x" + INTENT.digest.hex()
TOKEN = "a-token-of-somebody"


@asynccontextmanager
async def serve(answer: web.StreamResponse | None) -> AsyncIterator[str]:
    """Serve one answer to everything, or (None) cut the connection."""

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if answer is None and request.transport:
            request.transport.abort()
        return answer or web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with listen(web.AppRunner(app)) as port:
        yield f"http://127.0.0.1:{port}"


async def test_describe_returns_what_orders_are_signed_for():
    told = web.json_response({"chain_id": 1337, "contract": CONTRACT, "tokens": []})
    async with serve(told) as url:
        assert await HttpIntentBook(url + "/", TOKEN).describe() == DOMAIN


@pytest.mark.parametrize(
    "told", [{}, {"chain_id": "x", "contract": CONTRACT}, {"chain_id": 1, "contract": "0x1"}]
)
async def test_describe_of_nothing_that_can_be_used_raises(told):
    async with serve(web.json_response(told)) as url:
        with pytest.raises(OrderBookError):
            await HttpIntentBook(url, TOKEN).describe()


@pytest.mark.parametrize("status", [200, 201])
async def test_post_of_an_order_that_is_taken_returns(status):
    async with serve(web.json_response({"digest": DIGEST, "state": "open"}, status=status)) as url:
        await HttpIntentBook(url, TOKEN).post(INTENT)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_post_of_an_order_that_is_refused_raises_why(status):
    told = {"code": "expired", "found": "the deadline passed", "needed": "a later one"}
    async with serve(web.json_response(told, status=status)) as url:
        with pytest.raises(OrderRefusedError, match="the deadline passed") as caught:
            await HttpIntentBook(url, TOKEN).post(INTENT)
    assert caught.value.reason == "expired"


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({"digest": "0x" + "00" * 32}, status=201),
        web.json_response({"detail": "broken"}, status=500),
        web.json_response({}, status=503),
        web.json_response({"code": "Unauthorised"}, status=401),
        web.json_response({"code": "TooManyRequests"}, status=429),
        web.json_response({"digest": DIGEST}, status=302, headers={"Location": "http://127.0.0.1:1/"}),
        web.json_response([DIGEST]),
        web.Response(text="<html>"),
        None,
    ],
    ids=["other order", "500", "503", "401", "429", "redirect", "list", "html", "cut"],
)
async def test_post_without_a_usable_answer_raises(answer):
    async with serve(answer) as url:
        with pytest.raises(OrderBookError) as caught:
            await HttpIntentBook(url, TOKEN).post(INTENT)
    assert TOKEN not in str(caught.value)
    assert url not in str(caught.value)
    assert caught.value.retryable


async def test_post_to_a_book_that_hangs_raises():
    with socket.create_server(("127.0.0.1", 0)) as server:  # it takes connections, and never says anything
        book = HttpIntentBook(f"http://127.0.0.1:{server.getsockname()[1]}", TOKEN, timeout_s=0.05)
        with pytest.raises(OrderBookError, match="no answer within"):
            await book.post(INTENT)


async def test_post_to_nobody_raises():
    with pytest.raises(OrderBookError):
        await HttpIntentBook("http://127.0.0.1:1", TOKEN).post(INTENT)


def test_book_without_a_url_raises():
    with pytest.raises(ConfigError):
        HttpIntentBook("ftp://book", TOKEN)
