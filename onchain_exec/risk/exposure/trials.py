"""Attacks played on a victim: fast and nearly exact for searches, or exact to the unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, NamedTuple, Protocol

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.risk.exposure.attack import FrontRun
from onchain_exec.risk.exposure.round_trips import make_round_trip
from onchain_exec.risk.exposure.victim import NotRunError, Victim
from onchain_exec.routing.gas import TICK_GAS, hop_gas
from onchain_exec.venues import Pool

_ENTRY_GAS: Final = 21_000
"""Of each of the attacker's two transactions: a contract of his own needs no more around its swaps."""

_LEAN: Final = 0.6
"""What his swaps take at least, of what a router's do."""


class Trial(NamedTuple):
    """What front-runs of some amounts come to: the victim's loss, and the gain in each target's token_in."""

    loss: int
    gains: tuple[int, ...]


class Trials(Protocol):
    """Attacks on one victim, by what is put into each of its targets beforehand."""

    @property
    def run(self) -> Callable[[tuple[int, ...]], Trial | None]:
        """Return what ``amounts`` come to, in base units of each target's token_in; None where the victim
        would revert whatever its bound, or a pool refuses."""
        ...


class FastTrials:
    """By `RoundTrip`: for victims that go each of their pools in one direction only."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        trips = [make_round_trip(target, victim.exact) for target in victim.targets]
        # one target's amount changes at a time: what the others come to is known
        self._begin = [cache(trip.begin) for trip in trips]
        self._swap = [cache(trip.swap) for trip in trips]
        self._end = [cache(trip.end) for trip in trips]
        self.run = cache(self._run)

    def _run(self, amounts: tuple[int, ...]) -> Trial | None:
        try:
            states = [begin(amount) for begin, amount in zip(self._begin, amounts, strict=True)]

            def swap(target: int, amount: int) -> int:
                other, states[target] = self._swap[target](states[target], amount)
                return other

            loss = self._victim.get_loss(self._victim.run(swap))
            backs = [
                end(state) if amount else 0
                for end, state, amount in zip(self._end, states, amounts, strict=True)
            ]
        except (PoolRevertError, StaleStateError, NotRunError):
            return None
        return Trial(loss, tuple(back - amount for back, amount in zip(backs, amounts, strict=True)))


class ExactTrials:
    """By the pools' own swaps, in the order in which they are mined: the front-runs, the victim, then the
    front-runs' reversals, the last first."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim

    def run(self, amounts: tuple[int, ...]) -> Trial | None:
        """See `Trials.run`."""
        played = self.play(amounts)
        if played is None:
            return None
        gains = dict.fromkeys(range(len(amounts)), 0)
        gains.update((number, front_run.gain) for number, front_run in played.front_runs.items())
        return Trial(played.loss, tuple(gains.values()))

    def play(self, amounts: Sequence[int]) -> Played | None:
        """Return the attack in full; None as of `run`."""
        targets = self._victim.targets
        market = _Market({target.pool.key: target.pool for target in targets})

        def swap(number: int, amount: int, exact: Exact, *, back: bool = False) -> int:
            pool, token_in, token_out, *_ = targets[number]
            pair = (token_out, token_in) if back else (token_in, token_out)
            done = market.pools[pool.key].swap(*pair, amount, exact)
            market.pools[pool.key] = done.pool_after
            market.ticks += done.ticks_crossed
            return done.amount_out if exact is Exact.IN else done.amount_in

        used = [number for number, amount in enumerate(amounts) if amount]
        try:
            bought = {number: swap(number, amounts[number], Exact.IN) for number in used}
            crossed = market.ticks
            amount = self._victim.run(lambda number, known: swap(number, known, self._victim.exact))
            market.ticks = crossed
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
        gas_units = get_attack_gas([targets[number].pool.kind for number in used], market.ticks)
        return Played(self._victim.get_loss(amount), front_runs, gas_units)


def get_attack_gas(kinds: Sequence[str], ticks: int = 0) -> int:
    """Return the least gas of a transaction that front-runs in pools of these kinds and another that
    reverses it, which together cross ``ticks`` initialised ticks."""
    if not kinds:
        return 0
    return 2 * _ENTRY_GAS + int(_LEAN * (2 * sum(map(hop_gas, kinds)) + ticks * TICK_GAS))


class Played(NamedTuple):
    """An attack in exact integers: front-runs by their target's number, and the gas of all their swaps."""

    loss: int
    front_runs: dict[int, FrontRun]
    gas_units: int


class _Market:
    def __init__(self, pools: dict[str, Pool]) -> None:
        self.pools, self.ticks = pools, 0


def make_trials(victim: Victim) -> Trials:
    """Return the fastest trials that tell the truth: a pool of several tokens that the victim goes in
    several directions carries one into the other."""
    keys = {target.pool.key for target in victim.targets}
    return FastTrials(victim) if len(keys) == len(victim.targets) else ExactTrials(victim)
