"""From a route's legs to the calls that run them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from onchain_exec.core import Address, Exact, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Hop, Leg
from onchain_exec.venues.swap_router.codec import (
    RouterCall,
    RouterStep,
    Sweep,
    V2Swap,
    V3Swap,
    encode_router_call,
)
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment, UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment, UniswapV3Pool

ADDRESS_THIS: Final = to_address("0x" + "2".rjust(40, "0"))
"""What the router reads as itself where a recipient is asked for (``Constants.ADDRESS_THIS``)."""
CONTRACT_BALANCE: Final = 0
"""As amount_in: all the router holds of the token (``Constants.CONTRACT_BALANCE``)."""


@dataclass(frozen=True, slots=True)
class SwapRouter:
    """A SwapRouter02 and the factories it was built for: it finds pools by their tokens alone."""

    address: Address
    v2: UniswapV2Deployment
    v3: UniswapV3Deployment


@dataclass(frozen=True, slots=True)
class SwapTerms:
    """What holds for a whole swap. The side that ``exact`` fixes equals its amount; ``deadline_at`` is
    unix seconds."""

    exact: Exact
    recipient: Address
    deadline_at: int
    amount_in_max: int
    amount_out_min: int


def build_swap_call(
    legs: tuple[Leg, ...], terms: SwapTerms, router: SwapRouter
) -> tuple[Address, bytes, int]:
    """Return (to, calldata, value in wei) of a swap along ``legs``; see `plan_swap`."""
    return router.address, encode_router_call(plan_swap(legs, terms, router)), 0


def plan_swap(legs: tuple[Leg, ...], terms: SwapTerms, router: SwapRouter) -> RouterCall:
    """Return the calls that run ``legs`` under ``terms``.

    Exact input: one leg carries its own minimum; several end in the router, and the minimum is
    checked once, last, on what they gave together. Exact output: each leg gives its exact amount to
    the recipient, and the maximum is shared out in proportion to what the legs take.

    A leg that passes from v2 to v3 or back leaves the amount between them in the router. For exact
    output its first part buys that amount exactly and the rest swaps all of it for at least the
    leg's output, so that it may give a few units more.

    Raises:
        InputError: a pool that this router does not find, no legs, legs that do not swap one token
            for one other, amounts that exceed the bounds.
    """
    token_out = _require_legs(legs, terms, router)
    if terms.exact is Exact.OUT:
        maxima = _share_out(terms.amount_in_max, [leg.amount_in for leg in legs])
        steps = [
            step
            for leg, amount_in_max in zip(legs, maxima, strict=True)
            for step in _plan_exact_out(leg, amount_in_max, terms.recipient)
        ]
        return RouterCall(terms.deadline_at, tuple(steps))
    if len(legs) == 1:
        return RouterCall(
            terms.deadline_at, tuple(_plan_exact_in(legs[0], terms.amount_out_min, terms.recipient))
        )
    steps = [step for leg in legs for step in _plan_exact_in(leg, 0, ADDRESS_THIS)]
    sweep = Sweep(token_out, terms.amount_out_min, terms.recipient)
    return RouterCall(terms.deadline_at, (*steps, sweep))


def _require_legs(legs: tuple[Leg, ...], terms: SwapTerms, router: SwapRouter) -> Address:
    """Return the token that all legs give."""
    ends = {(leg.hops[0].token_in.address, leg.hops[-1].token_out.address) for leg in legs}
    if len(ends) != 1:
        raise InputError(f"{len(legs)} legs from and to {len(ends)} pairs of tokens", needed="one pair")
    token_in, token_out = next(iter(ends))
    for hop in (hop for leg in legs for hop in leg.hops[1:]):
        if hop.token_in.address in (token_in, token_out):
            raise InputError(f"a leg passes through {hop.token_in}, an end of the order", needed="no cycles")
    for hop in (hop for leg in legs for hop in leg.hops):
        _require_reachable(hop, router)
    if sum(leg.amount_in for leg in legs) > terms.amount_in_max:
        raise InputError("the legs take more than amount_in_max", needed=f"at most {terms.amount_in_max}")
    if sum(leg.amount_out for leg in legs) < terms.amount_out_min:
        raise InputError("the legs give less than amount_out_min", needed=f"at least {terms.amount_out_min}")
    return token_out


def _require_reachable(hop: Hop, router: SwapRouter) -> None:
    """The router computes a pool's address from its tokens (and fee): it must be the one quoted."""
    pool, token_in, token_out = hop.pool, hop.token_in.address, hop.token_out.address
    if isinstance(pool, UniswapV2Pool):
        reached = router.v2.get_pair_address(token_in, token_out)
    elif isinstance(pool, UniswapV3Pool):
        reached = router.v3.get_pool_address(token_in, token_out, pool.curve.fee_pips)
    else:
        reached = None
    if reached != pool.address:
        raise InputError(
            f"the router at {router.address} does not reach {pool.key}",
            needed="pools of the factories it was built for",
            todo="Take these pools out of the search, or send through their own router",
        )


def _plan_exact_in(leg: Leg, amount_out_min: int, recipient: Address) -> list[RouterStep]:
    parts = _split_by_venue(leg)
    last = len(parts) - 1
    return [
        _make_swap(
            Exact.IN,
            part,
            recipient if index == last else ADDRESS_THIS,
            CONTRACT_BALANCE if index else leg.amount_in,
            amount_out_min if index == last else 0,
        )
        for index, part in enumerate(parts)
    ]


def _plan_exact_out(leg: Leg, amount_in_max: int, recipient: Address) -> list[RouterStep]:
    first, *rest = _split_by_venue(leg)
    if not rest:
        return [_make_swap(Exact.OUT, first, recipient, leg.amount_out, amount_in_max)]
    bought = _make_swap(Exact.OUT, first, ADDRESS_THIS, first[-1].amount_out, amount_in_max)
    last = len(rest) - 1
    swapped = [
        _make_swap(
            Exact.IN,
            part,
            recipient if index == last else ADDRESS_THIS,
            CONTRACT_BALANCE,
            leg.amount_out if index == last else 0,
        )
        for index, part in enumerate(rest)
    ]
    return [bought, *swapped]


def _split_by_venue(leg: Leg) -> list[tuple[Hop, ...]]:
    """Return the leg's hops in runs that one call of the router can make."""
    return [tuple(run) for _, run in groupby(leg.hops, key=lambda hop: type(hop.pool))]


def _make_swap(
    exact: Exact, hops: tuple[Hop, ...], recipient: Address, amount: int, bound: int
) -> RouterStep:
    path = (hops[0].token_in.address, *(hop.token_out.address for hop in hops))
    fees = tuple(hop.pool.curve.fee_pips for hop in hops if isinstance(hop.pool, UniswapV3Pool))
    if fees:
        return V3Swap(exact, path, fees, recipient, amount, bound)
    return V2Swap(exact, path, recipient, amount, bound)


def _share_out(total: int, weights: list[int]) -> list[int]:
    """Return ``total`` shared in proportion to ``weights``, none below its weight; they add up."""
    slack, whole = total - sum(weights), sum(weights)
    shares = [weight + slack * weight // whole for weight in weights]
    shares[-1] += total - sum(shares)
    return shares
