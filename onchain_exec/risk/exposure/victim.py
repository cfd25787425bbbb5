"""What a route's transaction does when it meets other pools than it was quoted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from onchain_exec.core import Address, Exact, Token
from onchain_exec.routing import Route, get_mid_values
from onchain_exec.venues import Hop, Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

Key: TypeAlias = tuple[str, Address, Address]


class Target(NamedTuple):
    """A pool of the route, as the block has it, in the direction in which the route meets it.

    ``value`` is what a base unit of token_in is worth in the token that the route's search maximised, and
    ``taken`` what the route was quoted to put into it.
    """

    pool: Pool
    token_in: Token
    token_out: Token
    value: Fraction
    taken: int

    @property
    def can_be_moved(self) -> bool:
        """Whether what is swapped changes what the next one gets: not where the rate is a vault's."""
        return not isinstance(self.pool, (Erc4626Pool, WrappedNativePool))


class Step(NamedTuple):
    """A swap through the target of that number. ``known`` numbers the token whose amount it is told and
    ``amount`` is how much of it, None for all that the steps before it came to; ``other`` numbers the token
    whose amount it finds. The token in which the order's amount is fixed is number 0."""

    target: int
    known: int
    other: int
    amount: int | None


Swap = Callable[[int, int], int]
"""From a target's number and the known amount to the other amount."""


class Victim:
    """A route's transaction. Forwards with Exact.IN: hops that sell token_in take their exact amounts, and
    of a token in between the last hop that sells it takes all that is there, as every router runs it. With
    Exact.OUT it is computed backwards from the exact output, as ``exactOutput`` of v3-periphery runs it.
    """

    def __init__(self, route: Route) -> None:
        self.exact = route.exact
        self.quoted = route.amount_out if self.exact is Exact.IN else route.amount_in
        self.targets = _list_targets(route)
        start, self._end = route.token_in, route.token_out
        if self.exact is Exact.OUT:
            start, self._end = self._end, start
        tokens = dict.fromkeys(
            (start, *(token for hop in route.hops for token in (hop.token_in, hop.token_out)))
        )
        self._numbers = {token: number for number, token in enumerate(tokens)}
        self._steps = tuple(self._list_steps(route, start))

    def run(self, swap: Swap) -> int:
        """Return what the market decides: amount_out with Exact.IN, amount_in with Exact.OUT.

        Raises:
            NotRunError: a swap finds less of its token than it is told to take.
        """
        held = [0] * len(self._numbers)
        for target, known, other, fixed in self._steps:
            amount = held[known] if fixed is None else fixed
            if known:
                held[known] -= amount
                if held[known] < 0:
                    raise NotRunError
            held[other] += swap(target, amount)
        return held[self._numbers[self._end]]

    def get_loss(self, amount: int) -> int:
        """Return how much worse than quoted ``amount`` is; negative where it is better."""
        return self.quoted - amount if self.exact is Exact.IN else amount - self.quoted

    def _list_steps(self, route: Route, start: Token) -> Iterator[Step]:
        forwards = self.exact is Exact.IN
        numbers = {_get_key(target): number for number, target in enumerate(self.targets)}
        hops = route.hops if forwards else route.hops[::-1]
        held = Counter[Token]()  # as quoted
        for index, hop in enumerate(hops):
            known, taken = (hop.token_in, hop.amount_in) if forwards else (hop.token_out, hop.amount_out)
            other, given = (hop.token_out, hop.amount_out) if forwards else (hop.token_in, hop.amount_in)
            held[known] -= taken
            held[other] += given
            rest = (later.token_in if forwards else later.token_out for later in hops[index + 1 :])
            takes_all = known != start and (known not in rest or not held[known])
            yield Step(
                numbers[_get_key(hop)],
                self._numbers[known],
                self._numbers[other],
                None if takes_all else taken,
            )


class NotRunError(Exception):
    """The transaction would revert; it never leaves this package."""


def _list_targets(route: Route) -> tuple[Target, ...]:
    values = get_mid_values(route)
    unit = values[route.priced]
    taken = Counter[Key]()
    for hop in route.hops:
        taken[_get_key(hop)] += hop.amount_in
    # a leg meets the pools as legs before it left them: the first time is the block's own
    pools = {hop.pool.key: hop.pool for hop in reversed(route.hops)}
    hops = {_get_key(hop): hop for hop in reversed(route.hops)}
    return tuple(
        Target(pools[hop.pool.key], hop.token_in, hop.token_out, values[hop.token_in] / unit, taken[key])
        for key, hop in reversed(hops.items())
    )


def _get_key(hop: Hop | Target) -> Key:
    return hop.pool.key, hop.token_in.address, hop.token_out.address
