"""After a trade: who was around it in its block, into the journal."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from onchain_exec.analytics.around import BlockTx, WatchedTrade, find_surroundings
from onchain_exec.app.channels.offers import get_relays
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.market import list_pairs
from onchain_exec.app.path.routers import list_executable
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.chain import LogFilter
from onchain_exec.core import BlockRef, Log, Order, to_address
from onchain_exec.errors import BlockNotFoundError, NodeError, StateError
from onchain_exec.execution.allowances.approvals import APPROVAL
from onchain_exec.oms import Fill, OrderView
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.venues.erc20 import DEPOSIT, TRANSFER, WITHDRAWAL

log = logging.getLogger(__name__)
_QUIET: Final = frozenset({TRANSFER.topic, APPROVAL.topic, DEPOSIT.topic, WITHDRAWAL.topic})
"""What tokens tell; pools and vaults tell of more."""


async def watch_trade(context: Context, order_id: str) -> None:
    """Look at the block of an order's fill, if it has one that nobody looked at, and journal what was
    found. What a node cannot tell stays unknown: a trade is never held up by it. Who settles an intent brings
    its own trade: what is around that is no matter of the order's."""
    view = context.journal.read_order(order_id)
    if view.order is None or view.fill is None or view.intent or view.surroundings is not None:
        return
    if relays := get_relays(context.node):
        relays.note_included(view.fill.tx_hash)
    try:
        found = await _look(context, view, view.order, view.fill)
    except (NodeError, StateError) as error:
        log.info("the block of %s was not looked at: %s", view.fill.tx_hash, error)
        return
    context.journal.append_surroundings(order_id, found)


async def _look(context: Context, view: OrderView, order: Order, fill: Fill) -> Surroundings:
    """Read the rest of the block only where others were in a contract that our trade went through."""
    block = await context.node.get_block(fill.block_hash)
    logs = await context.node.get_logs(LogFilter(), block)
    if not _is_crowded(logs, fill.tx_hash):
        return Surroundings(fill.block_hash)
    parent = await context.node.get_block(block.number - 1)
    pairs = list_pairs(context.profile, order.token_in, order.token_out)
    pools = await find_pools(context.node, context.profile, pairs, parent, list_executable(context.profile))
    trade = WatchedTrade(fill.tx_hash, order.account, order.exact)
    txs = await _read_txs(context, block, logs)
    return find_surroundings(trade, fill.block_hash, txs, {pool.key: pool for pool in pools})


def _is_crowded(logs: Sequence[Log], tx_hash: str) -> bool:
    """Return whether another transaction told of something in a contract in which ours did."""
    loud = [log for log in logs if not _QUIET.intersection(log.topics[:1])]
    ours = {log.address for log in loud if log.tx_hash == tx_hash}
    return any(log.address in ours for log in loud if log.tx_hash != tx_hash)


async def _read_txs(context: Context, block: BlockRef, logs: Sequence[Log]) -> list[BlockTx]:
    by_tx: dict[str, list[Log]] = defaultdict(list)
    for told in logs:
        by_tx[told.tx_hash].append(told)
    found: dict[str, Any] = await context.node.rpc.request("eth_getBlockByHash", (block.hash, True))
    if not found:
        raise BlockNotFoundError(
            f"{context.node.rpc.where} has no {block} any more", needed="the fill's block"
        )
    return [
        BlockTx(
            index=place,
            tx_hash=tx["hash"].lower(),
            sender=to_address(tx["from"]),
            to=to_address(tx["to"]) if tx.get("to") else None,
            value_wei=int(tx["value"], 16),
            logs=tuple(by_tx[tx["hash"].lower()]),
        )
        for place, tx in enumerate(found["transactions"])
    ]
