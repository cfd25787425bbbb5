"""Pools that follow the chain: after any blocks and reorgs they are what a fresh read gives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from crowd import Crowd

from onchain_exec.app.pools.live import Cause, Following, LivePools, PoolsReread
from onchain_exec.app.pools.reading import read_named_pools
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.errors import NodeUnreachableError
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.pool_name import parse_pool_name
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A chain of this test's own that forks nothing: many blocks are mined on it."""
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
async def node(own: Sandbox) -> AsyncIterator[Node]:
    node = await Node.connect(own.url)
    yield node
    await node.close()


async def _read(node: Node, own: Sandbox) -> PoolSet:
    names = [parse_pool_name(key) for key in own.deployment.pools]
    return await read_named_pools(node, names, await node.get_block())


async def _follow_to_head(live: LivePools, node: Node) -> None:
    head = await node.get_block()
    while live.pools.block != head:
        await anext(live)


@pytest.mark.parametrize("blocks", [250, pytest.param(1_000, marks=pytest.mark.deep)])
async def test_next_after_many_blocks_and_reorgs_equals_a_fresh_read(
    node: Node, own: Sandbox, blocks: int
) -> None:
    rng, told = random.Random("live"), list[PoolsReread]()
    crowd = Crowd(own, rng)
    live = LivePools(node, await _read(node, own), Following(told.append, check_blocks=400, poll_s=0.01))
    acts: Counter[str] = Counter()
    for block in range(1, blocks + 1):
        acts[crowd.act(rng.choice(live.pools.pools))] += 1
        if rng.random() < 0.03:
            await _follow_to_head(live, node)
            own.chain.reorg(rng.randint(1, 8))
        if block % 50 == 0:
            own.chain.mine()
            await _follow_to_head(live, node)
            assert live.pools == await _read(node, own)
    assert len(acts - Counter({"": blocks})) == 10  # each kind of action was taken
    assert [reread for reread in told if reread.cause is not Cause.STALE] == []


def _replace(pools: PoolSet, changed: Pool) -> PoolSet:
    return replace(pools, pools=tuple(changed if p.key == changed.key else p for p in pools.pools))


async def test_next_finds_and_tells_a_pool_that_differs_from_a_fresh_read(node: Node, own: Sandbox) -> None:
    told: list[PoolsReread] = []
    pools = await _read(node, own)
    pair = next(pool for pool in pools.pools if isinstance(pool, UniswapV2Pool))
    wrong = _replace(pools, replace(pair, reserve0=pair.reserve0 + 1))
    live = LivePools(node, wrong, Following(told.append, check_blocks=1, poll_s=0.01))
    own.chain.mine()
    await _follow_to_head(live, node)
    assert live.pools.pools == pools.pools
    assert [(reread.cause, reread.keys) for reread in told] == [(Cause.MISMATCH, (pair.key,))]


async def test_next_reads_a_pool_again_whose_events_do_not_fit(node: Node, own: Sandbox) -> None:
    told: list[PoolsReread] = []
    crowd = Crowd(own, random.Random("stale"))
    pools = await _read(node, own)
    pool = next(pool for pool in pools.pools if isinstance(pool, UniswapV4Pool))
    other = replace(pool, curve=pool.curve.with_fee(pool.curve.fee_pips + 1))
    live = LivePools(node, _replace(pools, other), Following(told.append, poll_s=0.01))
    while crowd.act(pool) != "_swap_v4":
        pass
    await _follow_to_head(live, node)
    assert live.pools == await _read(node, own)
    assert [(reread.cause, reread.keys) for reread in told] == [(Cause.STALE, (pool.key,))]


async def test_next_after_a_reorg_below_the_start_reads_all_again(node: Node, own: Sandbox) -> None:
    told: list[PoolsReread] = []
    crowd = Crowd(own, random.Random("gap"))
    before = await _read(node, own)
    pair = next(pool for pool in before.pools if isinstance(pool, UniswapV2Pool))
    assert crowd.act(pair)
    live = LivePools(node, await _read(node, own), Following(told.append, poll_s=0.01))
    own.chain.reorg(1)
    own.chain.mine()
    await _follow_to_head(live, node)
    assert live.pools.pools == before.pools
    assert [reread.cause for reread in told] == [Cause.GAP]


async def test_next_goes_on_where_the_node_failed(
    node: Node, own: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(own, random.Random("fail"))
    live = LivePools(node, await _read(node, own), Following(check_blocks=1, poll_s=0.01))
    for pool in live.pools.pools[:8]:
        crowd.act(pool)
    with monkeypatch.context() as broken:
        broken.setattr(node, "read_calls", _fail)
        with pytest.raises(NodeUnreachableError):
            await anext(live)
    await _follow_to_head(live, node)
    assert live.pools == await _read(node, own)


async def _fail(*arguments: object) -> None:
    raise NodeUnreachableError("down")
