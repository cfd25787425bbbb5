"""Allowances that stand: found, and taken back one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onchain_exec.core import Address, BlockRef, Call, Log, Reading, to_address
from onchain_exec.core.abi import Event, Function
from onchain_exec.execution.plan import Fees, Purpose, StandingApproval, TxPlan
from onchain_exec.venues.erc20 import ALLOWANCE, APPROVE

APPROVAL: Final = Event("Approval(address,address,uint256)", ("address", "address"), ("uint256",))
_PERMIT2_ALLOWANCE: Final = Function("allowance(address,address,address)", "(uint160,uint48,uint48)")
_PERMIT2_APPROVE: Final = Function("approve(address,address,uint160,uint48)")


def get_allowance_call(approval: StandingApproval) -> Call:
    """Return the read whose first word is what the spender may pull now.

    Permit2 tells the amount also after it expired.
    """
    owner, token, spender = approval.owner, approval.token, approval.spender
    if approval.permit2:
        return Call(approval.permit2, _PERMIT2_ALLOWANCE.encode(owner, token, spender))
    return Call(token, ALLOWANCE.encode(owner, spender))


def read_approvals(
    owner: Address, pairs: Iterable[tuple[Address, Address]], permit2: Address | None = None
) -> Reading[tuple[StandingApproval, ...]]:
    """Read which of the (token, spender) ``pairs`` stand, at the token and through ``permit2``.

    What does not answer as a token grants nothing.
    """
    wanted = sorted(set(pairs))
    asked = [StandingApproval(owner, token, spender, 0) for token, spender in wanted]
    if permit2:
        asked += [StandingApproval(owner, token, spender, 0, permit2) for token, spender in wanted]
    snapshot = yield tuple(get_allowance_call(approval) for approval in asked)
    found = (
        (approval, int.from_bytes(answer.data[:32]))
        for approval, answer in zip(asked, snapshot.answers, strict=True)
        if answer.success and len(answer.data) >= 32
    )
    return tuple(
        StandingApproval(owner, approval.token, approval.spender, amount, approval.permit2)
        for approval, amount in found
        if amount
    )


def list_approved(logs: Iterable[Log]) -> set[tuple[Address, Address]]:
    """Return the (token, spender) pairs that ERC-20 ``Approval`` logs name. What stands of them is
    for `read_approvals` to say; an NFT's log has one topic more."""
    return {
        (log.address, to_address(log.topics[2][12:]))
        for log in logs
        if log.topics[:1] == (APPROVAL.topic,) and len(log.topics) == 3
    }


def build_revocation(approval: StandingApproval, block: BlockRef, fees: Fees) -> TxPlan:
    """Return the transaction that takes an approval back, to nothing."""
    if approval.permit2:
        to, data = approval.permit2, _PERMIT2_APPROVE.encode(approval.token, approval.spender, 0, 0)
    else:
        to, data = approval.token, APPROVE.encode(approval.spender, 0)
    return TxPlan(
        cause=approval,
        block=block,
        purpose=Purpose.REVOKE,
        sender=approval.owner,
        to=to,
        data=data,
        value_wei=0,
        fees=fees,
    )
