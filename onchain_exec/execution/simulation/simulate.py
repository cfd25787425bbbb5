"""Run a plan without sending it: at the limits that will be sent, effects compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onchain_exec.chain import CallResult, Node
from onchain_exec.errors import GasError
from onchain_exec.execution.costs.gas import GasRules, choose_gas_limit
from onchain_exec.execution.costs.l1_fee import read_l1_costs
from onchain_exec.execution.plan import Purpose, SimulatedTx, TxPlan
from onchain_exec.execution.simulation.effects import Holdings, require_effects
from onchain_exec.execution.simulation.runs import NodeRunner, Run, Runner, read_holdings, require_success

_DEFAULT_RULES: Final = GasRules()
_AUTHORISATION_GAS: Final = 25_000  # EIP-7702: of each one, before half of it comes back as a refund
_EMPTY_SLOT_GAS: Final = 17_100  # EIP-2200: by which a slot is dearer to fill than to change


async def simulate(
    node: Node, plan: TxPlan, rules: GasRules = _DEFAULT_RULES, runner: Runner | None = None
) -> SimulatedTx:
    """Return the proof that ``plan`` works, run after its dependencies on top of its block.

    The gas limit is one under which the simulation ran just as it did with a block's gas: the same
    success, logs and gas used, now and a block later. Where the node traces, no inner call may run
    out of gas for the limit's sake. A node without eth_simulateV1 runs it in one `eth_call`, without
    logs and the block later (see `run_sequence`): the balances decide as they do elsewhere.
    ``runner`` runs it instead: `InProcessRunner` in this process, on the chain's state.

    Raises:
        RevertError: the plan, or a dependency, reverts.
        EffectError: it does something else than was asked.
        GasError: no limit within the chain's cap is enough, or the account cannot pay for it.
        BlockNotFoundError: the plan's block is gone: decide again.
        NodeRefusedError: the node lacks state overrides, without which effects cannot be compared.
    """
    txs = (*plan.depends_on, plan)
    plenty = plan.block.gas_limit // len(txs)
    runner = runner or NodeRunner(node, rules)
    before = await read_holdings(node, plan)
    free = await runner.run(plan, [plenty] * len(txs))
    for run in free:
        require_success(run.results)
        require_effects(plan, before, run.after, [log for result in run.results for log in result.logs])
    limits = await find_gas_limits(runner, plan, free, rules)
    l1_costs = await node.perform(read_l1_costs(rules.l1_fee, txs, limits), plan.block)
    limits = [
        limit + cost.gas + get_unseen_gas(tx) for tx, limit, cost in zip(txs, limits, l1_costs, strict=True)
    ]
    await _require_funds(node, plan, limits, sum(cost.fee_wei for cost in l1_costs))
    return _prove(plan, limits, before, free[0])


async def find_gas_limits(
    runner: Runner, plan: TxPlan, free: Sequence[Run], rules: GasRules = _DEFAULT_RULES
) -> list[int]:
    """Return the limit of each transaction, the dependencies' first, under which it runs as it does in
    ``free``, with plenty of gas.

    Raises:
        GasError: there is none within the chain's cap.
    """
    txs = (*plan.depends_on, plan)
    plenty = plan.block.gas_limit // len(txs)
    cap = min(rules.tx_gas_cap, plenty)
    used = [max(run.results[index].gas_used for run in free) for index in range(len(txs))]
    _require_plenty(max(used), plenty)
    limits = [choose_gas_limit(gas, tx.data, cap) for gas, tx in zip(used, txs, strict=True)]
    while True:
        bound = await runner.run(plan, limits)
        starved = await runner.has_starved_calls(plan, limits[-1], plenty)
        short = [not _ran_alike(free, bound, index) for index in range(len(txs))]
        short[-1] |= starved is True
        if not any(short):
            return limits
        if all(limit == cap for limit, too_low in zip(limits, short, strict=True) if too_low):
            return _accept_cap(bound, limits, starved)
        limits = [min(cap, 2 * limit) if low else limit for limit, low in zip(limits, short, strict=True)]


def get_unseen_gas(plan: TxPlan) -> int:
    """Return the gas that simulations do not see: of lending code, which they find there already, and of an
    approval that finds an allowance which other orders use up before it."""
    lends, approves = plan.delegate is not None, plan.purpose is Purpose.ALLOWANCE
    return lends * _AUTHORISATION_GAS + approves * _EMPTY_SLOT_GAS


def _require_plenty(gas_used: int, plenty: int) -> None:
    """An inner call that starves even with plenty takes 63/64 of it, of which a refund may give a fifth
    back: what takes nearly all cannot be told from it."""
    if 5 * gas_used >= 4 * plenty * 9 // 10:
        raise GasError(
            f"the transaction takes {gas_used} of the {plenty} gas that a block leaves it",
            needed="less than seven tenths: beyond, nobody can tell whether an inner call starves",
            todo="Split the order into smaller ones",
        )


def _ran_alike(free: Sequence[Run], bound: Sequence[Run], index: int) -> bool:
    """Another gas used tells of a path that depends on the gas: an inner failure that was swallowed."""
    pairs = [(f.results[index], b.results[index]) for f, b in zip(free, bound, strict=True)]
    return all(b.success and _get_behaviour(f) == _get_behaviour(b) for f, b in pairs)


def _get_behaviour(result: CallResult) -> tuple[object, ...]:
    return result.gas_used, [(log.address, log.topics, log.data) for log in result.logs]


def _accept_cap(bound: Sequence[Run], limits: list[int], starved: bool | None) -> list[int]:
    """Some contracts account for the gas they are given and never run the same twice. They pass at
    the cap, if they succeed and a trace shows that nothing in them starves."""
    if starved is False and all(result.success for run in bound for result in run.results):
        return limits
    raise GasError(
        f"with a gas limit of {limits[-1]} the transaction runs otherwise than with more",
        needed="a limit within the chain's cap under which no inner call runs out of gas",
        todo="Split the order into smaller ones",
    )


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


def _prove(plan: TxPlan, limits: Sequence[int], before: Holdings, run: Run) -> SimulatedTx:
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
