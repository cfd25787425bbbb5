"""Our server's book (``onchain-exec serve``) over HTTP."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import msgspec

from onchain_exec.chain.rpc import name_failure
from onchain_exec.clearing.settle import Domain, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import to_address
from onchain_exec.errors import AddressError, ConfigError, OrderBookError, OrderRefusedError
from onchain_exec.oms.signed_book.terms import order_to_json, signed_to_json

_MOST_BYTES: Final = 1_000_000
_REFUSED: Final = frozenset({400, 404, 409, 422})
"""The book's own words about an order; whatever else it answers says nothing of the order."""


class HttpIntentBook:
    """A book behind a URL, for those who have one of its tokens (a maker's is enough)."""

    def __init__(self, url: str, token: str = "", *, timeout_s: float = 10.0) -> None:
        """Look at nothing yet.

        Raises:
            ConfigError: no http or https URL.
        """
        if not url.startswith(("http://", "https://")):
            raise ConfigError("the intent book's URL is not one", needed="http://... or https://...")
        self._url, self._timeout_s = url.rstrip("/"), timeout_s
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def describe(self) -> Domain:
        """As of `IntentBook.describe`."""
        told = await self._ask("GET", "/book")
        try:
            return Domain(int(told["chain_id"]), to_address(told["contract"]))
        except (KeyError, TypeError, ValueError, AddressError) as error:
            raise _fail("it names no contract") from error

    async def post(self, intent: OpenOrder) -> None:
        """As of `IntentBook.post`."""
        body = {"order": order_to_json(intent.order), "signed": signed_to_json(intent.signed)}
        told = await self._ask("POST", "/book/orders", body)
        if told.get("digest") != _name(intent.digest):
            raise _fail(f"it names another order than {_name(intent.digest)}")

    async def withdraw(self, digest: bytes, word: Signed) -> None:
        """As of `IntentBook.withdraw`."""
        await self._ask("POST", f"/book/orders/{_name(digest)}/withdrawal", signed_to_json(word))

    async def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return what is answered. The foreign errors are not chained: their text can hold the URL."""
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        try:
            async with (
                aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session,
                session.request(method, self._url + path, json=body, allow_redirects=False) as response,
            ):
                status, text = response.status, await response.content.read(_MOST_BYTES)
        except TimeoutError:
            failure = f"no answer within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = name_failure(error)
        else:
            return _read(status, text)
        raise _fail(failure)


def _read(status: int, text: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(text)
    except msgspec.DecodeError:
        told = None
    if not isinstance(told, dict) or (status not in _REFUSED and not 200 <= status < 300):
        raise _fail(f"HTTP {status}, {len(text)} bytes")
    if status in _REFUSED:
        found, needed = str(told.get("found", f"HTTP {status}")), str(told.get("needed", ""))
        raise OrderRefusedError(str(told.get("code", status)), found, needed=needed)
    return told


def _fail(found: str) -> OrderBookError:
    return OrderBookError(
        f"the intent book gave no usable answer: {found}",
        needed="the API of `onchain-exec serve`, and a token for it",
        todo="Check intent_book and intent_book_token",
    )


def _name(digest: bytes) -> str:
    return "0x" + digest.hex()
