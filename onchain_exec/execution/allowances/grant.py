"""How the one who swaps comes to pull what is sold: exactly what the swap takes, never more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError
from onchain_exec.execution.allowances.permit import PermitDomain, TokenPermit, read_permit_domain
from onchain_exec.execution.plan import StandingApproval
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.permit2 import PERMIT2, Permit, read_permit2_allowance
from onchain_exec.venues.router import RouterDeployment
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.universal_router import UniversalRouter

Router: TypeAlias = SwapRouter | UniversalRouter | RouterDeployment


@dataclass(frozen=True, slots=True)
class TransferPermit:
    """A signature by which Permit2 hands our Router what one swap sells, and nothing afterwards.

    ``nonce`` is any that the owner has not used: they need no order.
    """

    nonce: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What a swap needs before it may pull what it sells.

    ``approvals`` are amounts that are approved one after the other, each by a transaction before the
    swap; two of them where the token demands to pass through zero. ``permit`` is what the owner signs
    instead, or besides: it goes along in the swap's calldata. ``why`` is the choice, for people.
    """

    why: str
    approvals: tuple[int, ...] = ()
    permit: TokenPermit | Permit | TransferPermit | None = None


def get_spender(router: Router, *, by_permit2: bool = False) -> Address:
    """Return whom the token itself must let pull: the router, or Permit2 for those that go through it
    (the Universal Router always does, our Router with ``by_permit2``)."""
    match router:
        case UniversalRouter():
            return PERMIT2
        case RouterDeployment() if by_permit2:
            return PERMIT2
        case RouterDeployment() | SwapRouter():
            return router.address


def find_grant(approved: Approved, router: Router, *, may_sign: bool) -> Reading[Grant]:
    """Find what the swap needs, from the account's state at the decision's block.

    Where the owner ``may_sign`` messages, a permit takes the place of an approval's transaction: the
    token's own (EIP-2612) through SwapRouter02, Permit2's through the others. Otherwise exactly the
    order's bound is approved.
    """
    order, account, needed = approved.quote.order, approved.account, approved.quote.amount_in_max
    if order.token_in.address == ZERO_ADDRESS:
        return Grant("the native coin goes along as value")
    through_permit2 = account.spender == PERMIT2
    if account.free_allowance >= needed:
        if not through_permit2:
            return Grant("the spender may pull enough already")
        return (yield from _find_permit2(approved, router, ()))
    if through_permit2:
        return (yield from _find_permit2(approved, router, (yield from find_approvals_for(approved))))
    refused = "the account signs no messages"
    if may_sign and isinstance(router, SwapRouter):
        domain = yield from read_permit_domain(order.token_in.address, account.owner)
        if isinstance(domain, PermitDomain):
            permit = TokenPermit(domain, account.owner, account.spender, needed, order.expires_at)
            return Grant("a permit in the swap itself (EIP-2612), without an approval before", (), permit)
        refused = domain
    elif may_sign:
        refused = "the router takes no permit of the token"
    return (yield from find_approval_grant(approved, router, refused))


def find_approval_grant(approved: Approved, router: Router, why: str) -> Reading[Grant]:
    """Find the grant by approvals alone, where a permit is not to be had; ``why`` says why not.

    Raises:
        InputError: the router is paid through Permit2, which takes nothing but signatures.
    """
    if approved.account.spender == PERMIT2:
        raise InputError(
            f"{type(router).__name__} is paid by a signature for Permit2, and {why}",
            needed="a signer of messages that may sign it",
            todo="Let the signer's policy allow the permit, or send through SwapRouter02",
        )
    return Grant(f"an exact approval before the swap: {why}", (yield from find_approvals_for(approved)))


def _find_permit2(approved: Approved, router: Router, approvals: tuple[int, ...]) -> Reading[Grant]:
    order, account, needed = approved.quote.order, approved.account, approved.quote.amount_in_max
    before = "" if not approvals else ", after an exact approval of Permit2"
    if not isinstance(router, UniversalRouter):
        nonce = int.from_bytes(keccak(order.order_id.encode()))
        return Grant(f"a signed transfer through Permit2{before}", approvals, TransferPermit(nonce))
    spender, token = router.pools.address, order.token_in.address
    standing = yield from read_permit2_allowance(account.owner, token, spender)
    if standing.amount >= needed and standing.expires_at >= order.expires_at:
        return Grant(f"Permit2 lets the router take enough already{before}", approvals)
    permit = Permit(token, needed, order.expires_at, standing.nonce, spender, order.expires_at)
    return Grant(f"a permit for Permit2 in the swap itself{before}", approvals, permit)


def find_approvals_for(approved: Approved) -> Reading[tuple[int, ...]]:
    """Find the amounts to approve, one after the other, for the spender to pull what the order sells and what
    other orders of the account wait for; see `find_approvals`."""
    account, token = approved.account, approved.quote.order.token_in
    standing = StandingApproval(account.owner, token.address, account.spender, account.allowance)
    return (yield from find_approvals(standing, approved.quote.amount_in_max + account.waiting))


def find_approvals(standing: StandingApproval, needed: int) -> Reading[tuple[int, ...]]:
    """Find the amounts to approve, one after the other, for a spender to pull ``needed``. Only where some
    allowance is left, but too little, the token is asked: if it would refuse the change, the allowance goes
    through zero (USDT)."""
    if standing.amount >= needed:
        return ()
    if standing.amount == 0:
        return (needed,)
    change = Call(standing.token, APPROVE.encode(standing.spender, needed), sender=standing.owner)
    snapshot = yield (change,)
    (answer,) = snapshot.answers
    # some tokens refuse by returning false; others return nothing when they accept
    accepted = answer.success and (not answer.data or int.from_bytes(answer.data[:32]) == 1)
    return (needed,) if accepted else (0, needed)
