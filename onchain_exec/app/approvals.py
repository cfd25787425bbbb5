"""The approvals of an account on a known chain: what stands, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterable

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.run import deliver, failures_journalled, make_durable, require_signer
from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import Address, BlockRef, address_bytes
from onchain_exec.errors import InputError
from onchain_exec.execution import (
    SimulatedTx,
    StandingApproval,
    build_revocation,
    list_approved,
    read_approvals,
    read_fees,
    simulate,
)
from onchain_exec.execution.allowances.approvals import APPROVAL
from onchain_exec.oms import OrderView


async def find_approvals(
    node: Node,
    profile: ChainProfile,
    owner: Address,
    block: BlockRef,
    since_block: int | None = None,
    named: Iterable[tuple[Address, Address]] = (),
) -> tuple[StandingApproval, ...]:
    """Return what stands at ``block``: of every listed token to every listed contract, of the pairs ``named``
    (token, spender) and, with ``since_block``, of whatever the account approved to whomever from there on.

    Raises:
        NodeRefusedError: the node does not search as many blocks for logs.
    """
    spenders = {address for contracts in profile.protocols.values() for address in contracts.values()}
    pairs = {(token.address, spender) for token in profile.tokens.values() for spender in spenders}
    pairs.update(named)
    if since_block is not None:
        word = address_bytes(owner).rjust(32, b"\0")
        logs = await node.get_logs(LogFilter((), ((APPROVAL.topic,), (word,))), (since_block, block.number))
        pairs |= list_approved(logs)
    permit2 = profile.get_contract("permit2", "permit2")
    return await node.perform(read_approvals(owner, pairs, permit2), block)


def pick_approvals(
    found: tuple[StandingApproval, ...], token: Address, spender: Address
) -> tuple[StandingApproval, ...]:
    """Return those of one token to one spender.

    Raises:
        InputError: none stands.
    """
    picked = tuple(approval for approval in found if (approval.token, approval.spender) == (token, spender))
    if not picked:
        raise InputError(
            f"no approval of {token} to {spender} stands",
            needed="one that is listed",
            todo="List them first; --since BLOCK looks for unknown spenders and tokens",
        )
    return picked


async def prepare_revocations(
    node: Node,
    profile: ChainProfile,
    approvals: tuple[StandingApproval, ...],
    block: BlockRef,
    max_fee_wei: int | None = None,
) -> tuple[SimulatedTx, ...]:
    """Return a transaction for each approval that takes it back, simulated; nothing is signed or sent."""
    fees = await read_fees(node, block, max_fee_wei)
    return tuple(
        [
            await simulate(node, build_revocation(approval, block, fees), profile.gas_rules)
            for approval in approvals
        ]
    )


async def revoke(context: Context, simulated: tuple[SimulatedTx, ...]) -> tuple[OrderView, ...]:
    """Take approvals back: sign, journal and send each, one after the other, until one fails; return
    them as the journal holds them. Like a swap's, their bytes outlive a crash and are sent again."""
    signer, done = require_signer(context), list[OrderView]()
    for step in simulated:
        order_id = context.journal.append_revocation(
            step.plan.order_id, promised=context.policy.private_only
        ).order_id
        with failures_journalled(context, order_id):
            durable = await make_durable(context, signer, step)
        succeeded = await deliver(context, durable)
        done.append(context.journal.read_order(order_id))
        if not succeeded:
            break
    return tuple(done)
