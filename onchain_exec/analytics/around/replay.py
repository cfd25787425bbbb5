"""Our trade again, in exact integers, on the pools as they would have been without somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from onchain_exec.analytics.around.block import BlockTx, PoolSwap, list_swaps
from onchain_exec.core import Exact, Log, Token
from onchain_exec.venues import Pool, is_followed
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v2.pool import BURN, MINT


@dataclass(frozen=True, slots=True)
class Replayed:
    """``amount`` is token_out that the trade gives (Exact.IN), or token_in that it takes (Exact.OUT);
    ``is_exact`` is false if liquidity moved where somebody was left out: what its owner would have moved
    then is a guess."""

    amount: int
    is_exact: bool = True


def replay(
    pools: Mapping[str, Pool],
    before: Sequence[BlockTx],
    own: BlockTx,
    exact: Exact,
    left_out: Collection[str],
) -> Replayed:
    """Return what ``own`` comes to behind the transactions ``before`` it but those of the hashes
    ``left_out``; ``pools`` as the parent block left them.

    Everybody else swaps the input that he swapped, and our trade has its own hops: each takes what it took,
    and the last that sells a token all that is there of it (Exact.IN), or gives what it gave, and each hop
    before it what that one needs (Exact.OUT).

    Raises:
        StateError: a pool's events cannot be followed, or it would have refused.
    """
    states, moved, is_exact = dict(pools), set[str](), True
    for tx in before:
        touched = {swap.pool_key for swap in list_swaps(pools, tx)}
        if tx.tx_hash in left_out:
            moved |= touched | {key for key, pool in pools.items() if _is_told(pool, tx.logs)}
            continue
        for key in pools:
            if key in moved:
                states[key], sure = _rerun(states[key], tx.logs)
                is_exact = is_exact and sure
            elif is_followed(states[key]):
                states[key] = _follow(states[key], tx.logs)
            elif key in touched:
                states[key], _ = _rerun(states[key], tx.logs)
    swaps = list_swaps(pools, own)
    amount = _sell(states, swaps) if exact is Exact.IN else _buy(states, swaps)
    return Replayed(amount, is_exact)


def _is_told(pool: Pool, logs: Sequence[Log]) -> bool:
    """Return whether some of the logs are a pool's own."""
    return is_followed(pool) and any(
        log.address == address and (not topic or log.topics[1:2] == (topic,))
        for log in logs
        for address, topic in pool.sources
    )


def _follow(pool: Pool, logs: Sequence[Log]) -> Pool:
    for log in logs:
        if is_followed(pool):
            pool = pool.apply(log)
    return pool


def _rerun(pool: Pool, logs: Sequence[Log]) -> tuple[Pool, bool]:
    """Return the pool after the same swaps and changes of liquidity as in the logs, from another state, and
    whether none of it is a guess."""
    sure = True
    for log in logs:
        if (fill := pool.decode_fill(log)) is not None:
            pool = pool.swap(fill.token_in, fill.token_out, fill.amount_in, Exact.IN).pool_after
        elif isinstance(pool, UniswapV2Pool):  # what its Sync tells are the reserves of another state
            sure = sure and not (log.address == pool.address and log.topics[0] in (MINT.topic, BURN.topic))
        elif is_followed(pool):
            after = pool.apply(log)
            sure, pool = sure and after is pool, after
    return pool, sure


def get_amount(swaps: Sequence[PoolSwap], exact: Exact) -> int:
    """Return what the swaps of a trade came to on the chain, as `Replayed.amount` counts."""
    if exact is Exact.IN:
        end = swaps[-1].fill.token_out
        paid = sum(swap.fill.amount_in for swap in swaps if swap.fill.token_in == end)
        return sum(swap.fill.amount_out for swap in swaps if swap.fill.token_out == end) - paid
    bought = {swap.fill.token_out for swap in swaps}
    return sum(swap.fill.amount_in for swap in swaps if swap.fill.token_in not in bought)


def _sell(states: dict[str, Pool], swaps: Sequence[PoolSwap]) -> int:
    held: dict[Token, int] = defaultdict(int)
    last = {swap.fill.token_in: place for place, swap in enumerate(swaps)}
    bought = {swap.fill.token_out for swap in swaps}
    given = 0
    for place, swap in enumerate(swaps):
        fill = swap.fill
        amount_in = fill.amount_in
        if place and _is_chained(swaps[place - 1], swap):
            amount_in = given
        elif fill.token_in in bought and last[fill.token_in] == place:
            amount_in = held[fill.token_in]
        result = states[swap.pool_key].swap(fill.token_in, fill.token_out, amount_in, Exact.IN)
        states[swap.pool_key], given = result.pool_after, result.amount_out
        held[fill.token_in] -= amount_in
        held[fill.token_out] += given
    return held[swaps[-1].fill.token_out]


def _buy(states: dict[str, Pool], swaps: Sequence[PoolSwap]) -> int:
    bought = {swap.fill.token_out for swap in swaps}
    spent = needed = 0
    for place, swap in reversed(list(enumerate(swaps))):
        fill = swap.fill
        feeds_next = place + 1 < len(swaps) and _is_chained(swap, swaps[place + 1])
        amount_out = needed if feeds_next else fill.amount_out
        result = states[swap.pool_key].swap(fill.token_in, fill.token_out, amount_out, Exact.OUT)
        states[swap.pool_key], needed = result.pool_after, result.amount_in
        spent += needed if fill.token_in not in bought else 0
    return spent


def _is_chained(one: PoolSwap, other: PoolSwap) -> bool:
    """Return whether a hop took just what the one before it gave."""
    return one.fill.token_out == other.fill.token_in and one.fill.amount_out == other.fill.amount_in
