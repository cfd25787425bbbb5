"""From a match to the call that settles it: fills, what goes out to be swapped, and what comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from onchain_exec.clearing.settle import SettleFill, SettleOrder, Signed
from onchain_exec.clearing.settle.batch import Advance, Batch, get_tokens
from onchain_exec.clearing.settle.replica import BPS
from onchain_exec.core import Address, Exact
from onchain_exec.errors import NoRouteError
from onchain_exec.routing.matching.exact import MatchedFill
from onchain_exec.routing.matching.match import Match
from onchain_exec.routing.matching.solver_call import Due, SolverCall
from onchain_exec.venues import Hop
from onchain_exec.venues.pool import Leg
from onchain_exec.venues.router import RouterCall, RouterDeployment, plan_router_swap
from onchain_exec.venues.terms import SwapTerms


@dataclass(frozen=True, slots=True)
class SolverTerms:
    """How a solver settles: by its ``contract``, over the ``router`` that this was built for, until
    ``deadline_at`` (unix seconds, or the first order's deadline). It keeps ``fee_bps`` (1e-4) of what an
    order is paid, as far as the order allows and has it above its limit; that and the rest go to
    ``surplus_to``."""

    contract: Address
    router: RouterDeployment
    surplus_to: Address
    deadline_at: int
    fee_bps: int = 0


def build_settlement(match: Match, words: Mapping[SettleOrder, Signed], terms: SolverTerms) -> SolverCall:
    """Return the call that settles ``match`` on the word of its owners, exact to the unit: if the pools are
    as they were, each fill gets what the match says (less the fee), and what the match leaves of the tokens
    traded is the surplus, with the fees.

    Raises:
        NoRouteError: the swaps go round, and need more of a token first than there is.
        InputError: the router does not reach a pool, or there are too many tokens.
    """
    fills = tuple(_charge(fill, words[fill.entry.order], terms.fee_bps) for fill in match.fills)
    tokens = get_tokens(fills)
    sold, owed = Counter[Address](), Counter[Address]()
    for fill in fills:
        sold[fill.order.token_in] += fill.amount_in
        owed[fill.order.token_out] += fill.amount_out + fill.fee
    ordered = _order_swaps(group_hops(match.hops, set(tokens)), sold)
    swaps = tuple(_plan(hops, terms) for hops in ordered)
    needed = _find_needed(swaps)
    out = {token: max(needed.get(token, 0), sold[token] - owed[token]) for token in tokens}
    back = {token: owed[token] - sold[token] + out[token] for token in tokens}
    return SolverCall(
        batch=Batch(tokens, fills, advances=tuple(Advance(t, amount) for t, amount in out.items() if amount)),
        swaps=swaps,
        dues=tuple(Due(token, amount) for token, amount in back.items() if amount),
        surplus_to=terms.surplus_to,
        deadline_at=min([terms.deadline_at, *(fill.order.deadline_at for fill in fills)]),
    )


def group_hops(hops: Sequence[Hop], traded: set[Address]) -> list[tuple[Hop, ...]]:
    """Return the hops as swaps of one token for another, in the order of their first hops.

    Hops of one pair are one swap. So are those that meet in tokens which no order trades, where they
    lead from one token to one other, and the others do not touch their pools.
    """
    pairs = [tuple(pair) for _, pair in groupby(hops, key=lambda hop: (hop.token_in, hop.token_out))]
    swaps: dict[int, tuple[Hop, ...]] = {}
    for part in _find_parts(pairs, traded):
        joined = tuple(hop for number in part for hop in pairs[number])
        others = {hop.pool.key for n, pair in enumerate(pairs) if n not in part for hop in pair}
        if _is_one_swap(joined, traded) and others.isdisjoint(hop.pool.key for hop in joined):
            swaps[part[0]] = joined
        else:
            swaps |= {number: pairs[number] for number in part}
    return [swaps[number] for number in sorted(swaps)]


def _order_swaps(swaps: Sequence[tuple[Hop, ...]], sold: Mapping[Address, int]) -> list[tuple[Hop, ...]]:
    """Return the swaps so that each finds its input in what the orders sell and the swaps before it give;
    those that meet in a pool stay as they are to one another."""
    held, waiting, ordered = Counter(sold), list(swaps), list[tuple[Hop, ...]]()
    while waiting:
        ready = next((n for n, hops in enumerate(waiting) if _is_ready(hops, waiting[:n], held)), None)
        if ready is None:
            raise NoRouteError(
                f"{len(waiting)} swaps need each other's output first",
                needed="one whose input the orders sell",
                todo="Leave the pools out that lead round",
            )
        hops = waiting.pop(ready)
        held[hops[0].token_in.address] -= _get_amount_in(hops)
        held[hops[-1].token_out.address] += _get_amount_out(hops)
        ordered.append(hops)
    return ordered


def _is_ready(hops: tuple[Hop, ...], before: Iterable[tuple[Hop, ...]], held: Mapping[Address, int]) -> bool:
    met = {hop.pool.key for earlier in before for hop in earlier}
    return met.isdisjoint(hop.pool.key for hop in hops) and (
        held.get(hops[0].token_in.address, 0) >= _get_amount_in(hops)
    )


def _get_amount_in(swap: tuple[Hop, ...]) -> int:
    return sum(hop.amount_in for hop in swap if hop.token_in == swap[0].token_in)


def _get_amount_out(swap: tuple[Hop, ...]) -> int:
    return sum(hop.amount_out for hop in swap if hop.token_out == swap[-1].token_out)


def _find_parts(pairs: Sequence[tuple[Hop, ...]], traded: set[Address]) -> list[list[int]]:
    """Return the pairs' numbers, those together that tokens join which nobody trades."""
    parts: list[tuple[list[int], set[Address]]] = []
    for number, pair in enumerate(pairs):
        numbers, through = [number], set(_ends(pair[0])) - traded
        apart = []
        for part in parts:
            if part[1] & through:
                numbers, through = numbers + part[0], through | part[1]
            else:
                apart.append(part)
        parts = [*apart, (sorted(numbers), through)]
    return [numbers for numbers, _ in parts]


def _is_one_swap(hops: Sequence[Hop], traded: set[Address]) -> bool:
    """Return whether hops lead from one token to one other, and nobody trades what is in between."""
    sold, bought = ({ends[side] for ends in map(_ends, hops)} for side in (0, 1))
    last = hops[-1].token_out.address
    return len(sold - bought) == 1 and bought - sold == {last} and not sold & bought & traded


def _ends(hop: Hop) -> tuple[Address, Address]:
    return hop.token_in.address, hop.token_out.address


def _plan(hops: tuple[Hop, ...], terms: SolverTerms) -> RouterCall:
    bounds = SwapTerms(
        exact=Exact.IN,
        recipient=terms.contract,
        deadline_at=terms.deadline_at,
        amount_in_max=_get_amount_in(hops),
        amount_out_min=_get_amount_out(hops),
    )
    return plan_router_swap(tuple(Leg((hop,)) for hop in hops), bounds, terms.router)


def _charge(fill: MatchedFill, signed: Signed, fee_bps: int) -> SettleFill:
    """Return the fill with the solver's fee: of an exact input only, and never out of its limit."""
    order, amount_out = fill.entry.order, fill.amount_out
    if order.is_exact_out:
        return SettleFill(order, signed, fill.amount_in, amount_out)
    above = amount_out - fill.entry.get_least_out(fill.amount_in)
    fee = min(above, amount_out * min(fee_bps, order.max_fee_bps) // BPS)
    return SettleFill(order, signed, fill.amount_in, amount_out - fee, fee)


def _find_needed(swaps: Iterable[RouterCall]) -> dict[Address, int]:
    """Return what the swaps take of each token before others have given it."""
    held, needed = Counter[Address](), dict[Address, int]()
    for swap in swaps:
        token_in, token_out = swap.terms.token_in, swap.terms.token_out
        held[token_in] -= swap.terms.amount_in_max
        needed[token_in] = max(needed.get(token_in, 0), -held[token_in])
        held[token_out] += swap.terms.amount_out_min
    return needed
