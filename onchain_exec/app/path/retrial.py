"""Simulations beside others who trade: a node that mines may read newer state than it is asked for."""

from __future__ import annotations

from onchain_exec.app.path.context import Context
from onchain_exec.errors import EffectError, GasError, OnchainExecError
from onchain_exec.execution import SimulatedTx, TxPlan, rebase, simulate


async def prove(context: Context, plan: TxPlan) -> SimulatedTx:
    """Return the proof that ``plan`` works on its block or, where it is refused there and the chain has moved
    on meanwhile, on the newest. anvil, while it mines, reads both states in one simulation: what others did
    between the two looks as if the plan had done it.

    Raises:
        RevertError, EffectError, GasError, NodeError: as of `simulate`, of the newest block if both refuse.
    """
    try:
        return await simulate(context.node, plan, context.profile.gas_rules)
    except (EffectError, GasError) as error:
        return await prove_on_newer(context, plan, error)


async def prove_on_newer(context: Context, plan: TxPlan, refused: OnchainExecError) -> SimulatedTx:
    """Return the proof that a plan which was ``refused`` works on the newest block.

    Raises:
        OnchainExecError: ``refused``, where there is no newer block; or as of `simulate`.
    """
    head = await context.node.get_block("latest")
    if head.number <= plan.block.number:
        raise refused
    return await simulate(context.node, rebase(plan, head), context.profile.gas_rules)
