"""The head follower: whatever the chain does, undoing and applying the events gives the chain."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from silent_channel import SilentChannel
from web_socket_server import serve_sockets
from websockets.asyncio.server import ServerConnection

from onchain_exec.chain import HeadEvent, HeadFollower, HttpRpc, LocalChain, LogFilter, Node, Reply, Request
from onchain_exec.chain.heads import subscription
from onchain_exec.chain.heads.subscription import HeadSubscription
from onchain_exec.core import BlockRef, Log, to_address
from onchain_exec.errors import ConfigError, NodeUnreachableError, StateError
from onchain_exec.testing.simulated import run_virtually

EMITTER = to_address("0x" + "ee" * 20)
EMIT = bytes.fromhex("60aa600080a100")
"""Runtime code that emits LOG1 without data and with the topic 0xaa."""

QUICK_S = 0.005


class FailingRpc:
    """A node that fails, or whose head lags, when told."""

    def __init__(self, url: str) -> None:
        self._rpc = HttpRpc(url)
        self.where = self._rpc.where
        self.failures: list[str] = []
        self.lagging_at = ""

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self._fail(method)
        if self.lagging_at and tuple(params) == ("latest", False):
            params = (self.lagging_at, False)
        return await self._rpc.request(method, params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        for method, _ in requests:
            self._fail(method)
        return await self._rpc.batch(requests)

    def _fail(self, method: str) -> None:
        if method in self.failures:
            self.failures.remove(method)
            raise NodeUnreachableError("down")

    async def close(self) -> None:
        await self._rpc.close()


@pytest.fixture
async def failing(chain: LocalChain) -> AsyncIterator[Node]:
    node = await Node.connect(FailingRpc(chain.url))
    yield node
    await node.close()


async def _next(follower: HeadFollower, timeout_s: float = 60.0) -> HeadEvent:
    async with asyncio.timeout(timeout_s):
        return await anext(follower)


def _emit(chain: LocalChain) -> None:
    chain.set_code(EMITTER, EMIT)
    chain.request("eth_sendTransaction", {"from": chain.accounts[0].address, "to": EMITTER})
    chain.mine()


async def test_next_after_several_blocks_tells_each_of_them(node: Node, chain: LocalChain) -> None:
    follower = await HeadFollower.start(node, poll_s=QUICK_S)
    begun = follower.head
    chain.mine(5)
    event = await _next(follower)
    assert event.orphaned == ()
    assert event.added == tuple([await node.get_block(begun.number + step) for step in range(1, 6)])
    assert follower.head == event.head == await node.get_block()


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 32, 157])
async def test_next_after_a_reorg_names_the_orphaned_blocks_newest_first(
    node: Node, chain: LocalChain, depth: int
) -> None:
    """Catalogue 51, 54, 60: up to the deepest reorg of a main chain."""
    follower = await HeadFollower.start(node, poll_s=QUICK_S)
    chain.mine(depth + 1)
    before = (await _next(follower)).added
    chain.reorg(depth)
    event = await _next(follower)
    assert event.orphaned == before[:0:-1]
    assert event.added[0].number == before[1].number
    assert event.head == await node.get_block()


async def _follow(follower: HeadFollower, until: BlockRef) -> list[HeadEvent]:
    events = []
    while follower.head != until:
        events.append(await _next(follower))
    return events


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), st.integers(1, 4)),
        st.tuples(st.just("emit"), st.integers(1, 3)),
        st.tuples(st.just("reorg"), st.integers(1, 4)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_events_undone_and_applied_give_the_chain_and_its_logs(
    chain: LocalChain, steps: list[tuple[str, int]]
) -> None:
    """Catalogue 32, 36, 60: no hole and nothing twice, whenever one looks."""
    async with HttpRpc(chain.url) as rpc:
        await _check_events(Node(rpc, chain.chain_id), chain, steps)


async def _check_events(node: Node, chain: LocalChain, steps: list[tuple[str, int]]) -> None:
    chain.mine(5)  # so that no reorg goes below the start
    wanted = LogFilter((EMITTER,))
    begun = await node.get_block()
    chain.mine(4 * len(steps))
    follower = HeadFollower(node, begun, logs=wanted, poll_s=QUICK_S)
    events: list[HeadEvent] = []
    for step, count in steps:
        if step == "mine":
            chain.mine(count)
        elif step == "reorg":
            chain.reorg(count)
        elif step == "emit":
            for _ in range(count):
                _emit(chain)
        else:
            events += await _follow(follower, await node.get_block())
    events += await _follow(follower, await node.get_block())

    view: list[BlockRef] = [begun]
    logs: list[Log] = []
    for event in events:
        for orphaned in event.orphaned:
            assert view.pop() == orphaned
        gone = {block.hash for block in event.orphaned}
        logs = [log for log in logs if log.block_hash not in gone] + list(event.logs)
        view += event.added
    head = await node.get_block()
    assert view == [await node.get_block(number) for number in range(begun.number, head.number + 1)]
    found = await node.get_logs(wanted, (begun.number, head.number))
    assert logs == [log for log in found if log.block_number > begun.number]


async def test_next_when_the_node_fails_raises_and_goes_on_without_a_gap(
    failing: Node, chain: LocalChain
) -> None:
    follower = await HeadFollower.start(failing, logs=LogFilter((EMITTER,)), poll_s=QUICK_S)
    begun = follower.head
    _emit(chain)
    chain.mine(2)
    rpc = failing.rpc
    assert isinstance(rpc, FailingRpc)
    rpc.failures = ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getLogs"]
    for _ in range(3):
        with pytest.raises(NodeUnreachableError):
            await _next(follower)
        assert follower.head == begun
    event = await _next(follower)
    assert [block.number for block in event.added] == list(range(begun.number + 1, event.head.number + 1))
    assert [log.address for log in event.logs] == [EMITTER]


async def test_next_when_the_head_goes_back_to_a_told_block_waits(failing: Node, chain: LocalChain) -> None:
    """Catalogue 30: a load balancer whose replica lags."""
    follower = await HeadFollower.start(failing, poll_s=QUICK_S)
    chain.mine(3)
    head = (await _next(follower)).head
    rpc = failing.rpc
    assert isinstance(rpc, FailingRpc)
    rpc.lagging_at = hex(head.number - 2)
    with pytest.raises(TimeoutError):
        await _next(follower, 0.1)
    assert follower.head == head
    rpc.lagging_at = ""
    chain.mine()
    event = await _next(follower)
    assert (event.orphaned, len(event.added)) == ((), 1)


async def test_next_when_a_reorg_goes_below_the_start_raises(node: Node, chain: LocalChain) -> None:
    chain.mine(3)
    follower = await HeadFollower.start(node, poll_s=QUICK_S)
    chain.reorg(2)
    with pytest.raises(StateError, match="a reorg below"):
        await _next(follower)


async def test_subscription_tells_of_a_head_long_before_the_interval(node: Node, chain: LocalChain) -> None:
    async with HeadSubscription(chain.url.replace("http", "ws")) as wake:
        follower = await HeadFollower.start(node, wake=wake, poll_s=1_000_000)
        waiting = asyncio.create_task(_next(follower))
        await asyncio.sleep(0.05)  # whether it has subscribed by now or not
        chain.mine()
        assert (await waiting).head == await node.get_block()


async def test_subscription_that_is_deaf_is_replaced_and_no_head_is_lost(
    node: Node, chain: LocalChain
) -> None:
    """Catalogue 35."""
    sockets: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def never_speak(socket: ServerConnection) -> None:
        sockets.put_nowait(socket)
        await socket.wait_closed()

    async with serve_sockets(never_speak) as url, HeadSubscription(url) as wake:
        follower = await HeadFollower.start(node, wake=wake, poll_s=0.1)
        for number in range(3):
            waiting = asyncio.create_task(_next(follower))
            await sockets.get()  # a new one each time
            chain.mine()
            assert len((await waiting).added) == 1, number


async def test_subscription_that_ends_after_each_head_loses_none_of_those_between(
    node: Node, chain: LocalChain
) -> None:
    """Catalogue 36: what happens between a disconnect and the next subscription is fetched."""
    sockets: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def answer_and_end(socket: ServerConnection) -> None:
        sockets.put_nowait(socket)
        await socket.recv()
        await socket.send("{}")

    async with serve_sockets(answer_and_end) as url, HeadSubscription(url) as wake:
        follower = await HeadFollower.start(node, logs=LogFilter((EMITTER,)), wake=wake, poll_s=QUICK_S)
        begun, told, logs = follower.head, [], 0
        for _ in range(3):
            waiting = asyncio.create_task(_next(follower))
            await (await sockets.get()).wait_closed()
            chain.mine(2)
            _emit(chain)
            events = [await waiting, *await _follow(follower, await node.get_block())]
            told += [block.number for event in events for block in event.added]
            logs += sum(len(event.logs) for event in events)
    assert told == list(range(begun.number + 1, begun.number + 10))
    assert logs == 3


async def test_subscription_to_a_server_that_hangs_up_connects_once_in_each_wait() -> None:
    sockets = 0

    async def answer_and_end(socket: ServerConnection) -> None:
        nonlocal sockets
        sockets += 1
        await socket.recv()
        await socket.send("{}")

    async with serve_sockets(answer_and_end) as url, HeadSubscription(url) as wake:
        assert await wake.wait(1_000)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wake.wait(1_000), 0.2)
    assert sockets == 1


def test_subscription_that_closes_waits_for_the_sockets_that_it_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets: list[SilentChannel] = []

    async def connect(url: str) -> SilentChannel:
        sockets.append(SilentChannel())
        return sockets[-1]

    async def work() -> None:
        async with HeadSubscription("ws://node") as wake:
            for _ in range(2):
                assert not await wake.wait(1)
                wake.report_missed_head()

    monkeypatch.setattr(subscription, "connect_web_socket", connect)
    run_virtually(work())
    assert [socket.is_open for socket in sockets] == [False, False]


async def test_subscription_when_nothing_listens_leaves_the_interval(node: Node, chain: LocalChain) -> None:
    async with HeadSubscription("ws://127.0.0.1:1") as wake:
        follower = await HeadFollower.start(node, wake=wake, poll_s=QUICK_S)
        chain.mine()
        assert (await _next(follower)).head == await node.get_block()


def test_subscription_when_the_url_is_no_socket_raises_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        HeadSubscription("https://host/SECRET")
    assert "SECRET" not in str(caught.value)
