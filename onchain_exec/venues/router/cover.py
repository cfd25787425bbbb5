"""Chains for an exact output, run forward: each is given enough to reach what it quoted."""

from __future__ import annotations

from collections.abc import Mapping

from onchain_exec.core import Exact, Token
from onchain_exec.venues.pool import Hop, Leg, Pool


def cover(legs: tuple[Leg, ...], token_in: Token) -> tuple[Leg, ...]:
    """Return the legs as the chain will run them: the first hop buys an exact output, the others swap all
    of it, and every pool stands where the hops before left it.

    Pools round in their own favour both ways: the input that an exact output takes may, as an exact
    input, give a few units less, and legs that meet in a pool move it for each other. So a first hop
    buys more, in doubling steps, until its leg gives at least what it quoted. Legs that do not start
    from ``token_in`` stay as they are.

    Raises:
        PoolRevertError: a pool cannot take the few units more.
    """
    moved: dict[str, Pool] = {}
    covered = []
    for leg in legs:
        ran = leg
        if leg.hops[0].token_in == token_in:
            bought, step = leg.hops[0].amount_out, 1
            ran, after = _run(leg, bought, moved)
            while ran.amount_out < leg.amount_out:
                bought, step = bought + step, 2 * step
                ran, after = _run(leg, bought, moved)
            moved.update(after)
        covered.append(ran)
    return tuple(covered)


def _run(leg: Leg, bought: int, moved: Mapping[str, Pool]) -> tuple[Leg, dict[str, Pool]]:
    """Return the leg whose first hop buys ``bought``, and its pools after it."""
    after, hops = dict(moved), list[Hop]()
    amount, exact = bought, Exact.OUT
    for hop in leg.hops:
        pool = after.get(hop.pool.key, hop.pool)
        done = pool.swap(hop.token_in, hop.token_out, amount, exact)
        hops.append(Hop(pool, hop.token_in, hop.token_out, done.amount_in, done.amount_out, done.fee_amount))
        after[hop.pool.key] = done.pool_after
        amount, exact = done.amount_out, Exact.IN
    return Leg(tuple(hops)), after
