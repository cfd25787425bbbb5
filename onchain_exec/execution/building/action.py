"""From an approved action to its transaction: the account's own call after the approvals that it needs, or
all of it through the Guard, whose code the account lends itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Reading, to_address
from onchain_exec.core.action import VenueCall
from onchain_exec.errors import ConfigError
from onchain_exec.execution.plan import Fees, Purpose, TxPlan
from onchain_exec.execution.simulation.action_effects import Standing, read_standing
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.guard import encode_guarded

_DESIGNATOR: Final = b"\xef\x01\x00"


def get_delegate(code: bytes) -> Address | None:
    """Return whose code an account with this code runs (EIP-7702), or None if it lent itself none."""
    return to_address(code[3:]) if len(code) == 23 and code[:3] == _DESIGNATOR else None


@dataclass(frozen=True, slots=True)
class Delegation:
    """The chain's Guard, and whose code the account runs now."""

    guard: Address
    present: Address | None


def read_approvals_before(approved: ApprovedAction) -> Reading[tuple[VenueCall, ...]]:
    """Read which approvals the action lacks; each as a call, exact, and through zero where some allowance is
    left that is not enough."""
    order = approved.order
    standing: Standing = yield from read_standing(order)
    missing = [
        (spend, left)
        for spend, left in zip(order.pulled, standing.allowances, strict=True)
        if left < spend.amount
    ]
    return tuple(
        VenueCall("approve", spend.token, APPROVE.encode(spend.spender, amount))
        for spend, left in missing
        for amount in ((0, spend.amount) if left else (spend.amount,))
    )


def build_action(
    approved: ApprovedAction, approvals: tuple[VenueCall, ...], fees: Fees, delegation: Delegation | None
) -> TxPlan:
    """Return the action's transaction with, as what it depends on, the approvals before it; a guarded one has
    them inside.

    Raises:
        ConfigError: it is guarded, and the chain has no Guard or the fees cannot lend code.
    """
    order = approved.order
    if order.is_guarded:
        return _build_guarded(approved, approvals, fees, delegation)
    plans: tuple[TxPlan, ...] = ()
    for call in approvals:
        plans = (*plans, _build_call(approved, call, fees, Purpose.ALLOWANCE, plans))
    return _build_call(approved, order.calls[0], fees, Purpose.ACTION, plans)


def _build_guarded(
    approved: ApprovedAction, approvals: tuple[VenueCall, ...], fees: Fees, delegation: Delegation | None
) -> TxPlan:
    order = approved.order
    if delegation is None or fees.legacy:
        raise ConfigError(
            "this chain has no Guard" if delegation is None else "a chain without EIP-1559 cannot lend code",
            needed="a deployed Guard, and transactions of EIP-7702",
            todo="Deploy the Guard and list it as onchain_exec guard, or give one action without guards",
        )
    data = encode_guarded((*approvals, *order.calls), order.conditions, order.expires_at)
    return TxPlan(
        cause=approved,
        block=approved.block,
        purpose=Purpose.ACTION,
        sender=order.account,
        to=order.account,
        data=data,
        value_wei=0,
        fees=fees,
        delegate=None if delegation.present == delegation.guard else delegation.guard,
    )


def _build_call(
    approved: ApprovedAction, call: VenueCall, fees: Fees, purpose: Purpose, before: tuple[TxPlan, ...]
) -> TxPlan:
    return TxPlan(
        cause=approved,
        block=approved.block,
        purpose=purpose,
        sender=approved.order.account,
        to=call.to,
        data=call.data,
        value_wei=call.value_wei,
        fees=fees,
        depends_on=before,
    )
