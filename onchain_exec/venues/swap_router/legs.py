"""What any router is to do for a route's legs: which hops in one call, paid by whom, bound by what."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from onchain_exec.core import Address, Exact, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Hop, Leg
from onchain_exec.venues.terms import SwapTerms

ADDRESS_THIS: Final = to_address("0x" + "2".rjust(40, "0"))
"""What Uniswap's routers read as themselves where a recipient is asked for (``ADDRESS_THIS``)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Hops through pools of one kind, in one call. ``amount`` is what ``exact`` fixes and ``bound`` the
    other side's limit; None is all that the router holds, and else the trader pays."""

    exact: Exact
    hops: tuple[Hop, ...]
    recipient: Address
    amount: int | None
    bound: int


def plan_parts(legs: tuple[Leg, ...], terms: SwapTerms) -> tuple[Part, ...]:
    """Return the parts that run ``legs`` under ``terms``, in their order.

    Exact input: one leg carries its own minimum; several end in the router, without one: see
    `is_swept`. Exact output: each leg gives its exact amount to the recipient, and the maximum is
    shared out in proportion to what the legs take.

    A leg through pools of several kinds leaves the amounts between them in the router. For exact
    output its first part buys such an amount exactly and the rest swaps all of it for at least the
    leg's output, so that it may give a few units more.

    Raises:
        InputError: no legs, legs that do not swap one token for one other, or pass through one of
            these two, amounts that exceed the bounds.
    """
    require_legs(legs, terms)
    if terms.exact is Exact.IN:
        end = (ADDRESS_THIS, 0) if is_swept(legs, terms) else (terms.recipient, terms.amount_out_min)
        return tuple(part for leg in legs for part in _plan_exact_in(leg.hops, leg.amount_in, *end))
    maxima = _share_out(terms.amount_in_max, [leg.amount_in for leg in legs])
    return tuple(
        part
        for leg, amount_in_max in zip(legs, maxima, strict=True)
        for part in _plan_exact_out(leg, amount_in_max, terms.recipient)
    )


def is_swept(legs: tuple[Leg, ...], terms: SwapTerms) -> bool:
    """Return whether the legs end in the router, where the minimum is checked once, last, on what they
    gave together."""
    return terms.exact is Exact.IN and len(legs) > 1


def _plan_exact_in(
    hops: tuple[Hop, ...], amount_in: int | None, recipient: Address, amount_out_min: int
) -> list[Part]:
    runs = _split_by_kind(hops)
    last = len(runs) - 1
    return [
        Part(
            Exact.IN,
            run,
            recipient if index == last else ADDRESS_THIS,
            None if index else amount_in,
            amount_out_min if index == last else 0,
        )
        for index, run in enumerate(runs)
    ]


def _plan_exact_out(leg: Leg, amount_in_max: int, recipient: Address) -> list[Part]:
    first = _split_by_kind(leg.hops)[0]
    rest = leg.hops[len(first) :]
    if not rest:
        return [Part(Exact.OUT, first, recipient, leg.amount_out, amount_in_max)]
    bought = Part(Exact.OUT, first, ADDRESS_THIS, first[-1].amount_out, amount_in_max)
    return [bought, *_plan_exact_in(rest, None, recipient, leg.amount_out)]


def _split_by_kind(hops: tuple[Hop, ...]) -> list[tuple[Hop, ...]]:
    return [tuple(run) for _, run in groupby(hops, key=lambda hop: hop.pool.kind)]


def require_legs(legs: tuple[Leg, ...], terms: SwapTerms) -> None:
    """Raise InputError unless all legs swap one token for one other, once, within the bounds."""
    ends = {(leg.hops[0].token_in.address, leg.hops[-1].token_out.address) for leg in legs}
    if len(ends) != 1:
        raise InputError(f"{len(legs)} legs from and to {len(ends)} pairs of tokens", needed="one pair")
    for hop in (hop for leg in legs for hop in leg.hops[1:]):
        if hop.token_in.address in next(iter(ends)):
            raise InputError(f"a leg passes through {hop.token_in}, an end of the order", needed="no cycles")
    if sum(leg.amount_in for leg in legs) > terms.amount_in_max:
        raise InputError("the legs take more than amount_in_max", needed=f"at most {terms.amount_in_max}")
    if sum(leg.amount_out for leg in legs) < terms.amount_out_min:
        raise InputError("the legs give less than amount_out_min", needed=f"at least {terms.amount_out_min}")


def _share_out(total: int, weights: list[int]) -> list[int]:
    """Return ``total`` shared in proportion to ``weights``, none below its weight; they add up."""
    slack, whole = total - sum(weights), sum(weights)
    shares = [weight + slack * weight // whole for weight in weights]
    shares[-1] += total - sum(shares)
    return shares
