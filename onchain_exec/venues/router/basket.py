"""Several tokens sold at once: from a route's legs to the hops that run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onchain_exec.core import ZERO_ADDRESS, Address, Condition, Exact, Token
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Leg
from onchain_exec.venues.router.codec import Input, RouterCall, RouterTerms, encode_router_call
from onchain_exec.venues.router.place import RouterDeployment
from onchain_exec.venues.router.plan import plan_hops, require_ends


@dataclass(frozen=True, slots=True)
class BasketTerms:
    """What holds for a basket that is sold: ``amounts_in`` are base units by token, ``deadline_at`` is unix
    seconds."""

    amounts_in: Mapping[Token, int]
    amount_out_min: int
    recipient: Address
    deadline_at: int


def build_basket_call(
    legs: tuple[Leg, ...],
    terms: BasketTerms,
    deployment: RouterDeployment,
    conditions: tuple[Condition, ...] = (),
) -> tuple[Address, bytes, int]:
    """Return (to, calldata, value in wei) of `plan_basket_swap`."""
    call = plan_basket_swap(legs, terms, deployment, conditions)
    value_wei = call.terms.amount_in_max if call.terms.token_in == ZERO_ADDRESS else 0
    return deployment.address, encode_router_call(call), value_wei


def plan_basket_swap(
    legs: tuple[Leg, ...],
    terms: BasketTerms,
    deployment: RouterDeployment,
    conditions: tuple[Condition, ...] = (),
) -> RouterCall:
    """Return the call that sells all of ``terms.amounts_in`` along ``legs``, as a graph in their order.

    The native coin comes as the call's value. Without it the first token that is sold, which no hop buys,
    goes from the caller straight to the pools. All others are pulled into the router before the first hop,
    to be sold there with what hops bring of them.

    Raises:
        InputError: as `plan_router_swap`; or a token of the basket that no hop sells, or less of it.
    """
    hops = tuple(hop for leg in legs for hop in leg.hops)
    if not hops:
        raise InputError("no legs", needed="a route with at least one hop")
    amounts = {token.address: amount for token, amount in terms.amounts_in.items()}
    paid = None if ZERO_ADDRESS in amounts else hops[0].token_in.address
    token_in, token_out = paid or ZERO_ADDRESS, hops[-1].token_out.address
    require_ends(hops, (paid, token_out))
    if token_in not in amounts:
        raise InputError(f"the first hop sells {hops[0].token_in}", needed="a token of the basket")
    for address, amount in amounts.items():
        bought = sum(hop.amount_out for hop in hops if hop.token_out.address == address)
        sold = sum(hop.amount_in for hop in hops if hop.token_in.address == address)
        if sold != bought + amount:
            raise InputError(f"the legs sell {sold - bought} of {address}", needed=f"all of its {amount}")
    given = sum(hop.amount_out for hop in hops if hop.token_out.address == token_out)
    if given < terms.amount_out_min:
        raise InputError(f"the legs give {given}", needed=f"at least amount_out_min, {terms.amount_out_min}")
    held = {address: amount for address, amount in amounts.items() if address != paid}
    planned = tuple(plan_hops(hops, (paid, token_out), Exact.IN, Input.PAYER, deployment, held))
    bounds = amounts.pop(token_in), terms.amount_out_min
    run = RouterTerms(token_in, token_out, *bounds, terms.recipient, terms.deadline_at)
    return RouterCall(run, planned, conditions, more=tuple(amounts.items()))
