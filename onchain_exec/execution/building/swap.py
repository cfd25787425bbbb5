"""The swap of an approved order as calldata of whichever router runs it, and what its owner signs for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from onchain_exec.core import Address
from onchain_exec.errors import InputError, UnsupportedOrderError
from onchain_exec.execution.allowances.grant import Grant, Router, TransferPermit
from onchain_exec.execution.allowances.permit import TokenPermit
from onchain_exec.execution.signers import Signature, make_message
from onchain_exec.risk import Approved
from onchain_exec.venues.permit2 import PERMIT2, Permit
from onchain_exec.venues.router import (
    RouterDeployment,
    RouterPermit,
    build_router_call,
    get_permit_typed_data,
    plan_router_swap,
)
from onchain_exec.venues.swap_router import SwapRouter, SwapTerms, encode_router_call, plan_swap
from onchain_exec.venues.swap_router.codec import SelfPermit
from onchain_exec.venues.universal_router import SignedPermit, UniversalRouter, build_universal_call

SwapCall: TypeAlias = tuple[Address, bytes, int]
"""To, calldata, value in wei."""


def build_swap(approved: Approved, router: Router, grant: Grant, signature: Signature | None) -> SwapCall:
    """Return the call that swaps, with the grant's permit, if it has one, signed by ``signature``.

    Raises:
        InputError: the router cannot run the route, or takes no such permit.
        UnsupportedOrderError: the order has conditions, which our Router alone runs.
    """
    legs, terms, permit = approved.quote.route.legs, get_terms(approved), grant.permit
    conditions = approved.quote.order.conditions
    if conditions and not isinstance(router, RouterDeployment):
        raise UnsupportedOrderError(
            f"{type(router).__name__} runs no conditions after a swap", needed="our Router"
        )
    signed = b"" if signature is None else bytes(signature)[:64] + bytes((27 + signature.y_parity,))
    match router, permit:
        case SwapRouter(), TokenPermit() | None:
            return _build_through_swap_router(approved, router, permit, signature)
        case UniversalRouter(), Permit():
            return build_universal_call(legs, terms, router, SignedPermit(permit, signed))
        case UniversalRouter(), None:
            return build_universal_call(legs, terms, router)
        case RouterDeployment(), TransferPermit(nonce):
            owner = approved.account.owner
            return build_router_call(legs, terms, router, conditions, RouterPermit(owner, nonce, signed))
        case RouterDeployment(), None:
            return build_router_call(legs, terms, router, conditions)
    raise InputError(
        f"{type(router).__name__} takes no {type(permit).__name__}", needed="the permit of this router"
    )


def get_permit_message(approved: Approved, router: Router, grant: Grant) -> Mapping[str, Any] | None:
    """Return what the owner signs for the grant (EIP-712), or None where there is nothing to sign."""
    chain_id, owner = approved.quote.block.chain_id, approved.account.owner
    match router, grant.permit:
        case _, None:
            return None
        case _, TokenPermit() as permit:
            return permit.to_message(chain_id)
        case _, Permit() as permit:
            domain = {"name": "Permit2", "chainId": chain_id, "verifyingContract": PERMIT2}
            details, spender, deadline_at = permit.to_tuple()
            named = dict(zip(("token", "amount", "expiration", "nonce"), details, strict=True))
            fields = {"details": named, "spender": spender, "sigDeadline": deadline_at}
            return make_message("PermitSingle", domain, fields)
        case RouterDeployment(), TransferPermit(nonce):
            legs, conditions = approved.quote.route.legs, approved.quote.order.conditions
            call = plan_router_swap(legs, get_terms(approved), router, conditions, by_permit=True)
            return get_permit_typed_data(call, router.address, owner, nonce, chain_id)
    raise InputError(f"{type(router).__name__} takes no {type(grant.permit).__name__}")


def get_terms(approved: Approved) -> SwapTerms:
    """Return what the trader accepted."""
    quote, order = approved.quote, approved.quote.order
    return SwapTerms(
        exact=order.exact,
        recipient=order.recipient,
        deadline_at=order.expires_at,
        amount_in_max=quote.amount_in_max,
        amount_out_min=quote.amount_out_min,
    )


def _build_through_swap_router(
    approved: Approved, router: SwapRouter, permit: TokenPermit | None, signature: Signature | None
) -> SwapCall:
    call = plan_swap(approved.quote.route.legs, get_terms(approved), router)
    if permit is not None and signature is not None:
        granted = SelfPermit(
            token=permit.domain.token,
            amount=permit.amount,
            deadline_at=permit.deadline_at,
            v=27 + signature.y_parity,
            r=signature.r,
            s=signature.s,
        )
        call = replace(call, steps=(granted, *call.steps))
    return router.address, encode_router_call(call), 0
