"""Chains for an exact output, run forward: each hop is given enough to reach what the next one needs."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.core import Exact
from onchain_exec.venues.pool import Hop, Leg


def cover(leg: Leg) -> Leg:
    """Return the chain with inputs whose exact-input swaps give at least what the chain quoted.

    Pools round in their own favour both ways: the input that an exact output takes may, as an exact
    input, give a few units less. So every hop after the first gets the least input, found by doubling
    steps, that reaches its output, and the first buys that much of it.

    Raises:
        PoolRevertError: a pool cannot take the few units more.
    """
    first, *rest = leg.hops
    covered: list[Hop] = []
    needed = leg.amount_out
    for hop in reversed(rest):
        amount_in, amount_out = _reach(hop, needed)
        covered.append(replace(hop, amount_in=amount_in, amount_out=amount_out))
        needed = amount_in
    if needed != first.amount_out:
        amount_in = first.pool.quote(first.token_in, first.token_out, needed, Exact.OUT)
        first = replace(first, amount_in=amount_in, amount_out=needed)
    return Leg((first, *reversed(covered)))


def _reach(hop: Hop, needed: int) -> tuple[int, int]:
    """Return the input from the quoted one on that gives ``needed``, and what it gives."""
    amount_in, step = hop.amount_in, 1
    while (given := hop.pool.quote(hop.token_in, hop.token_out, amount_in, Exact.IN)) < needed:
        amount_in, step = amount_in + step, 2 * step
    return amount_in, given
