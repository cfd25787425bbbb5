"""Logs of more blocks than a provider searches at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import Log
from onchain_exec.errors import NodeRefusedError


async def search_logs(node: Node, wanted: LogFilter, first: int, last: int) -> AsyncIterator[tuple[Log, ...]]:
    """Yield the logs of the blocks ``first`` to ``last`` piece by piece, the newest piece first.

    Providers limit the blocks of a search, or its results, each to another number and in other words:
    a piece that is refused is halved, and the next ones are as wide as the last that was taken.

    Raises:
        NodeRefusedError: the node refuses even a single block.
    """
    width = last - first + 1
    while last >= first:
        begin = max(first, last - width + 1)
        try:
            found = await node.get_logs(wanted, (begin, last))
        except NodeRefusedError:
            if begin == last:
                raise
            width = (last - begin + 1) // 2
            continue
        yield found
        last = begin - 1
