"""The pool as geth's ``txpool`` namespace shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onchain_exec.testing.lying_node.mempool.pool import Pool
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx


def show_content(pool: Pool) -> dict[str, Any]:
    """Return ``txpool_content``: by part, account and nonce."""
    return _show(pool, PoolTx.to_json)


def show_inspection(pool: Pool) -> dict[str, Any]:
    """Return ``txpool_inspect``: the same as one line each."""
    return _show(pool, _summarise)


def show_status(pool: Pool) -> dict[str, str]:
    """Return ``txpool_status``: how many there are of each part."""
    pending = sum(len(pool.get_pending(sender)) for sender in pool.senders)
    return {"pending": hex(pending), "queued": hex(len(pool) - pending)}


def _show(pool: Pool, show: Callable[[PoolTx], Any]) -> dict[str, Any]:
    parts = {"pending": pool.get_pending, "queued": pool.get_queued}
    return {
        name: {
            sender: {str(tx.nonce): show(tx) for tx in get(sender)} for sender in pool.senders if get(sender)
        }
        for name, get in parts.items()
    }


def _summarise(tx: PoolTx) -> str:
    to = tx.to or "contract creation"
    return f"{to}: {tx.value_wei} wei + {tx.gas_limit} gas × {tx.fee_cap_wei} wei"
