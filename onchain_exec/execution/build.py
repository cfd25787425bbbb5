"""From an approved order to unsigned transactions, in full and without I/O."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.core import BlockRef
from onchain_exec.errors import InputError
from onchain_exec.execution.allowance import AllowanceStep
from onchain_exec.execution.fees import bump_fees
from onchain_exec.execution.plan import DurableTx, Fees, Purpose, TxPlan
from onchain_exec.execution.signers.transaction import decode_fees
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.swap_router import SwapRouter, SwapTerms, build_swap_call


def build_plan(approved: Approved, fees: Fees, allowance: AllowanceStep, router: SwapRouter) -> TxPlan:
    """Return the swap of an approved order and, as what it depends on, the allowances before it.

    What the chain had to be asked is a value: ``fees`` from `read_fees`, ``allowance`` from
    `find_allowance_step`. An allowance is granted for ``amount_in_max``, never for more.

    Raises:
        InputError: ``router`` is not the spender that was checked, or cannot run the route.
    """
    quote, order, account = approved.quote, approved.quote.order, approved.account
    if router.address != account.spender:
        raise InputError(
            f"the swap would go through {router.address}",
            needed=f"the spender whose allowance was checked, {account.spender}",
        )
    terms = SwapTerms(
        exact=order.exact,
        recipient=order.recipient,
        deadline_at=order.expires_at,
        amount_in_max=quote.amount_in_max,
        amount_out_min=quote.amount_out_min,
    )
    to, data, value_wei = build_swap_call(quote.route.legs, terms, router)
    return TxPlan(
        cause=approved,
        block=quote.block,
        purpose=Purpose.SWAP,
        sender=account.owner,
        to=to,
        data=data,
        value_wei=value_wei,
        fees=fees,
        depends_on=_build_allowances(approved, fees, allowance),
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


def _build_allowances(approved: Approved, fees: Fees, step: AllowanceStep) -> tuple[TxPlan, ...]:
    needed = approved.quote.amount_in_max
    match step:
        case AllowanceStep.NONE:
            amounts: tuple[int, ...] = ()
        case AllowanceStep.GRANT:
            amounts = (needed,)
        case AllowanceStep.RESET_AND_GRANT:
            amounts = (0, needed)
    plans: tuple[TxPlan, ...] = ()
    for amount in amounts:
        plans = (*plans, _build_allowance(approved, fees, amount, plans))
    return plans


def _build_allowance(approved: Approved, fees: Fees, amount: int, before: tuple[TxPlan, ...]) -> TxPlan:
    return TxPlan(
        cause=approved,
        block=approved.quote.block,
        purpose=Purpose.ALLOWANCE,
        sender=approved.account.owner,
        to=approved.quote.order.token_in.address,
        data=APPROVE.encode(approved.account.spender, amount),
        value_wei=0,
        fees=fees,
        depends_on=before,
    )
