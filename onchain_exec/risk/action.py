"""May an account do this at a venue? Its deadline and its funds, whatever the venue is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onchain_exec.core import Address, BlockRef
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import RevertError
from onchain_exec.risk.conditions import find_broken
from onchain_exec.risk.verdict import DenialCode


@dataclass(frozen=True, slots=True)
class ApprovedAction:
    """Proof that an account may do this, by the state of ``block``; made by `risk` only."""

    order: ActionOrder
    block: BlockRef


@dataclass(frozen=True, slots=True)
class DeniedAction:
    """A refusal: the limit, the value found, and what to do about it, as text for people."""

    order: ActionOrder
    code: DenialCode
    found: str
    limit: str
    todo: str


def check_funds(
    order: ActionOrder, block: BlockRef, funds: Mapping[Address, int], now: int
) -> ApprovedAction | DeniedAction:
    """Return whether the action is in time and its account can pay for it: approval, or why not.

    ``funds`` are what the account holds of the tokens that the first call pulls (later calls may spend
    what earlier ones give; the simulation decides there), ``now`` is unix seconds.
    """
    if order.expires_at <= now:
        late = f"the deadline passed {now - order.expires_at} s ago"
        return DeniedAction(
            order, DenialCode.DEADLINE_PASSED, late, "a deadline after now", "Give the order again"
        )
    for spend in order.calls[0].spends:
        found = funds.get(spend.token, 0)
        if spend.spender is not None and found < spend.amount:
            return DeniedAction(
                order,
                DenialCode.BALANCE_BELOW_AMOUNT,
                f"{found} base units of {spend.token}",
                f"{spend.amount}",
                f"Send the token to {order.account}, or do less",
            )
    return ApprovedAction(order, block)


def judge_action(order: ActionOrder, error: RevertError) -> DeniedAction | None:
    """Return the denial of an action that, when tried, reverts because one of its conditions would not hold;
    None if it reverts for another reason."""
    broken = find_broken(order.conditions, error, "the action")
    if broken is None:
        return None
    todo = "Do less, or set the guard's bound to what you accept"
    return DeniedAction(order, DenialCode.CONDITION_FAILED, *broken, todo)
