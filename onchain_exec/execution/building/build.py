"""From an approved order to unsigned transactions, in full and without I/O."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.core import BlockRef
from onchain_exec.errors import InputError
from onchain_exec.execution.allowances.grant import get_spender
from onchain_exec.execution.building.draft import Draft
from onchain_exec.execution.building.swap import build_swap
from onchain_exec.execution.costs.fees import bump_fees
from onchain_exec.execution.plan import DurableTx, Fees, Purpose, TxPlan
from onchain_exec.execution.signers.transaction import decode_fees
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.permit2 import PERMIT2


def build_plan(draft: Draft) -> TxPlan:
    """Return the swap of a draft that lacks nothing and, as what it depends on, the approvals before it.

    Raises:
        InputError: something is missing, the router is not paid by the spender whose allowance was
            checked, or it cannot run the route.
    """
    approved, fees, grant = draft.approved, draft.fees, draft.grant
    if draft.missing or fees is None or grant is None:
        lacking = ", ".join(sorted(missing.value for missing in draft.missing))
        raise InputError(f"a draft without {lacking}", needed="one that lacks nothing", todo="Prepare it")
    account = approved.account
    if get_spender(draft.router, by_permit2=account.spender == PERMIT2) != account.spender:
        raise InputError(
            f"the swap would go through another contract than {account.spender}",
            needed="the spender whose allowance was checked",
        )
    to, data, value_wei = build_swap(approved, draft.router, grant, draft.signature)
    return TxPlan(
        cause=approved,
        block=approved.quote.block,
        purpose=Purpose.SWAP,
        sender=account.owner,
        to=to,
        data=data,
        value_wei=value_wei,
        fees=fees,
        depends_on=build_approvals(approved, fees, grant.approvals),
        grant=grant.why,
    )


def rebase(plan: TxPlan, block: BlockRef, *, mined: bool = False) -> TxPlan:
    """Return the plan on top of a newer block, with what it depends on, unless that is ``mined``.

    Its bounds stay those that were approved, so what the market no longer gives is refused by the
    next simulation.

    Raises:
        InputError: ``block`` is of another chain, or older.
    """
    if block.chain_id != plan.block.chain_id or block.number < plan.block.number:
        raise InputError(f"{block} is not after {plan.block}", needed="a newer block of the same chain")
    steps = () if mined else tuple(rebase(step, block) for step in plan.depends_on)
    return replace(plan, block=block, depends_on=steps)


def build_cancel(stuck: DurableTx, block: BlockRef, fees: Fees, max_fee_wei: int | None = None) -> TxPlan:
    """Return a transfer of nothing to oneself that takes the slot of ``stuck``, at its nonce.

    It pays the market's ``fees`` and as much more than ``stuck`` as every node asks of a
    replacement. It may lose the race: only `confirm` tells which of the two was mined.

    Raises:
        GasError: the replacement is beyond ``max_fee_wei``.
        InputError: ``block`` is of another chain.
    """
    if block.chain_id != stuck.chain_id:
        raise InputError(f"a block of chain {block.chain_id}", needed=f"a block of chain {stuck.chain_id}")
    return TxPlan(
        cause=stuck,
        block=block,
        purpose=Purpose.CANCEL,
        sender=stuck.sender,
        to=stuck.sender,
        data=b"",
        value_wei=0,
        fees=bump_fees(decode_fees(stuck.raw), fees, max_fee_wei),
    )


def share_approval(plan: TxPlan, waiting: int) -> TxPlan:
    """Return an order's approval as one of what the order sells and ``waiting`` base units besides, for
    others that it would take theirs from; one that grants nothing stays as it is."""
    spender, amount = APPROVE.decode_arguments(plan.data)
    if not amount or not isinstance(plan.cause, Approved):
        return plan
    return replace(plan, data=APPROVE.encode(spender, plan.cause.quote.amount_in_max + waiting))


def build_approvals(approved: Approved, fees: Fees, amounts: tuple[int, ...]) -> tuple[TxPlan, ...]:
    """Return the approvals of what an order sells, each of which depends on those before."""
    plans: tuple[TxPlan, ...] = ()
    for amount in amounts:
        plan = TxPlan(
            cause=approved,
            block=approved.quote.block,
            purpose=Purpose.ALLOWANCE,
            sender=approved.account.owner,
            to=approved.quote.order.token_in.address,
            data=APPROVE.encode(approved.account.spender, amount),
            value_wei=0,
            fees=fees,
            depends_on=plans,
        )
        plans = (*plans, plan)
    return plans
