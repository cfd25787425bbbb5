"""Balances that change by themselves: rebases, which no single simulation shows."""

from __future__ import annotations

from typing import Final

from onchain_exec.app.pools.log_search import search_logs
from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import Address, BlockRef, Log, Token, address_bytes
from onchain_exec.errors import TokenRefusedError
from onchain_exec.venues.erc20 import DEPOSIT, TRANSFER, WITHDRAWAL, get_balance_changes
from onchain_exec.venues.token_probe import Moved

WATCH_BLOCKS: Final = 25
"""How many blocks lie between two comparisons of a balance with its transfers: each is a search of logs."""

_MOST_BLOCKS: Final = 10_000
"""What is older is not compared: the search would take longer than the quote that waits for it."""


class BalanceWatch:
    """What pools held of tokens when these were tried, compared with what the transfers since then tell."""

    def __init__(self, blocks: int = WATCH_BLOCKS) -> None:
        self._blocks = blocks
        self._seen: dict[tuple[Address, Address], tuple[BlockRef, int]] = {}

    async def require_told(self, node: Node, token: Token, moved: Moved, block: BlockRef) -> None:
        """Compare what a pool holds at ``block``, the newest, with what it held when last compared.

        Raises:
            TokenRefusedError: the balance changed by other amounts than the logs of its transfers tell.
            NodeError: the node fails, or refuses the search.
        """
        key = token.address, moved.holder
        before, held = self._seen.setdefault(key, (block, moved.held))
        if 0 <= block.number - before.number < self._blocks:
            return
        self._seen[key] = block, moved.held
        if not 0 <= block.number - before.number <= _MOST_BLOCKS:
            return
        if (await node.get_block(before.number)).hash != before.hash:
            return  # a reorg took what was seen
        logs = await _get_moves(node, token, moved.holder, (before.number + 1, block.number))
        told = held + get_balance_changes(logs, moved.holder).get(token.address, 0)
        if told != moved.held:
            raise TokenRefusedError(
                f"{moved.holder} holds {moved.held} {token}",
                needed=f"{told}, by its transfers since block {before.number}",
                todo="It rebases: what a pool quotes of it is not what it holds",
            )


async def _get_moves(node: Node, token: Token, holder: Address, blocks: tuple[int, int]) -> set[Log]:
    """Return the token's logs that name the holder, as giver or as receiver."""
    topic = address_bytes(holder).rjust(32, b"\0")
    by_giver = (TRANSFER.topic, DEPOSIT.topic, WITHDRAWAL.topic), (topic,)
    by_receiver = (TRANSFER.topic,), (), (topic,)
    return {
        log
        for topics in (by_giver, by_receiver)
        async for found in search_logs(node, LogFilter((token.address,), topics), *blocks)
        for log in found
    }
