"""Batches where there are none: for what stands in for a node."""

from __future__ import annotations

from collections.abc import Sequence

from onchain_exec.chain.rpc import Rpc
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import NodeRefusedError


async def request_each(rpc: Rpc, requests: Sequence[Request]) -> tuple[Reply, ...]:
    """Return the replies of requests made one after the other, as `Rpc.batch` does those of a batch."""
    replies: list[Reply] = []
    for method, params in requests:
        try:
            replies.append(await rpc.request(method, params))
        except NodeRefusedError as error:
            replies.append(error)
    return tuple(replies)
