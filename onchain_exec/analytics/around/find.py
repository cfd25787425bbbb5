"""Who was around a trade in its block, and what the trade lost to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from onchain_exec.analytics.around.block import Actors, BlockTx, PoolSwap, find_parties, list_swaps
from onchain_exec.analytics.around.replay import get_amount, replay
from onchain_exec.analytics.around.sandwiches import find_sandwiches
from onchain_exec.core import Address, Exact, Token
from onchain_exec.errors import StateError
from onchain_exec.oms.book.surroundings import Neighbour, NeighbourKind, Surroundings
from onchain_exec.venues import Pool
from onchain_exec.venues.erc20 import get_balance_changes


@dataclass(frozen=True, slots=True)
class WatchedTrade:
    """Our trade in its block: which transaction it is, for which account, and which side was fixed."""

    tx_hash: str
    account: Address
    exact: Exact


def find_surroundings(
    trade: WatchedTrade, block_hash: str, txs: Sequence[BlockTx], pools: Mapping[str, Pool]
) -> Surroundings:
    """Return who was around the trade. ``txs`` are the block's, in its order; ``pools`` as the parent block
    left them, by key: all that the trade went through (none of it: nobody is found, and nothing is exact).

    A sandwich is known by what was bought before the trade, in its pools and its direction, and sold again
    behind it for more a unit; a back-run is a transaction behind it that swaps the other way in one of its
    pools and ends richer in a token and poorer in none. Of an exact output over several hops the loss is what
    the same output would have cost less: a router that fixes the hops' amounts before may give more instead.
    """
    own = next(tx for tx in txs if tx.tx_hash == trade.tx_hash)
    others = [tx for tx in txs if tx is not own]
    ours = list_swaps(pools, own)
    if not ours:
        return Surroundings(block_hash, is_exact=False)
    ways = {_get_way(swap) for swap in ours}
    touched = {key: pools[key] for key, _, _ in ways}
    swaps = [swap for tx in others for swap in list_swaps(touched, tx)]
    fronts = [swap for swap in swaps if swap.tx.index < own.index and _get_way(swap) in ways]
    backs = [swap for swap in swaps if swap.tx.index > own.index and _get_way_back(swap) in ways]
    sandwiches = find_sandwiches(fronts, backs, Actors(others, trade.account))
    in_sandwich = {swap.tx.tx_hash for found in sandwiches for swap in (*found.fronts, *found.backs)}
    losses = _Losses(touched, [tx for tx in others if tx.index < own.index], own, trade.exact)
    neighbours = [losses.blame(NeighbourKind.SANDWICH, (*found.fronts, *found.backs)) for found in sandwiches]
    for kind, left in ((NeighbourKind.DISPLACEMENT, fronts), (NeighbourKind.BACK_RUN, backs)):
        for tx in {swap.tx.tx_hash: swap.tx for swap in left}.values():
            if tx.tx_hash in in_sandwich or (kind is NeighbourKind.BACK_RUN and not is_arbitrage(tx)):
                continue
            neighbours.append(losses.blame(kind, [swap for swap in left if swap.tx is tx]))
    total, is_exact = losses.measure(in_sandwich)
    refund_wei = sum(tx.value_wei for tx in others if tx.index > own.index and tx.to == trade.account)
    return Surroundings(block_hash, tuple(neighbours), total, is_exact, refund_wei)


def is_arbitrage(tx: BlockTx) -> bool:
    """Return whether somebody ended a transaction richer in a token, and nobody in it poorer in any."""
    changes = [get_balance_changes(tx.logs, party) for party in find_parties(tx)]
    gained = [change for held in changes for change in held.values()]
    return any(gained) and min(gained) >= 0


@dataclass(frozen=True, slots=True)
class _Losses:
    """What our trade lost to some of those before it."""

    pools: Mapping[str, Pool]
    before: Sequence[BlockTx]
    own: BlockTx
    exact: Exact

    def blame(self, kind: NeighbourKind, swaps: Sequence[PoolSwap]) -> Neighbour:
        hashes = tuple(dict.fromkeys(swap.tx.tx_hash for swap in swaps))
        pools = tuple(dict.fromkeys(swap.pool_key for swap in swaps))
        return Neighbour(kind, hashes, pools, self.measure(hashes)[0])

    def measure(self, left_out: Collection[str]) -> tuple[int, bool]:
        """Return the loss to these, and whether it is exact; 0 where the block cannot be replayed."""
        got = get_amount(list_swaps(self.pools, self.own), self.exact)
        try:
            fact = replay(self.pools, self.before, self.own, self.exact, ())
            without = replay(self.pools, self.before, self.own, self.exact, left_out)
        except StateError:
            return 0, False
        loss = without.amount - fact.amount if self.exact is Exact.IN else fact.amount - without.amount
        return loss, without.is_exact and fact.amount == got


def _get_way(swap: PoolSwap) -> tuple[str, Token, Token]:
    return swap.pool_key, swap.fill.token_in, swap.fill.token_out


def _get_way_back(swap: PoolSwap) -> tuple[str, Token, Token]:
    return swap.pool_key, swap.fill.token_out, swap.fill.token_in
