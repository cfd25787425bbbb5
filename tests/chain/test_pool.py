"""The pool's parts, one by one, in virtual time."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_chain import CHAIN_ID, LATENCY_S, ModelChain, ModelEndpoint, make_hash
from pool_matrix import ACCOUNT, CONTRACT, Cell

from onchain_exec.chain import EndpointPool, EndpointState, Node, PoolPolicy, Role
from onchain_exec.chain.pool import Member
from onchain_exec.chain.pool.health import MAX_PAUSE_S, TABLE, Health, Signal
from onchain_exec.chain.pool.pace import Latency, TokenBucket
from onchain_exec.chain.pool.views import View, find_unclear, judge
from onchain_exec.core import Call
from onchain_exec.errors import (
    BlockNotFoundError,
    ConfigError,
    NodeError,
    NodeRefusedError,
    NodesDisagreeError,
    NodeUnreachableError,
    RateLimitedError,
    WrongChainError,
)
from onchain_exec.testing.simulated import run_virtually


def test_table_says_what_each_signal_means_in_each_state() -> None:
    assert set(TABLE) == set(itertools.product(EndpointState, Signal))
    for state in EndpointState:
        assert TABLE[state, Signal.AGREES] is EndpointState.ALIVE
        assert TABLE[state, Signal.OTHER_CHAIN] is EndpointState.WRONG_CHAIN
    alive = {key for key, after in TABLE.items() if after is EndpointState.ALIVE}
    assert alive == {(state, Signal.AGREES) for state in EndpointState} | {
        (EndpointState.ALIVE, Signal.HEARD)
    }
    assert TABLE[EndpointState.WRONG_CHAIN, Signal.FAILED] is EndpointState.WRONG_CHAIN


@given(st.lists(st.sampled_from(list(Signal)), max_size=40))
def test_health_after_any_signals_pauses_after_failures_only_and_not_for_ever(
    signals: list[Signal],
) -> None:
    health = Health()
    for now, signal in enumerate(signals):
        health = health.after(signal, float(now))
        fails = signal in (Signal.FAILED, Signal.LIMITED, Signal.OTHER_CHAIN)
        assert health.is_due(float(now)) is not fails
        assert health.is_due(now + 2 * MAX_PAUSE_S)


def test_health_after_failures_pauses_twice_as_long_each_time_until_an_answer() -> None:
    health, pauses = Health(), []
    for _ in range(12):
        health = health.after(Signal.FAILED, 0.0)
        pauses.append(health.retry_at)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == MAX_PAUSE_S
    assert health.after(Signal.AGREES, 0.0).after(Signal.FAILED, 0.0).retry_at == 0.1


def test_health_after_retry_after_waits_as_long_as_the_node_wishes() -> None:
    assert Health().after(Signal.LIMITED, 5.0, 7.0).retry_at == 12.0


@given(
    st.floats(0.5, 1_000),
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 40)), min_size=1, max_size=60),
)
def test_bucket_never_lets_more_start_than_its_rate(rate: float, asks: list[tuple[float, int]]) -> None:
    bucket, now, starts = TokenBucket(rate), 0.0, []
    for pause, count in asks:
        now += pause
        starts.append((now + bucket.take(count, now), count))
    for (first, _), (last, count) in itertools.combinations(starts, 2):
        through = sum(n for at, n in starts if first <= at <= last)
        largest = max(n for _, n in starts)
        assert through <= rate * (last - first + 1) + 2 * largest + 1e-6, count


def test_latency_quantile_is_that_of_the_recent_answers() -> None:
    latency = Latency()
    assert not latency
    for milliseconds in range(1_000):
        latency.add(milliseconds / 1_000)
    assert latency.get_quantile(0.0) == 0.744  # 256 are remembered
    assert latency.get_quantile(0.5) == 0.872
    assert latency.get_quantile(1.0) == 0.999
    assert latency.get_share_over(0.999) == 0
    assert latency.get_share_over(0.9) == pytest.approx(99 / 256)
    assert 0.99 < latency.mean_s < 1


def _view(name: str, chain: ModelChain, height: int) -> View:
    return View(name, CHAIN_ID, chain.show(height) or {})


def _judge(views: list[tuple[ModelChain, int]], witnesses: int) -> Any:
    """Judge as a survey does: what is unclear is asked once."""
    seen = [_view(str(index), chain, height) for index, (chain, height) in enumerate(views)]
    heights = find_unclear(seen, witnesses, 2)
    for view, (chain, height) in zip(seen, views, strict=True):
        for wanted in heights:
            if wanted <= height and (block := chain.show(wanted)):
                view.add(block)
    return judge(seen, witnesses, 2)


HEIGHTS = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=5)


@given(HEIGHTS, st.integers(1, 3), st.integers(1, 6))
def test_judge_tells_a_block_only_with_enough_witnesses_and_more_than_contradict(
    drawn: list[tuple[bool, int]], witnesses: int, depth: int
) -> None:
    """Catalogue 30, 33: whatever lags and forks there are."""
    main = ModelChain()
    main.mine(20)
    fork = main.fork("fork", depth)
    fork.mine(depth)
    views = [(fork if forked else main, 20 - lag) for forked, lag in drawn]
    try:
        found = _judge(views, witnesses)
    except NodesDisagreeError:
        return
    right = next(
        chain
        for chain, height in views
        if height >= found.number and chain.hashes[found.number] == found.hash
    )
    agreeing = [
        height
        for chain, height in views
        if chain.hashes[min(height, found.number)] == right.hashes[min(height, found.number)]
    ]
    assert sum(height >= found.number for height in agreeing) >= witnesses
    assert 2 * len(agreeing) > len(views)
    assert max(agreeing) - found.number <= 2


@given(st.lists(st.integers(0, 2), min_size=3, max_size=5))
def test_judge_of_endpoints_that_lag_little_tells_the_newest_that_enough_have(lags: list[int]) -> None:
    main = ModelChain()
    main.mine(20)
    found = _judge([(main, 20 - lag) for lag in lags], 2)
    assert found.number == 20 - sorted(lags)[1]
    assert [signal is Signal.AGREES for signal in found.signals] == [20 - lag >= found.number for lag in lags]


def _run(scenario: Any) -> None:
    async def work() -> None:
        cell = Cell()
        await scenario(cell)
        await cell.pool.close()

    run_virtually(work())


def _count(endpoint: ModelEndpoint, method: str) -> int:
    return sum(asked == method for asked, _ in endpoint.asked)


def test_read_of_a_slow_endpoint_is_given_to_a_second_after_its_usual_time() -> None:
    async def scenario(cell: Cell) -> None:
        clock = asyncio.get_running_loop()
        block = await cell.decide()
        home = next(e for e in cell.endpoints if _count(e, "eth_call"))
        home.latency_s = 5.0
        begun = clock.time()
        await cell.node.read_calls([Call(CONTRACT, b"")], block)
        assert clock.time() - begun == pytest.approx(2.1 * LATENCY_S, rel=0.01)
        assert sorted(_count(e, "eth_call") for e in cell.endpoints) == [0, 1, 3]

    _run(scenario)


def test_head_of_a_single_endpoint_is_waited_for_however_slow_it_becomes() -> None:
    async def work() -> None:
        only = ModelEndpoint(ModelChain(), "only")
        pool = EndpointPool([Member(only)], chain_id=CHAIN_ID)
        node = Node(pool, CHAIN_ID)
        for _ in range(20):
            await node.get_block()
            await asyncio.sleep(2)
        only.latency_s = 5.0
        assert (await node.get_block()).number == only.chain.height
        await pool.close()

    run_virtually(work())


def test_read_pinned_by_hash_goes_only_to_endpoints_that_have_the_block() -> None:
    async def scenario(cell: Cell) -> None:
        cell.endpoints[0].lag = 1
        block = await cell.decide()
        assert block.number == cell.chain.height
        for _ in range(5):
            await cell.node.read_calls([Call(CONTRACT, b"")], block)
        assert not _count(cell.endpoints[0], "eth_call")
        assert cell.pool.members[0].health.state is EndpointState.BEHIND

    _run(scenario)


def test_reads_of_one_block_come_from_one_endpoint() -> None:
    """One decision, one endpoint's view."""

    async def scenario(cell: Cell) -> None:
        block = await cell.decide()
        for _ in range(10):
            await cell.node.read_calls([Call(CONTRACT, b"")], block)
        assert sorted(_count(e, "eth_call") for e in cell.endpoints)[:2] == [0, 0]

    _run(scenario)


def test_head_never_goes_back_when_those_that_were_ahead_fall_silent() -> None:
    """Catalogue 30."""

    async def scenario(cell: Cell) -> None:
        told = await cell.decide()
        cell.endpoints[0].fault = "5xx"
        cell.endpoints[1].lag = cell.endpoints[2].lag = 2
        with pytest.raises(NodesDisagreeError, match=f"block {told.number}, which was told before"):
            await cell.node.get_block()
        with pytest.raises(NodeError):
            await cell.node.get_nonce(ACCOUNT)
        cell.endpoints[1].lag = cell.endpoints[2].lag = 0
        assert (await cell.node.get_block()) == told

    _run(scenario)


@pytest.mark.parametrize("depth", [1, 2, 7])
def test_head_follows_a_reorg_that_most_endpoints_took(depth: int) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.decide()
        branch = cell.chain.fork("branch", depth)
        branch.mine(depth)
        for endpoint in cell.endpoints[:2]:
            endpoint.chain = branch
        assert (await cell.node.get_block()).hash == branch.hashes[-1]
        assert cell.pool.members[2].health.state is EndpointState.MINORITY_FORK
        cell.endpoints[2].chain = branch
        await cell.node.get_block()
        assert cell.pool.members[2].health.state is EndpointState.ALIVE

    _run(scenario)


def test_receipt_that_one_endpoint_has_not_yet_is_asked_of_the_others() -> None:
    """Catalogue 31."""

    async def scenario(cell: Cell) -> None:
        tx_hash = make_hash("tx")
        await cell.decide()
        quick, late = cell.endpoints[0], cell.endpoints[1:]
        quick.latency_s = LATENCY_S / 2
        await cell.decide()
        cell.chain.mined_txs[tx_hash] = cell.chain.height
        quick._eth_getTransactionReceipt = lambda tx_hash: None  # type: ignore[method-assign]
        found = await cell.pool.request("eth_getTransactionReceipt", (tx_hash,))
        assert found["blockHash"] == cell.chain.hashes[-1]
        assert sum(_count(endpoint, "eth_getTransactionReceipt") for endpoint in late) == 2

    _run(scenario)


def test_rate_limited_endpoint_is_left_alone_until_the_time_it_named() -> None:
    """Catalogue 34."""

    async def scenario(cell: Cell) -> None:
        await cell.decide()
        limited = cell.endpoints[0]
        limited.fault, limited.retry_after_s = "429", 30.0
        await cell.node.get_block()
        asked = len(limited.asked)
        for _ in range(28):
            await asyncio.sleep(1)
            await cell.decide()
        assert len(limited.asked) == asked
        limited.fault = "ok"
        await asyncio.sleep(3)
        for _ in range(2):
            await cell.decide()
            await asyncio.sleep(1)
        assert cell.pool.members[0].health.state is EndpointState.ALIVE

    _run(scenario)


def test_reads_when_all_endpoints_ask_to_slow_down_raise_the_shortest_wait() -> None:
    async def scenario(cell: Cell) -> None:
        for endpoint, wait_s in zip(cell.endpoints, (9.0, 4.0, 7.0), strict=True):
            endpoint.fault, endpoint.retry_after_s = "429", wait_s
        with pytest.raises(RateLimitedError) as caught:
            await cell.node.get_block()
        assert caught.value.retry_after_s == pytest.approx(4.0, abs=0.1)

    _run(scenario)


def test_request_when_all_endpoints_serve_another_chain_raises() -> None:
    """Catalogue 38."""

    async def scenario(cell: Cell) -> None:
        cell.set_faults(["wrong chain"] * 3)
        with pytest.raises(WrongChainError):
            await cell.node.get_block()

    _run(scenario)


def test_endpoint_that_changes_its_chain_while_it_runs_is_noticed() -> None:
    """Catalogue 38."""

    async def scenario(cell: Cell) -> None:
        await cell.decide()
        cell.endpoints[1].chain_id = 5
        await cell.decide()
        assert cell.pool.members[1].health.state is EndpointState.WRONG_CHAIN

    _run(scenario)


def test_head_older_than_the_policy_raises() -> None:
    async def scenario(cell: Cell) -> None:
        for endpoint in cell.endpoints:
            endpoint.lag = 6
        with pytest.raises(BlockNotFoundError, match="72 s old"):
            await cell.node.get_block()

    _run(scenario)


def test_endpoint_that_failed_is_asked_again_after_a_pause_and_serves() -> None:
    async def scenario(cell: Cell) -> None:
        await cell.decide()
        cell.endpoints[0].fault = "5xx"
        await cell.decide()
        assert cell.pool.members[0].health.state is EndpointState.UNREACHABLE
        cell.endpoints[0].fault = "ok"
        await asyncio.sleep(0.2)
        await cell.decide()
        await cell.decide()
        assert cell.pool.members[0].health.state is EndpointState.ALIVE

    _run(scenario)


def _quorum_pool(cell: Cell) -> EndpointPool:
    members = [Member(endpoint) for endpoint in cell.endpoints]
    return EndpointPool(members, chain_id=CHAIN_ID, policy=PoolPolicy(agreeing=2))


def test_quorum_read_takes_what_two_of_three_say_and_names_who_says_what_else() -> None:
    async def scenario(cell: Cell) -> None:
        node = Node(_quorum_pool(cell), CHAIN_ID)
        height = cell.chain.height
        cell.endpoints[0]._eth_getTransactionCount = lambda *_: "0x1"  # type: ignore[method-assign]
        assert await node.get_nonce(ACCOUNT) == height
        cell.endpoints[1]._eth_getTransactionCount = lambda *_: "0x2"  # type: ignore[method-assign]
        with pytest.raises(NodesDisagreeError) as caught:
            await node.get_nonce(ACCOUNT)
        assert dict(caught.value.said) == {
            "http://a": "'0x1'",
            "http://b": "'0x2'",
            "http://c": repr(hex(height)),
        }

    _run(scenario)


def test_policy_that_asks_for_more_endpoints_than_there_are_raises() -> None:
    members = [Member(ModelEndpoint(ModelChain(), name)) for name in "ab"]
    with pytest.raises(ConfigError, match="3 endpoints shall agree"):
        EndpointPool(members, policy=PoolPolicy(agreeing=3))


def _role_pool() -> tuple[EndpointPool, dict[str, ModelEndpoint]]:
    chain = ModelChain()
    chain.mine(3)
    roles = {"reader": {Role.READ}, "public": {Role.SEND}, "relay": {Role.PRIVATE}}
    endpoints = {name: ModelEndpoint(chain, name) for name in roles}
    members = [Member(endpoints[name], wanted) for name, wanted in roles.items()]
    return EndpointPool(members, chain_id=CHAIN_ID), endpoints


@pytest.mark.parametrize("private", [False, True])
def test_broadcast_reaches_only_endpoints_of_the_role(private: bool) -> None:
    """Catalogue 64: relay and public broadcast are never mixed."""

    async def work() -> None:
        pool, endpoints = _role_pool()
        node = Node(pool, CHAIN_ID)
        await node.get_block()
        await node.broadcast(b"\x02", private=private)
        sent = {name: _count(e, "eth_sendRawTransaction") for name, e in endpoints.items()}
        assert sent == {"reader": 0, "public": int(not private), "relay": int(private)}
        assert {method for method, _ in endpoints["relay"].asked} <= {"eth_sendRawTransaction"}
        await pool.close()

    run_virtually(work())


def test_broadcast_to_a_silent_endpoint_goes_on_after_another_took_the_bytes() -> None:
    async def scenario(cell: Cell) -> None:
        cell.endpoints[2].latency_s = 3.0
        deliveries = await cell.node.broadcast(b"\x02")
        assert isinstance(deliveries[2].reply, NodeUnreachableError)
        assert not cell.endpoints[2].pool
        await asyncio.sleep(3)
        assert cell.endpoints[2].pool == cell.endpoints[0].pool

    _run(scenario)


@pytest.mark.parametrize(
    ("faults", "error"), [(("ok", "hang", "5xx"), None), (("429", "hang", "5xx"), NodeUnreachableError)]
)
def test_send_through_request_is_the_hash_if_any_took_it_and_else_ambiguous(
    faults: tuple[str, ...], error: type[NodeError] | None
) -> None:
    """Catalogue 25, 26: what web3's faces get."""

    async def scenario(cell: Cell) -> None:
        cell.set_faults(faults)
        if error is None:
            assert await cell.pool.request("eth_sendRawTransaction", ("0x02",)) == make_hash("0x02")
            with pytest.raises(NodeUnreachableError):  # one knows it, the others may: no refusal by all
                await cell.pool.request("eth_sendRawTransaction", ("0x02",))
        else:
            with pytest.raises(error):
                await cell.pool.request("eth_sendRawTransaction", ("0x02",))

    _run(scenario)


def test_request_of_an_unknown_method_is_asked_once_of_the_first_endpoint() -> None:
    async def scenario(cell: Cell) -> None:
        for endpoint in cell.endpoints:
            endpoint._evm_mine = lambda: "0x0"  # type: ignore[attr-defined]
        assert await cell.pool.request("evm_mine") == "0x0"
        assert [_count(endpoint, "evm_mine") for endpoint in cell.endpoints] == [1, 0, 0]

    _run(scenario)


def test_refusal_never_wins_against_an_answer() -> None:
    """Catalogue 26."""

    def refuse(*_: Any) -> Any:
        raise NodeRefusedError("eth_call", -32601, "the method does not exist")

    async def scenario(cell: Cell) -> None:
        block = await cell.decide()
        for endpoint in cell.endpoints:
            if _count(endpoint, "eth_call"):
                endpoint._eth_call = refuse  # type: ignore[method-assign]
        assert (await cell.node.read_calls([Call(CONTRACT, b"")], block)).answers[0].success

    _run(scenario)


def test_close_that_is_cancelled_closes_every_endpoint_nevertheless() -> None:
    closed: list[str] = []

    class Slow(ModelEndpoint):
        async def close(self) -> None:
            try:
                await asyncio.sleep(1)
            finally:
                closed.append(self.where)

    async def work() -> None:
        chain = ModelChain()
        closing = asyncio.create_task(EndpointPool([Member(Slow(chain, name)) for name in "abc"]).close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

    run_virtually(work())
    assert sorted(closed) == ["http://a", "http://b", "http://c"]
