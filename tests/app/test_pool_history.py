"""The history of followed pools: what is applied is undone, what events no longer tell is let go."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.app.pools.history import PoolHistory
from onchain_exec.core import BlockRef, Log, Token, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.balancer import BalancerStablePool
from onchain_exec.venues.balancer.events import SWAP
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v2.pool import SYNC

PAIR = tuple(Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", 18) for n in (1, 2))
VAULT = to_address(b"v" * 20)
HELD, RATES = (10**24, 10**24), (WAD, WAD)
STABLE = BalancerStablePool(
    to_address(b"s" * 20), "0x" + "cd" * 32, VAULT, PAIR, HELD, 10**15, RATES, 10**5, is_steady=True
)
V2 = UniswapV2Pool(to_address(b"p" * 20), *PAIR, 10**24, 10**24)


def make_block(number: int) -> BlockRef:
    return BlockRef(1, number, hex(number), 0, 0, 0)


def make_swap(amount_in: int, amount_out: int) -> Log:
    sides = (bytes.fromhex(token.address[2:]).rjust(32, b"\0") for token in PAIR)
    data = amount_in.to_bytes(32, "big") + amount_out.to_bytes(32, "big")
    return Log(VAULT, (SWAP.topic, STABLE.pool_id_bytes, *sides), data, 0)


def make_sync(reserve0: int, reserve1: int) -> Log:
    return Log(V2.address, (SYNC.topic,), reserve0.to_bytes(32, "big") + reserve1.to_bytes(32, "big"), 1)


def test_apply_finds_each_pool_by_who_emits_its_events_and_undo_takes_all_back() -> None:
    history = PoolHistory([STABLE, V2], depth=2)
    history.apply(make_block(1), [make_swap(5, 4), make_sync(7, 8)])
    moved = replace(STABLE, balances=(10**24 + 5, 10**24 - 4))
    assert history.pools == {STABLE.key: moved, V2.key: replace(V2, reserve0=7, reserve1=8)}
    history.undo(make_block(1))
    assert history.pools == {STABLE.key: STABLE, V2.key: V2}


def test_put_of_a_pool_that_events_no_longer_tell_lets_it_go() -> None:
    history = PoolHistory([STABLE, V2], depth=2)
    history.apply(make_block(1), [make_swap(5, 4)])
    assert not history.put(make_block(1), replace(STABLE, is_steady=False))
    assert history.pools == {V2.key: V2}
    history.apply(make_block(2), [make_swap(5, 4)])
    history.undo(make_block(2))
    history.undo(make_block(1))
    assert history.pools == {V2.key: V2}


def test_put_of_what_was_followed_says_so() -> None:
    history = PoolHistory([V2], depth=2)
    assert history.put(make_block(1), V2)
    assert not history.put(make_block(1), replace(V2, reserve0=1))
    assert history.pools == {V2.key: replace(V2, reserve0=1)}
