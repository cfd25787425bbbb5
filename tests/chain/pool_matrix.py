"""Three endpoints in any faults: what a pool may say then, and what it must."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from model_chain import CHAIN_ID, ModelChain, ModelEndpoint, make_hash, read_state

from onchain_exec.chain import EndpointPool, EndpointState, Node, PoolPolicy
from onchain_exec.chain.pool import Member
from onchain_exec.core import BlockRef, Call, to_address
from onchain_exec.errors import NodeError

FAULTS = (
    "ok",
    "lagging",
    "hang",
    "429",
    "5xx",
    "truncated",
    "wrong chain",
    "minority fork",
    "deaf socket",
    "lying ok",
)
RIGHT = frozenset({"ok", "deaf socket", "lying ok"})
"""They serve the chain as it is: a deaf socket tells no heads unasked, and lies are about sends."""

LAGS = (64, 1, 17)
"""By position, so that no two endpoints lag alike."""

FAILOVER_S = 0.3
MAX_AGE_S = 60.0
CONTRACT, ACCOUNT = to_address(b"\x01" * 20), to_address(b"\x02" * 20)
RAW = b"\x02\x01"


@dataclass
class Cell:
    """One chain, three endpoints, the pool over them."""

    witnesses: int | None = None
    chain: ModelChain = field(default_factory=ModelChain)

    def __post_init__(self) -> None:
        self.chain.mine(200)
        self.endpoints = [ModelEndpoint(self.chain, name) for name in "abc"]
        self.pool = EndpointPool(
            [Member(endpoint) for endpoint in self.endpoints],
            chain_id=CHAIN_ID,
            policy=PoolPolicy(witnesses=self.witnesses, max_head_age_s=MAX_AGE_S),
            wall_clock=lambda: self.chain.now,
        )
        self.node = Node(self.pool, CHAIN_ID)

    def set_faults(self, faults: Sequence[str], lags: Sequence[int] = LAGS) -> None:
        """Let each endpoint go wrong in its way; forks have each a name and a history of their own."""
        for position, (endpoint, fault) in enumerate(zip(self.endpoints, faults, strict=True)):
            endpoint.fault = fault
            if fault == "lagging":
                endpoint.lag = lags[position]
            elif fault == "wrong chain":
                endpoint.chain_id = 1
                endpoint.chain = self.chain.fork("foreign", self.chain.height)
                endpoint.chain.mine(500)
            elif fault == "minority fork":
                endpoint.chain = self.chain.fork(f"fork {position}", 5 + position)
                endpoint.chain.mine(9)

    async def decide(self) -> BlockRef:
        """Read as a decision does, and hold that all of it is the right chain's and fresh."""
        block = await self.node.get_block()
        assert block.hash in self.chain.hashes, "a block of another chain"
        assert block.number >= self.chain.height - 2, "a stale block"
        snapshot = await self.node.read_calls([Call(CONTRACT, b"\x01"), Call(CONTRACT, b"\x02")], block)
        expected = bytes.fromhex(read_state(block.hash)[2:])
        assert [answer.data for answer in snapshot.answers] == [expected] * 2, "the state of another block"
        await self.node.require_canonical(block)
        assert await self.node.get_nonce(ACCOUNT) >= block.number, "an old nonce"
        return block


async def check_cell(faults: Sequence[str], warm: bool, lags: Sequence[int] = LAGS) -> None:
    """Hold what the pool owes in one cell of the matrix.

    A decision ends on the right and fresh view, or in a typed error; where most endpoints serve the
    right view it does not end in an error. Once the pool knew its endpoints, all this takes less
    than `FAILOVER_S`, and the endpoints that answer get the bytes of a send.
    """
    cell = Cell()
    clock = asyncio.get_running_loop()
    if warm:
        await cell.decide()
    cell.set_faults(faults, lags)
    cell.chain.mine()
    begun = clock.time()
    try:
        await cell.decide()
    except NodeError:
        assert sum(fault in RIGHT for fault in faults) < 2, "an error, though most are right"
    if warm:
        assert clock.time() - begun < FAILOVER_S
    await _check_send(cell)
    await cell.pool.close()


async def _check_send(cell: Cell) -> None:
    begun = asyncio.get_running_loop().time()
    deliveries = await cell.node.broadcast(RAW)
    said = {delivery.where: delivery.reply for delivery in deliveries}
    tx_hash = make_hash("0x" + RAW.hex())
    for endpoint, member in zip(cell.endpoints, cell.pool.members, strict=True):
        sends = [request for request in endpoint.asked if request[0] == "eth_sendRawTransaction"]
        is_foreign = member.health.state is EndpointState.WRONG_CHAIN
        assert len(sends) == (0 if is_foreign else 1), "sent not once"
        if endpoint.fault in RIGHT:
            assert said[endpoint.where] == tx_hash
            assert (tx_hash in endpoint.pool) is (endpoint.fault != "lying ok")
    if tx_hash in said.values():
        assert asyncio.get_running_loop().time() - begun < FAILOVER_S
