"""Attacks played on a victim: fast and nearly exact for searches, or exact to the unit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.risk.exposure.attack import FrontRun
from onchain_exec.risk.exposure.round_trips import make_round_trip
from onchain_exec.risk.exposure.victim import NotRunError, Victim
from onchain_exec.routing.gas import hop_gas

_ENTRY_GAS: Final = 21_000
"""Of each of the attacker's two transactions: a contract of his own needs no more around its swaps."""

_LEAN: Final = 0.55
"""What his swaps take at least, of what a router's do."""


class Trial(NamedTuple):
    """What front-runs of some amounts come to: the victim's loss, and the gain in each target's token_in."""

    loss: int
    gains: tuple[int, ...]


class FastTrials:
    """By `RoundTrip`, within a few base units."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        pools: dict[str, list[int]] = {}
        for number, target in enumerate(victim.targets):
            pools.setdefault(target.pool.key, []).append(number)
        self._members = list(pools.values())
        self._places = {
            number: (place, direction)
            for place, numbers in enumerate(self._members)
            for direction, number in enumerate(numbers)
        }
        trips = [
            make_round_trip([victim.targets[number] for number in numbers], victim.exact)
            for numbers in self._members
        ]
        # one pool's amounts change at a time: what the others come to is known
        self._begin = [cache(trip.begin) for trip in trips]
        self._swap = [cache(trip.swap) for trip in trips]
        self._end = [cache(trip.end) for trip in trips]
        self._untouched = [
            begin((0,) * len(numbers)) for begin, numbers in zip(self._begin, self._members, strict=True)
        ]
        self.run = cache(self._run)

    def _run(self, amounts: tuple[int, ...]) -> Trial | None:
        """Return what ``amounts``, base units of each target's token_in, come to; None where the victim
        would revert whatever its bound, or a pool refuses."""
        states, places, swaps = self._untouched.copy(), self._places, self._swap
        moved = {places[number][0] for number, amount in enumerate(amounts) if amount}

        def swap(target: int, amount: int) -> int:
            place, direction = places[target]
            other, states[place] = swaps[place](states[place], direction, amount)
            return other

        gains = [-amount for amount in amounts]
        try:
            for place in moved:
                states[place] = self._begin[place](tuple([amounts[n] for n in self._members[place]]))
            loss = self._victim.get_loss(self._victim.run(swap))
            for place in moved:
                for number, back in zip(self._members[place], self._end[place](states[place]), strict=True):
                    gains[number] += back
        except (PoolRevertError, StaleStateError, NotRunError):
            return None
        return Trial(loss, tuple(gains))


class ExactTrials:
    """By the pools' own swaps, in the order in which they are mined: the front-runs, the victim, then the
    front-runs' reversals, the last first."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim

    def play(self, amounts: Sequence[int]) -> Played | None:
        """Return the attack; None where the victim would revert whatever its bound, or a pool refuses."""
        targets = self._victim.targets
        pools = {target.pool.key: target.pool for target in targets}

        def swap(number: int, amount: int, exact: Exact, *, back: bool = False) -> int:
            pool, token_in, token_out, *_ = targets[number]
            pair = (token_out, token_in) if back else (token_in, token_out)
            done = pools[pool.key].swap(*pair, amount, exact)
            pools[pool.key] = done.pool_after
            return done.amount_out if exact is Exact.IN else done.amount_in

        used = [number for number, amount in enumerate(amounts) if amount]
        try:
            bought = {number: swap(number, amounts[number], Exact.IN) for number in used}
            amount = self._victim.run(lambda number, known: swap(number, known, self._victim.exact))
            backs = {number: swap(number, bought[number], Exact.IN, back=True) for number in reversed(used)}
        except (PoolRevertError, StaleStateError, NotRunError):
            return None
        front_runs = {
            number: FrontRun(
                targets[number].pool.key,
                *targets[number][1:3],
                amounts[number],
                bought[number],
                backs[number],
            )
            for number in used
        }
        return Played(self._victim.get_loss(amount), front_runs)


class Played(NamedTuple):
    """An attack in exact integers: the victim's loss, and the front-runs by their target's number."""

    loss: int
    front_runs: dict[int, FrontRun]


def get_attack_gas(kinds: Sequence[str]) -> int:
    """Return the least gas of a transaction that front-runs in pools of these kinds and another that
    reverses it; what the ticks that they cross take comes on top."""
    return 2 * (_ENTRY_GAS + int(_LEAN * sum(map(hop_gas, kinds)))) if kinds else 0
