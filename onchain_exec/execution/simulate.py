"""Run a plan on the node without sending it: at the limits that will be sent, effects compared."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from onchain_exec.chain import CallResult, Node, SimulatedBlock, TxCall
from onchain_exec.errors import GasError, NodeRefusedError
from onchain_exec.execution.effects import Holdings, decode_holdings, get_holding_calls, require_effects
from onchain_exec.execution.gas import GasRules, choose_gas_limit
from onchain_exec.execution.l1_fee import read_l1_costs
from onchain_exec.execution.plan import Purpose, SimulatedTx, TxPlan
from onchain_exec.execution.sequence import run_sequence
from onchain_exec.execution.trace import get_funding, has_starved_calls

_BLOCKS_AHEAD: Final = (1, 2)
"""The next block and the one after it: what depends on height or time shows between them."""

_NO_SUCH_METHOD: Final = (-32601, -32004)
"""JSON-RPC's method not found, and EIP-1474's method not supported."""
_DEFAULT_RULES: Final = GasRules()


@dataclass(frozen=True, slots=True)
class _Run:
    """One simulated block: the dependencies and the plan, and the holdings after them."""

    results: tuple[CallResult, ...]
    after: Holdings


async def simulate(node: Node, plan: TxPlan, rules: GasRules = _DEFAULT_RULES) -> SimulatedTx:
    """Return the proof that ``plan`` works, run after its dependencies on top of its block.

    The gas limit is one under which the simulation ran just as it did with a block's gas: the same
    success, logs and gas used, now and a block later. Where the node traces, no inner call may run
    out of gas for the limit's sake. A node without eth_simulateV1 runs it in one `eth_call`, without
    logs and the block later (see `run_sequence`): the balances decide as they do elsewhere.

    Raises:
        RevertError: the plan, or a dependency, reverts.
        EffectError: it does something else than was asked.
        GasError: no limit within the chain's cap is enough, or the account cannot pay for it.
        BlockNotFoundError: the plan's block is gone: decide again.
        NodeRefusedError: the node lacks state overrides, without which effects cannot be compared.
    """
    txs = (*plan.depends_on, plan)
    plenty = plan.block.gas_limit // len(txs)
    before = await _read_holdings(node, plan)
    free = await _run_ahead(node, plan, [plenty] * len(txs), rules)
    for run in free:
        _require_success(run.results)
        require_effects(plan, before, run.after, [log for result in run.results for log in result.logs])
    limits = await _find_limits(node, plan, free, rules)
    l1_costs = await node.perform(read_l1_costs(rules.l1_fee, txs, limits), plan.block)
    limits = [limit + cost.gas for limit, cost in zip(limits, l1_costs, strict=True)]
    await _require_funds(node, plan, limits, sum(cost.fee_wei for cost in l1_costs))
    return _prove(plan, limits, before, free[0])


def _require_success(results: Iterable[CallResult]) -> None:
    for result in results:
        if result.error is not None:
            raise result.error


async def _find_limits(node: Node, plan: TxPlan, free: Sequence[_Run], rules: GasRules) -> list[int]:
    """Return the limit of each transaction under which it runs as it does with plenty of gas."""
    txs = (*plan.depends_on, plan)
    plenty = plan.block.gas_limit // len(txs)
    cap = min(rules.tx_gas_cap, plenty)
    used = [max(run.results[index].gas_used for run in free) for index in range(len(txs))]
    limits = [choose_gas_limit(gas, tx.data, cap) for gas, tx in zip(used, txs, strict=True)]
    while True:
        bound = await _run_ahead(node, plan, limits, rules)
        starved = await has_starved_calls(node, plan, limits[-1], plenty)
        short = [not _ran_alike(free, bound, index) for index in range(len(txs))]
        short[-1] |= starved is True
        if not any(short):
            return limits
        if all(limit == cap for limit, too_low in zip(limits, short, strict=True) if too_low):
            return _accept_cap(bound, limits, starved)
        limits = [min(cap, 2 * limit) if low else limit for limit, low in zip(limits, short, strict=True)]


def _ran_alike(free: Sequence[_Run], bound: Sequence[_Run], index: int) -> bool:
    """Another gas used tells of a path that depends on the gas: an inner failure that was swallowed."""
    pairs = [(f.results[index], b.results[index]) for f, b in zip(free, bound, strict=True)]
    return all(b.success and _get_behaviour(f) == _get_behaviour(b) for f, b in pairs)


def _get_behaviour(result: CallResult) -> tuple[object, ...]:
    return result.gas_used, [(log.address, log.topics, log.data) for log in result.logs]


def _accept_cap(bound: Sequence[_Run], limits: list[int], starved: bool | None) -> list[int]:
    """Some contracts account for the gas they are given and never run the same twice. They pass at
    the cap, if they succeed and a trace shows that nothing in them starves."""
    if starved is False and all(result.success for run in bound for result in run.results):
        return limits
    raise GasError(
        f"with a gas limit of {limits[-1]} the transaction runs otherwise than with more",
        needed="a limit within the chain's cap under which no inner call runs out of gas",
        todo="Split the order into smaller ones",
    )


async def _run_ahead(node: Node, plan: TxPlan, limits: Sequence[int], rules: GasRules) -> list[_Run]:
    try:
        return await asyncio.gather(*(_run(node, plan, limits, ahead, rules) for ahead in _BLOCKS_AHEAD))
    except NodeRefusedError as error:
        if error.rpc_code not in _NO_SUCH_METHOD:
            raise
    results, answers = await run_sequence(node, plan, limits, get_holding_calls(plan))
    return [_Run(results, decode_holdings(answers))]


async def _run(node: Node, plan: TxPlan, limits: Sequence[int], ahead: int, rules: GasRules) -> _Run:
    """Run the transactions in one block, and read the holdings in the next: beside the reads' gas the
    limits would not fit into a block."""
    txs = [tx.at_limit(limit) for tx, limit in zip((*plan.depends_on, plan), limits, strict=True)]
    reads = [TxCall(plan.sender, call.to, call.data) for call in get_holding_calls(plan)]
    times = [plan.block.timestamp + (i + 1) * rules.block_time_s for i in range(ahead)]
    empty = [SimulatedBlock((), timestamp=time) for time in times[:-1]]
    block = SimulatedBlock(
        tuple(txs),
        overrides=(get_funding(plan),),
        timestamp=times[-1],
        base_fee_wei=plan.block.base_fee_wei,
    )
    *_, results, answers = await node.simulate([*empty, block, SimulatedBlock(tuple(reads))], plan.block)
    _require_success(answers)
    return _Run(results, decode_holdings([answer.data for answer in answers]))


async def _read_holdings(node: Node, plan: TxPlan) -> Holdings:
    """Return the holdings at the plan's block, before anything runs."""
    snapshot = await node.read_calls(get_holding_calls(plan), plan.block)
    return decode_holdings([answer.data for answer in snapshot.answers])


async def _require_funds(node: Node, plan: TxPlan, limits: Sequence[int], l1_fee_wei: int) -> None:
    txs = (*plan.depends_on, plan)
    gas_wei = sum(limit * tx.fees.max_fee_wei for tx, limit in zip(txs, limits, strict=True))
    cost = l1_fee_wei + gas_wei + sum(tx.value_wei for tx in txs)
    balance = await node.get_balance(plan.sender, plan.block)
    if balance < cost:
        raise GasError(
            f"{plan.sender} holds {balance} wei",
            needed=f"{cost} wei: the gas limits at the highest fee, the value, and what a rollup adds",
            todo="Fund the account, or lower the fee budget",
        )


def _prove(plan: TxPlan, limits: Sequence[int], before: Holdings, run: _Run) -> SimulatedTx:
    """Return the plan's proof with its dependencies', each of which depends on those before it."""
    proofs: list[SimulatedTx] = []
    for tx, limit, result in zip((*plan.depends_on, plan), limits, run.results, strict=True):
        swaps = tx.purpose is Purpose.SWAP
        proofs.append(
            SimulatedTx(
                plan=tx,
                block=plan.block,
                gas_used=result.gas_used,
                gas_limit=limit,
                amount_in=before.token_in - run.after.token_in if swaps else 0,
                amount_out=run.after.token_out - before.token_out if swaps else 0,
                allowance_left=run.after.allowance if swaps else 0,
                logs=result.logs,
                depends_on=tuple(proofs),
            )
        )
    return proofs[-1]
