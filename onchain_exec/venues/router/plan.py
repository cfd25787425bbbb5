"""From a route's legs to the hops that run them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Condition, Exact
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Hop, Leg
from onchain_exec.venues.router.codec import (
    Input,
    Output,
    RouterCall,
    RouterHop,
    RouterPermit,
    RouterTerms,
    Venue,
    encode_router_call,
)
from onchain_exec.venues.router.cover import cover
from onchain_exec.venues.router.place import RouterDeployment, find_place
from onchain_exec.venues.swap_router import SwapTerms

_EXACT_OUT: Final = frozenset({Venue.UNISWAP_V2, Venue.UNISWAP_V3, Venue.UNISWAP_V4, Venue.BALANCER_V2})
_PREPAID: Final = frozenset({Venue.UNISWAP_V2, Venue.SOLIDLY})
ALL: Final = 0
"""As the amount of an exact input: all that is left."""


def build_router_call(
    legs: tuple[Leg, ...],
    terms: SwapTerms,
    deployment: RouterDeployment,
    conditions: tuple[Condition, ...] = (),
    permit: RouterPermit | None = None,
) -> tuple[Address, bytes, int]:
    """Return (to, calldata, value in wei) of a swap along ``legs``; see `plan_router_swap`.

    ``permit`` signs the plan made with the same arguments and ``by_permit``.
    """
    call = plan_router_swap(legs, terms, deployment, conditions, by_permit=permit is not None)
    signed = RouterCall(call.terms, call.hops, call.conditions, permit)
    value_wei = terms.amount_in_max if call.terms.token_in == ZERO_ADDRESS else 0
    return deployment.address, encode_router_call(signed), value_wei


def plan_router_swap(
    legs: tuple[Leg, ...],
    terms: SwapTerms,
    deployment: RouterDeployment,
    conditions: tuple[Condition, ...] = (),
    *,
    by_permit: bool = False,
) -> RouterCall:
    """Return the call that runs ``legs`` in their order under ``terms`` and reverts unless ``conditions``
    hold after it.

    The legs swap the first leg's token_in for the last leg's token_out, in paths or as a graph: a leg
    may start from what earlier legs gave. Hops that sell token_in take their exact amounts, from the
    payer without a stop in the router; of every token in between the last hop that sells it takes all
    that is there, so that slippage on the way leaves nothing behind. A pair is paid by the pool before
    it where it takes all that this one gives; between two v4 pools that stays in the PoolManager.

    Exact output: hops that sell token_in buy their exact outputs where the venue can (Curve, Solidly
    and vaults cannot: they take the quoted input), the others swap all of that. They buy what `cover` finds
    to be enough, so that a few units more than the quote may be taken and given.

    Raises:
        InputError: a pool that this router does not reach, no legs, legs that sell token_out or buy
            token_in, or sell more of a token than the legs before bought; amounts beyond the bounds.
    """
    if not legs:
        raise InputError("no legs", needed="a route with at least one hop")
    token_in = legs[0].hops[0].token_in
    if terms.exact is Exact.OUT:
        legs = cover(legs, token_in)
    hops = tuple(hop for leg in legs for hop in leg.hops)
    ends = token_in.address, hops[-1].token_out.address
    require_ends(hops, ends)
    _require_bounds(hops, ends, terms)
    payer = Input.ROUTER if by_permit or ends[0] == ZERO_ADDRESS else Input.PAYER
    planned = tuple(plan_hops(hops, ends, terms.exact, payer, deployment, {}))
    bounds = terms.amount_in_max, terms.amount_out_min
    return RouterCall(RouterTerms(*ends, *bounds, terms.recipient, terms.deadline_at), planned, conditions)


def plan_hops(
    hops: tuple[Hop, ...],
    ends: tuple[Address | None, Address],
    exact: Exact,
    payer: Input,
    router: RouterDeployment,
    pulled: Mapping[Address, int],
) -> Iterator[RouterHop]:
    """Yield the hops as the router takes them: between the two ``ends``, of which ``payer`` pays the first,
    if there is one; ``pulled`` is what the router has of other tokens before the first hop.

    Raises:
        InputError: a pool that the router does not reach, or a hop that does not find its input.
    """
    held = Counter(pulled)  # by the quotes, what the router has of the tokens in between
    output = Output.ROUTER
    for index, hop in enumerate(hops):
        place, later = find_place(hop, router), hops[index + 1 :]
        sold, bought = hop.token_in.address, hop.token_out.address
        exact_out = exact is Exact.OUT and sold == ends[0] and place.venue in _EXACT_OUT
        if output is Output.NEXT_POOL:
            source, amount = Input.POOL, ALL
        elif sold == ends[0]:
            source, amount = payer, hop.amount_out if exact_out else hop.amount_in
        else:
            source, amount = Input.ROUTER, _take_held(held, hop, later)
        output = _find_output(hop, later, ends[1], held, router)
        if output is Output.ROUTER:
            held[bought] += hop.amount_out
        yield RouterHop(place.venue, source, output, exact_out, place.pool, sold, bought, amount, place.data)


def _take_held(held: Counter[Address], hop: Hop, later: tuple[Hop, ...]) -> int:
    """Return the hop's amount as it is to be asked for, and count it as gone."""
    token = hop.token_in.address
    held[token] -= hop.amount_in
    if held[token] < 0:
        raise InputError(
            f"{hop.pool.key} is to take {-held[token]} {hop.token_in} more than the hops before it give",
            needed="hops in an order in which each finds its input",
        )
    is_last = all(other.token_in.address != token for other in later)
    return ALL if is_last or not held[token] else hop.amount_in


def _find_output(
    hop: Hop, later: tuple[Hop, ...], token_out: Address, held: Counter[Address], router: RouterDeployment
) -> Output:
    bought = hop.token_out.address
    if bought == token_out:
        return Output.RECIPIENT
    if not later or held[bought] or not _pays_ahead(hop, later[0], router):
        return Output.ROUTER
    takes_all = (later[0].token_in.address, later[0].amount_in) == (bought, hop.amount_out)
    return Output.NEXT_POOL if takes_all else Output.ROUTER


def _pays_ahead(hop: Hop, later: Hop, router: RouterDeployment) -> bool:
    before, after = find_place(hop, router).venue, find_place(later, router).venue
    return after in _PREPAID or before is after is Venue.UNISWAP_V4


def require_ends(hops: tuple[Hop, ...], ends: tuple[Address | None, Address]) -> None:
    """Return if what is sold comes from the payer alone, and what is bought goes to the recipient at once.

    Raises:
        InputError: a hop buys the first of ``ends`` or sells the second.
    """
    token_in, token_out = ends
    for hop in hops if token_in != token_out else ():
        if hop.token_in.address == token_out or hop.token_out.address == token_in:
            raise InputError(
                f"{hop.pool.key} sells {hop.token_in} for {hop.token_out}, against the order",
                needed="no hop back from token_out or to token_in",
            )


def _require_bounds(hops: tuple[Hop, ...], ends: tuple[Address, Address], terms: SwapTerms) -> None:
    taken = sum(hop.amount_in for hop in hops if hop.token_in.address == ends[0])
    given = sum(hop.amount_out for hop in hops if hop.token_out.address == ends[1])
    if taken > terms.amount_in_max:
        raise InputError(f"the legs take {taken}", needed=f"at most amount_in_max, {terms.amount_in_max}")
    if given < terms.amount_out_min:
        raise InputError(f"the legs give {given}", needed=f"at least amount_out_min, {terms.amount_out_min}")
