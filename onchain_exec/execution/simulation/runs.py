"""Plans run on a node's simulation: in the next block and in the one after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from onchain_exec.chain import CallResult, Node, SimulatedBlock, TxCall
from onchain_exec.errors import NodeRefusedError
from onchain_exec.execution.costs.gas import GasRules
from onchain_exec.execution.plan import TxPlan
from onchain_exec.execution.simulation.effects import Holdings, decode_holdings, get_holding_calls
from onchain_exec.execution.simulation.sequence import run_sequence
from onchain_exec.execution.simulation.trace import get_funding, has_starved_calls

BLOCKS_AHEAD: Final = (1, 2)
"""The next block and the one after it: what depends on height or time shows between them."""

_NO_SUCH_METHOD: Final = (-32601, -32004)
"""JSON-RPC's method not found, and EIP-1474's method not supported."""


@dataclass(frozen=True, slots=True)
class Run:
    """One simulated block: the results of the dependencies and the plan, and the holdings after them."""

    results: tuple[CallResult, ...]
    after: Holdings


class Runner(Protocol):
    """Runs plans after their dependencies, on the state of their block, with the sender's gas paid."""

    async def run(self, plan: TxPlan, limits: Sequence[int]) -> list[Run]:
        """Return what they do under these gas limits, for each block that was tried.

        Raises:
            RevertError: a reading of the holdings reverts. (What a transaction does is a result.)
        """
        ...

    async def has_starved_calls(self, plan: TxPlan, limit: int, plenty: int) -> bool | None:
        """Return whether inner calls run out of gas at ``limit`` that do not with ``plenty``; None
        where it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class NodeRunner:
    """Runs on the node: `eth_simulateV1` or, where it lacks that, one `eth_call`; and its traces."""

    node: Node
    rules: GasRules

    async def run(self, plan: TxPlan, limits: Sequence[int]) -> list[Run]:
        """See `Runner.run`."""
        try:
            return await asyncio.gather(*(self._run(plan, limits, ahead) for ahead in BLOCKS_AHEAD))
        except NodeRefusedError as error:
            calls_itself = plan.to == plan.sender and plan.data  # there the lent code would stand in the way
            if error.rpc_code not in _NO_SUCH_METHOD or calls_itself:
                raise
        results, answers = await run_sequence(self.node, plan, limits, get_holding_calls(plan))
        return [Run(results, decode_holdings(answers))]

    async def has_starved_calls(self, plan: TxPlan, limit: int, plenty: int) -> bool | None:
        """See `Runner.has_starved_calls`."""
        return await has_starved_calls(self.node, plan, limit, plenty)

    async def _run(self, plan: TxPlan, limits: Sequence[int], ahead: int) -> Run:
        """Run the transactions in one block, and read the holdings in the next: beside the reads' gas
        the limits would not fit into a block."""
        txs = [tx.at_limit(limit) for tx, limit in zip((*plan.depends_on, plan), limits, strict=True)]
        reads = [TxCall(plan.sender, call.to, call.data) for call in get_holding_calls(plan)]
        times = [plan.block.timestamp + (i + 1) * self.rules.block_time_s for i in range(ahead)]
        empty = [SimulatedBlock((), timestamp=time) for time in times[:-1]]
        block = SimulatedBlock(
            tuple(txs),
            overrides=(get_funding(plan),),
            timestamp=times[-1],
            base_fee_wei=plan.block.base_fee_wei,
        )
        blocks = [*empty, block, SimulatedBlock(tuple(reads))]
        *_, results, answers = await self.node.simulate(blocks, plan.block)
        require_success(answers)
        return Run(results, decode_holdings([answer.data for answer in answers]))


def require_success(results: Iterable[CallResult]) -> None:
    """Raise the first error among the results."""
    for result in results:
        if result.error is not None:
            raise result.error


async def read_holdings(node: Node, plan: TxPlan) -> Holdings:
    """Return the holdings at the plan's block, before anything runs."""
    snapshot = await node.read_calls(get_holding_calls(plan), plan.block)
    return decode_holdings([answer.data for answer in snapshot.answers])
