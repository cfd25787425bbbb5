"""What must happen to the spender's allowance before a swap: exactly what it takes, never more."""

from __future__ import annotations

import enum

from onchain_exec.core import Call, Reading
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE


class AllowanceStep(enum.Enum):
    """The transactions that the allowance needs."""

    NONE = "none"
    GRANT = "grant"
    RESET_AND_GRANT = "reset and grant"
    """For tokens that refuse to change an allowance that is not zero (USDT)."""


def find_allowance_step(approved: Approved) -> Reading[AllowanceStep]:
    """Find what the allowance needs, from the account's state at the decision's block.

    Only where some allowance is left, but too little, the token is asked: if the change would be
    refused, it goes through zero.
    """
    account, needed = approved.account, approved.quote.amount_in_max
    if account.allowance >= needed:
        return AllowanceStep.NONE
    if account.allowance == 0:
        return AllowanceStep.GRANT
    token = approved.quote.order.token_in.address
    change = Call(token, APPROVE.encode(account.spender, needed), sender=account.owner)
    snapshot = yield (change,)
    (answer,) = snapshot.answers
    # some tokens refuse by returning false; others return nothing when they accept
    accepted = answer.success and (not answer.data or int.from_bytes(answer.data[:32]) == 1)
    return AllowanceStep.GRANT if accepted else AllowanceStep.RESET_AND_GRANT
