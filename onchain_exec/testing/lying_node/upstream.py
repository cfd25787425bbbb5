"""The node behind the proxy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec

from onchain_exec.testing.lying_node.exchange import Answer, Call, HttpFailure
from onchain_exec.testing.lying_node.wire import to_reply

_HEADERS = {"Content-Type": "application/json"}
_TIMEOUT_S = 60.0


class Upstream:
    """One node over HTTP: honest, and nothing is retried."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ids = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections, opened at first use, since they belong to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    async def ask(self, call: Call) -> Answer:
        """Return the node's answer to one call; HTTP 502 if it gives none."""
        answer = await self._post(self._encode(call))
        return answer if isinstance(answer, HttpFailure) else to_reply(answer)

    async def ask_all(self, calls: Sequence[Call]) -> list[Answer]:
        """Return the answers to a batch, in its order."""
        requests = [self._encode(call) for call in calls]
        answers = await self._post(requests)
        if isinstance(answers, HttpFailure):
            return [answers] * len(calls)
        if not isinstance(answers, list):
            return [to_reply(answers)] * len(calls)
        by_id = {answer["id"]: to_reply(answer) for answer in answers}
        return [by_id[request["id"]] for request in requests]

    def _encode(self, call: Call) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": call.method, "params": call.params}

    async def _post(self, message: Any) -> Any:
        try:
            async with self.session.post(self.url, data=msgspec.json.encode(message)) as response:
                return msgspec.json.decode(await response.read())
        except (aiohttp.ClientError, OSError, msgspec.DecodeError) as error:
            return HttpFailure(502, body=f"the node gave no answer: {type(error).__name__}")
