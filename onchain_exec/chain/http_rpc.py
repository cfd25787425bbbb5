"""JSON-RPC over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from onchain_exec.chain.rpc import get_where, name_failure, unreachable
from onchain_exec.chain.transport import Transport
from onchain_exec.chain.wire import decode_message
from onchain_exec.errors import RateLimitedError

_HEADERS = {"Content-Type": "application/json"}


class HttpRpc(Transport):
    """One HTTP endpoint. Usable from several event loops; `close` ends the running loop's session.

    ``timeout_s`` bounds each HTTP request from connect to last byte.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 10.0, max_batch: int = 100, max_body: int = 1_000_000
    ) -> None:
        super().__init__(get_where(url, ("http", "https")), max_batch, max_body)
        self._url = url
        self._timeout_s = timeout_s
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            WeakKeyDictionary()
        )

    async def find_urls(self, block_hash: str) -> tuple[str, ...]:
        """As of `HasUrls.find_urls`; what it has is not asked."""
        return (self._url,)

    async def close(self) -> None:
        """Close the running loop's connections. A later request opens new ones."""
        if session := self._sessions.pop(asyncio.get_running_loop(), None):
            await session.close()

    async def _exchange(self, first_id: int, message: bytes) -> Any:
        return decode_message(await self._post(message), self.where)

    async def _post(self, body: bytes) -> bytes:
        try:
            # A followed redirect would send the body a second time, to a host nobody chose.
            async with self._session().post(
                self._url, data=body, headers=self._get_headers(body), allow_redirects=False
            ) as response:
                answer = await response.read()
        # The foreign error is not chained: its text can hold the URL, and the URL a key.
        except TimeoutError:
            failure = f"no answer within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError) as error:
            failure = name_failure(error)
        else:
            self._require_usable(response, answer)
            return answer
        raise unreachable(self.where, failure)

    def _get_headers(self, body: bytes) -> Mapping[str, str] | None:
        """Return what a request's headers hold besides the session's."""
        return None

    def _require_usable(self, response: aiohttp.ClientResponse, answer: bytes) -> None:
        if response.status == 429:
            raise RateLimitedError(
                f"{self.where} answered HTTP 429", retry_after_s=_get_retry_after(response.headers)
            )
        # Some nodes say HTTP 4xx and put a JSON-RPC error in the body.
        is_json = answer.lstrip()[:1] in (b"{", b"[")
        if response.status >= 500 or (response.status >= 300 and not is_json):
            raise unreachable(self.where, f"HTTP {response.status}")

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = aiohttp.ClientSession(
                headers=_HEADERS, timeout=aiohttp.ClientTimeout(total=self._timeout_s)
            )
            self._sessions[loop] = session
        return session


def _get_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the Retry-After header in seconds; a date counts from the answer's own Date header."""
    value, sent_at = headers.get("Retry-After", ""), headers.get("Date", "")
    if value.isdigit():
        return float(value)
    try:
        return (parsedate_to_datetime(value) - parsedate_to_datetime(sent_at)).total_seconds()
    except (ValueError, TypeError):
        return None
