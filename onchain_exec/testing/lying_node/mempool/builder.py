"""Which pending transactions a block's builder includes, and in which order."""

from __future__ import annotations

import heapq

from onchain_exec.testing.lying_node.mempool.pool import Pool
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx


def select(pool: Pool, base_fee_wei: int, gas_limit: int) -> list[PoolTx]:
    """Return the next block's transactions: the highest effective tip first, each account's in the
    order of its nonces, none under the base fee, gas limits together within the block's.

    As geth's builder does, an account is left aside from the first of its transactions that does not
    fit. Equal tips go by hash.
    """
    waiting = [pool.get_pending(sender) for sender in pool.senders]
    heads = [_rank(run, base_fee_wei) for run in waiting if run]
    heapq.heapify(heads)
    chosen: list[PoolTx] = []
    while heads:
        tip, _, run = heapq.heappop(heads)
        tx = run[0]
        if -tip < 0 or tx.gas_limit > gas_limit:
            continue
        chosen.append(tx)
        gas_limit -= tx.gas_limit
        if run[1:]:
            heapq.heappush(heads, _rank(run[1:], base_fee_wei))
    return chosen


def _rank(run: list[PoolTx], base_fee_wei: int) -> tuple[int, str, list[PoolTx]]:
    return -run[0].get_effective_tip(base_fee_wei), run[0].tx_hash, run
