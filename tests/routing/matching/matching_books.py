"""Books around reference prices, pools beside them, and what every match must hold."""

from __future__ import annotations

import random
from collections import defaultdict

from onchain_exec.clearing.settle import Flags, SettleOrder
from onchain_exec.core import Address, BlockRef, Exact, Token, to_address
from onchain_exec.routing.matching import BookOrder, Match
from onchain_exec.venues import PoolSet
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

BLOCK = BlockRef(1, 1, "0x" + "11" * 32, 1_700_000_000, 0, 0)
UNIT = 10**18
TOKENS = [Token(1, to_address((n + 1).to_bytes(20, "big")), f"T{n}", 18) for n in range(4)]
PRICES = {TOKENS[0].address: 1.0, TOKENS[1].address: 2.0, TOKENS[2].address: 0.5, TOKENS[3].address: 1.0}
NO_POOLS = PoolSet(BLOCK, ())


def make_order(
    tokens: tuple[int, int], amount_in: int, amount_out: int, flags: Flags = Flags.NONE, owner: int = 1
) -> BookOrder:
    order = SettleOrder(
        to_address(owner.to_bytes(20, "little")),
        TOKENS[tokens[0]].address,
        TOKENS[tokens[1]].address,
        amount_in,
        amount_out,
        deadline_at=2**32 - 1,
        seq=1,
        flags=flags,
    )
    return BookOrder(order, order.size)


def random_book(dice: random.Random, count: int, tokens: int, must_fill: float = 0.3) -> list[BookOrder]:
    """Orders around the reference prices, some too dear."""
    book = []
    for number in range(count):
        sells, buys = dice.sample(range(tokens), 2)
        worth = PRICES[TOKENS[sells].address] / PRICES[TOKENS[buys].address]
        amount_in = dice.randrange(UNIT // 100, 10 * UNIT)
        amount_out = int(amount_in * worth * dice.uniform(0.8, 1.05))
        flags = Flags.FILL_OR_KILL if dice.random() < must_fill else Flags.NONE
        if dice.random() < 0.3:
            flags |= Flags.EXACT_OUT
        book.append(make_order((sells, buys), amount_in, amount_out, flags, number + 1))
    return book


def random_pools(dice: random.Random, count: int, tokens: int) -> PoolSet:
    pools = []
    for number in range(count):
        first, second = sorted(dice.sample(range(tokens), 2))
        worth = PRICES[TOKENS[first].address] / PRICES[TOKENS[second].address]
        reserve = dice.randrange(10 * UNIT, 1000 * UNIT)
        address = to_address((2**80 + number).to_bytes(20, "big"))
        other = int(reserve * worth * dice.uniform(0.99, 1.01))
        pools.append(UniswapV2Pool(address, TOKENS[first], TOKENS[second], reserve, other))
    return PoolSet(BLOCK, tuple(pools))


def require_settles(match: Match, pools: PoolSet) -> None:
    """Every limit holds, no order is filled beyond what remains of it, whole ones are whole, the pools give
    what they say one after the other, every token's account adds up to what is left, and nothing is left of
    what a pool took last and no owner can be given."""
    balance: defaultdict[Address, int] = defaultdict(int)
    for fill in match.fills:
        order = fill.entry.order
        amount = fill.amount_out if order.is_exact_out else fill.amount_in
        assert fill.amount_out * order.amount_in >= order.amount_out * fill.amount_in
        assert 0 < amount <= fill.entry.remaining
        assert amount == order.size or not fill.entry.must_fill
        assert fill.amount_in > 0
        balance[order.token_in] += fill.amount_in
        balance[order.token_out] -= fill.amount_out
    after = {pool.key: pool for pool in pools.pools}
    for hop in match.hops:
        done = after[hop.pool.key].swap(hop.token_in, hop.token_out, hop.amount_in, Exact.IN)
        assert done.amount_out == hop.amount_out
        after[hop.pool.key] = done.pool_after
        balance[hop.token_in.address] -= hop.amount_in
        balance[hop.token_out.address] += hop.amount_out
    assert {token: left for token, left in balance.items() if left} == dict(match.left)
    assert all(left >= 0 for left in match.left.values())
    bought_at = {hop.token_out.address: number for number, hop in enumerate(match.hops)}
    sold_at = {hop.token_in.address: number for number, hop in enumerate(match.hops)}
    sold = {token for token, number in sold_at.items() if number > bought_at.get(token, -1)}
    assert not match.left.keys() & sold - {fill.entry.claims for fill in match.fills}
    assert -1e-9 <= match.gain <= match.bound * (1 + 1e-6) + 1e-6
