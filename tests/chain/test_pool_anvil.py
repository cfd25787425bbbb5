"""The pool over real nodes: faults on the wire between it and anvil."""

import asyncio
import importlib
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
from fault_server import Answer, FaultServer, as_json, result

from onchain_exec.chain import (
    EndpointLimits,
    EndpointPool,
    HeadFollower,
    HttpRpc,
    LocalChain,
    LogFilter,
    Node,
    PoolPolicy,
)
from onchain_exec.chain.heads import FirstSign, HeadSubscription
from onchain_exec.chain.pool import Member
from onchain_exec.core import to_address
from onchain_exec.errors import BlockNotFoundError, NodesDisagreeError
from onchain_exec.testing.lying_node import DroppedLogs, LyingNode

EMITTER = to_address("0x" + "ee" * 20)
EMIT = bytes.fromhex("60aa600080a100")
"""Runtime code that emits LOG1 without data and with the topic 0xaa."""

BROKEN: dict[str, Callable[[Any], Answer]] = {
    "hang": lambda _: Answer(hang=True),
    "429": lambda _: Answer(b"", status=429, headers={"Retry-After": "5"}),
    "5xx": lambda _: Answer(b"bad gateway", status=502),
    "truncated": lambda _: Answer(b'{"jsonrpc":"2.0","id":', cut=True),
    "reset": lambda _: Answer(reset=True),
}


def forward(chain: LocalChain) -> Callable[[Any], Answer]:
    """Answer as the chain does."""

    def one(request: Any) -> Any:
        return result(request, chain.request(request["method"], *request["params"]))

    return lambda asked: as_json([one(r) for r in asked] if isinstance(asked, list) else one(asked))


@pytest.fixture(scope="module")
def forked(chain: LocalChain) -> Iterator[LocalChain]:
    chain.mine(3)
    with chain.fork() as replica:
        yield replica


@pytest.fixture
async def servers(chain: LocalChain) -> AsyncIterator[list[FaultServer]]:
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(FaultServer()) for _ in range(3)]
        for each in started:
            each.answer = forward(chain)
        yield started


@pytest.fixture
async def pooled(servers: list[FaultServer]) -> AsyncIterator[Node]:
    # Patient, since the servers share a loop and a chain, and the machine may be busy.
    limits = EndpointLimits(patience_s=2)
    pool = EndpointPool([Member(HttpRpc(server.url), limits=limits) for server in servers])
    node = await Node.connect(pool, 1337)
    yield node
    await node.close()


@pytest.mark.parametrize("fault", BROKEN)
async def test_decision_when_one_of_three_nodes_fails_goes_on(
    pooled: Node, servers: list[FaultServer], chain: LocalChain, fault: str
) -> None:
    """Catalogue 34 and the wire faults: failover, with the time left to the benchmark."""
    await pooled.get_block()
    servers[0].answer = BROKEN[fault]
    chain.mine()
    block = await pooled.get_block()
    assert hex(block.number) == chain.request("eth_blockNumber")
    assert block == await pooled.get_block(block.hash)


async def test_node_behind_a_replica_that_lags_reads_the_newest_block(
    pooled: Node, servers: list[FaultServer], chain: LocalChain, forked: LocalChain
) -> None:
    """Catalogue 30: a replica stays at its fork block, with the same hashes."""
    servers[1].answer = forward(forked)
    chain.mine(5)
    assert hex((await pooled.get_block()).number) == chain.request("eth_blockNumber")


async def test_node_of_a_minority_fork_is_not_believed(
    pooled: Node, servers: list[FaultServer], chain: LocalChain, forked: LocalChain
) -> None:
    """Catalogue 33: two anvils, diverging."""
    forked.mine(40)
    servers[2].answer = forward(forked)
    chain.mine()
    block = await pooled.get_block()
    assert block.hash == chain.request("eth_getBlockByNumber", "latest", False)["hash"]
    servers[1].answer = BROKEN["5xx"]
    with pytest.raises(NodesDisagreeError):
        await pooled.get_block()


async def test_followers_over_a_pool_tell_each_block_though_a_socket_is_deaf_and_a_node_fails(
    pooled: Node, servers: list[FaultServer], chain: LocalChain
) -> None:
    """Catalogue 35, 36."""
    socket_url = chain.url.replace("http", "ws")
    async with HeadSubscription("ws://127.0.0.1:1") as deaf, HeadSubscription(socket_url) as good:
        follower = await HeadFollower.start(pooled, wake=FirstSign(deaf, good), poll_s=1_000_000)
        begun, told = follower.head, []
        waiting = asyncio.create_task(anext(follower))
        await asyncio.sleep(0.05)  # whether it has subscribed by now or not
        servers[0].answer = BROKEN["5xx"]
        chain.mine(40)
        async with asyncio.timeout(60):
            told += (await waiting).added
            while told[-1].number < begun.number + 40:
                told += (await anext(follower)).added
    assert [block.number for block in told] == list(range(begun.number + 1, begun.number + 41))


async def test_follower_fetches_a_long_gap_in_batches(
    pooled: Node, servers: list[FaultServer], chain: LocalChain
) -> None:
    follower = await HeadFollower.start(pooled, poll_s=0.01)
    asked = sum(len(server.requests) for server in servers)
    chain.mine(150)
    event = await anext(follower)
    assert len(event.added) == 150
    assert sum(len(server.requests) for server in servers) - asked < 10


async def test_web3_over_a_pool_goes_on_when_a_node_fails(
    pooled: Node, servers: list[FaultServer], chain: LocalChain
) -> None:
    """Catalogue 25, 37: web3's own sessions and retries are out of the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        face = importlib.import_module("onchain_exec.chain.web3_face")
    w3 = face.as_async_web3(pooled)
    assert await w3.eth.chain_id == 1337
    servers[0].answer = BROKEN["reset"]
    chain.mine()
    assert hex(await w3.eth.block_number) == chain.request("eth_blockNumber")
    assert await w3.eth.get_balance(chain.accounts[0].address) == 10_000 * 10**18


def test_sync_web3_over_a_pool_runs_on_a_loop_of_its_own(chain: LocalChain) -> None:
    """Catalogue 37."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        face = importlib.import_module("onchain_exec.chain.web3_face")
    limits = EndpointLimits(patience_s=20)
    w3 = face.as_web3(EndpointPool([Member(HttpRpc(chain.url), limits=limits) for _ in range(3)]))
    assert hex(w3.eth.block_number) == chain.request("eth_blockNumber")
    w3.provider.close()


@pytest.fixture
async def agreeing(chain: LocalChain) -> AsyncIterator[tuple[Node, list[LyingNode]]]:
    """A node over three endpoints of one chain that may lie, two of which must say the same."""
    with ExitStack() as stack:
        liars = [stack.enter_context(LyingNode.start(chain.url)) for _ in range(3)]
        limits = EndpointLimits(patience_s=20)
        members = [Member(HttpRpc(liar.url), limits=limits) for liar in liars]
        node = await Node.connect(EndpointPool(members, policy=PoolPolicy(agreeing=2)), chain.chain_id)
        yield node, liars
        await node.close()


@pytest.mark.parametrize("kept", [0, 1, 2])
async def test_follower_over_endpoints_that_must_agree_misses_no_log_that_one_drops(
    chain: LocalChain, agreeing: tuple[Node, list[LyingNode]], kept: int
) -> None:
    """Catalogue 32: logs missing at the head and in a range; those of two more are outvoted or refused."""
    node, liars = agreeing
    wanted = LogFilter((EMITTER,))
    chain.set_code(EMITTER, EMIT)
    liars[kept].lie(DroppedLogs(kept))
    follower = await HeadFollower.start(node, logs=wanted, poll_s=0.01)
    for _ in range(3):
        for _ in range(3):
            chain.request("eth_sendTransaction", {"from": chain.accounts[0].address, "to": EMITTER})
        chain.mine()
        assert len((await anext(follower)).logs) == 3
    block = follower.head
    assert len(await node.get_logs(wanted, (block.number - 2, block.number))) == 9
    chain.reorg(1)
    with pytest.raises(BlockNotFoundError):
        await node.get_logs(wanted, block)
    head = await node.get_block("latest")
    assert await node.get_logs(wanted, head) == ()
    liars[(kept + 1) % 3].lie(DroppedLogs(1 - min(kept, 1)))
    with pytest.raises(NodesDisagreeError, match="eth_getLogs"):
        await node.get_logs(wanted, (block.number - 2, block.number))
