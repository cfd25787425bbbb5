"""What a draft is missing: found out here, which is the only I/O; filled in without any."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from onchain_exec.chain import Node
from onchain_exec.core import BlockRef
from onchain_exec.errors import PolicyError
from onchain_exec.execution.allowances.grant import Grant, find_approval_grant, find_grant
from onchain_exec.execution.allowances.permit import TokenPermit
from onchain_exec.execution.building.draft import Draft, Missing
from onchain_exec.execution.costs.fees import Urgency, read_fees
from onchain_exec.execution.delivery.sign import sign_message
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import Capability, Signature, Signer


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom `prepare` asks. ``max_fee_wei`` is the budget per unit of gas.

    ``permit_signer`` is the account's: it signs permits, which grant what an approval would and go to
    the node with the simulation. None: nothing is signed, and allowances come by transactions.
    """

    node: Node
    max_fee_wei: int | None = None
    urgency: Urgency = Urgency.NORMAL
    permit_signer: Signer | None = None

    @property
    def may_sign(self) -> bool:
        """Whether there is somebody to sign a permit."""
        return self.permit_signer is not None and Capability.TYPED_DATA in self.permit_signer.capabilities


@dataclass(frozen=True, slots=True)
class Found:
    """What `prepare` found; None is what it did not look for."""

    fees: Fees | None = None
    grant: Grant | None = None
    signature: Signature | None = None


async def prepare(draft: Draft, sources: Sources) -> Found:
    """Find out what the draft is missing, all of it at the decision's block.

    A permit's signature is tried on the token before it counts. Where the token, or the signer's
    policy, refuses it, the answer is another grant: an exact approval.

    Raises:
        GasError: the fee budget does not pay.
        SignerError: the signer fails.
    """
    block = draft.approved.quote.block
    if Missing.SIGNATURE in draft.missing:
        return await _find_signature(draft, sources, block)
    fees, grant = await asyncio.gather(_find_fees(draft, sources, block), _find_grant(draft, sources, block))
    return Found(fees, grant)


def fill(draft: Draft, found: Found) -> Draft:
    """Return the draft with what was found put in."""
    return replace(
        draft,
        fees=found.fees or draft.fees,
        grant=found.grant or draft.grant,
        signature=found.signature or draft.signature,
    )


async def complete(draft: Draft, sources: Sources) -> Draft:
    """Return the draft with nothing missing: `prepare` and `fill` until that is so."""
    while draft.missing:
        draft = fill(draft, await prepare(draft, sources))
    return draft


async def _find_fees(draft: Draft, sources: Sources, block: BlockRef) -> Fees | None:
    if Missing.FEES not in draft.missing:
        return None
    return await read_fees(sources.node, block, sources.max_fee_wei, urgency=sources.urgency)


async def _find_grant(draft: Draft, sources: Sources, block: BlockRef) -> Grant | None:
    if Missing.GRANT not in draft.missing:
        return None
    return await sources.node.perform(
        find_grant(draft.approved, draft.router, may_sign=sources.may_sign), block
    )


async def _find_signature(draft: Draft, sources: Sources, block: BlockRef) -> Found:
    """Find the permit's signature, or the grant that takes its place."""
    permit, message = draft.grant and draft.grant.permit, draft.message
    if sources.permit_signer is None or message is None:
        return await _find_other_grant(draft, sources, "nobody signs its permit")
    try:
        signature = await sign_message(message, draft.approved.account.owner, sources.permit_signer)
    except PolicyError as error:
        return await _find_other_grant(draft, sources, f"the policy forbids its permit: {error.found}")
    if isinstance(permit, TokenPermit):
        tried = await sources.node.read_calls([permit.get_trial(signature)], block)
        if not tried.answers[0].success:
            return await _find_other_grant(draft, sources, "the token refuses its permit")
    return Found(signature=signature)


async def _find_other_grant(draft: Draft, sources: Sources, why: str) -> Found:
    return Found(
        grant=await sources.node.perform(
            find_approval_grant(draft.approved, draft.router, why), draft.approved.quote.block
        )
    )
