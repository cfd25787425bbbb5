"""JSON-RPC 2.0 as bytes and back, without I/O: what every transport shares.

msgspec, because it keeps integers of any size exact (orjson turns those beyond 64 bits into floats).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from onchain_exec.chain.rate_limits import get_backoff_s, is_rate_limit
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError, RateLimitedError

Request: TypeAlias = tuple[str, Sequence[Any]]
"""A method and its parameters."""

Reply: TypeAlias = Any | NodeRefusedError
"""What one request of a batch came to: its result, or the node's refusal."""


def encode_request(request_id: int, request: Request) -> bytes:
    """Return one request object."""
    method, params = request
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})


def split_batch(
    encoded: Sequence[bytes], max_requests: int, max_bytes: int
) -> Iterator[tuple[int, int, bytes]]:
    """Yield (start, stop, body) of batches that respect both limits.

    A single request larger than ``max_bytes`` travels alone: the node says whether it takes it.
    """
    start, size = 0, 0
    for index, item in enumerate(encoded):
        if index > start and (index - start == max_requests or size + len(item) > max_bytes):
            yield start, index, _array(encoded[start:index])
            start, size = index, 0
        size += len(item) + 1
    if start < len(encoded):
        yield start, len(encoded), _array(encoded[start:])


def decode_reply(body: bytes, request_id: int, method: str, where: str) -> Any:
    """Return the result in the answer to one request, as `read_reply` does.

    Raises:
        NodeUnreachableError: also where the body is not JSON.
    """
    return read_reply(decode_message(body, where), request_id, method, where)


def read_reply(answer: Any, request_id: int, method: str, where: str) -> Any:
    """Return the result in the decoded answer to one request.

    Raises:
        NodeUnreachableError: not JSON-RPC, or the answer to another request.
        NodeRefusedError, RateLimitedError: the answer is an error object.
    """
    reply = _reply(answer, method, where)
    if isinstance(reply, NodeRefusedError):
        raise reply
    if answer.get("id") != request_id:
        raise _broken(where, f"the answer to request {answer.get('id')!r} came for request {request_id}")
    return reply


def read_batch(answers: Any, first_id: int, methods: Sequence[str], where: str) -> tuple[Reply, ...]:
    """Return the replies of a decoded batch whose ids count up from ``first_id``, in the requests' order.

    Raises:
        NodeUnreachableError: not JSON-RPC, or an id is missing, doubled or unknown.
        NodeRefusedError: one error object answers the whole batch (too large, or not supported).
        RateLimitedError: the batch or a part of it met the rate limit.
    """
    if not isinstance(answers, list):
        reply = _reply(answers, f"a batch of {len(methods)}", where)
        raise reply if isinstance(reply, NodeRefusedError) else _broken(where, "one answer came for a batch")
    replies: dict[int, Reply] = {}
    for answer in answers:
        index = _index(answer, first_id, len(methods), where)
        if index in replies:
            raise _broken(where, f"two answers came for request {first_id + index} of a batch")
        replies[index] = _reply(answer, methods[index], where)
    if len(replies) != len(methods):
        raise _broken(where, f"{len(replies)} answers came for a batch of {len(methods)}")
    return tuple(replies[index] for index in range(len(methods)))


def _array(items: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def decode_message(body: bytes | str, where: str) -> Any:
    """Return a message as JSON, an object or an array.

    Raises:
        NodeUnreachableError: it is neither.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(where, f"{len(body)} bytes that are not JSON") from error
    if not isinstance(answer, dict | list):
        raise _broken(where, f"a JSON {type(answer).__name__}")
    return answer


def _index(answer: Any, first_id: int, count: int, where: str) -> int:
    request_id = answer.get("id") if isinstance(answer, dict) else None
    if type(request_id) is not int or not first_id <= request_id < first_id + count:
        raise _broken(where, f"an answer to request {request_id!r} came, which the batch did not hold")
    return request_id - first_id


def _reply(answer: Any, method: str, where: str) -> Reply:
    if not isinstance(answer, Mapping):
        raise _broken(where, f"a JSON {type(answer).__name__}")
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            raise _broken(where, "an answer with neither result nor error")
        return answer["result"]
    return _refusal(error, method, where)


def _refusal(error: Any, method: str, where: str) -> NodeRefusedError:
    if not isinstance(error, Mapping):
        return NodeRefusedError(method, 0, str(error))
    code, message = error.get("code"), str(error.get("message", ""))
    refusal = NodeRefusedError(method, code if type(code) is int else 0, message, error.get("data"))
    if is_rate_limit(refusal):
        limited = f"{where} limits {method}: {message} (code {code})"
        raise RateLimitedError(limited, retry_after_s=get_backoff_s(refusal))
    return refusal


def _broken(where: str, found: str) -> NodeUnreachableError:
    return NodeUnreachableError(
        f"{where} answered with {found}",
        needed="one JSON-RPC answer per request",
        todo="Check that the URL is a JSON-RPC endpoint, not a proxy's page",
    )
