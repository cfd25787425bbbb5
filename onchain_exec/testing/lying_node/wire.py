"""JSON-RPC messages of a server: requests in, answers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from onchain_exec.testing.lying_node.exchange import Call, Refusal, Result

Reply: TypeAlias = Result | Refusal
_INVALID = Refusal(-32600, "Invalid Request")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came in one body or one text message: a call, or a batch of them, and their ids."""

    calls: tuple[Call, ...]
    ids: tuple[Any, ...]
    batch: bool

    def encode(self, replies: Sequence[Reply]) -> bytes:
        """Return the message that answers: all of it, or the first replies of a batch."""
        messages = [to_message(*pair) for pair in zip(self.ids, replies, strict=False)]
        return msgspec.json.encode(messages if self.batch else messages[0])


def decode_exchange(body: str | bytes) -> Exchange | None:
    """Return what the bytes ask, or None if they are no JSON-RPC requests."""
    try:
        message = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    items = message if isinstance(message, list) else [message]
    if not items or not all(isinstance(item, dict) and "method" in item for item in items):
        return None
    calls = tuple(Call(item["method"], item.get("params", ())) for item in items)
    return Exchange(calls, tuple(item.get("id") for item in items), isinstance(message, list))


def encode_invalid() -> bytes:
    """Return the answer to what is no request."""
    return msgspec.json.encode(to_message(None, _INVALID))


def encode_event(subscription: str, result: Any) -> str:
    """Return the message that carries an event to a subscriber."""
    params = {"subscription": subscription, "result": result}
    return msgspec.json.encode({"jsonrpc": "2.0", "method": "eth_subscription", "params": params}).decode()


def to_message(request_id: Any, reply: Reply) -> dict[str, Any]:
    """Return a reply as a JSON-RPC object."""
    message = {"jsonrpc": "2.0", "id": request_id}
    if isinstance(reply, Result):
        return message | {"result": reply.value}
    data = {} if reply.data is None else {"data": reply.data}
    return message | {"error": {"code": reply.code, "message": reply.message} | data}


def to_reply(message: dict[str, Any]) -> Reply:
    """Return what a JSON-RPC answer object says."""
    error = message.get("error")
    if error is None:
        return Result(message.get("result"))
    return Refusal(error.get("code", 0), str(error.get("message", "")), error.get("data"))
