"""The attack that nets most under a bound, in exact integers, and the bound under which none pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil, inf
from typing import Final

from onchain_exec.core.fixed_point import BPS
from onchain_exec.risk.exposure.allocation import allocate
from onchain_exec.risk.exposure.attack import Attacker, Sandwich
from onchain_exec.risk.exposure.even import find_even
from onchain_exec.risk.exposure.search import Search
from onchain_exec.risk.exposure.trials import ExactTrials, FastTrials, Played, get_attack_gas
from onchain_exec.risk.exposure.victim import Victim

_NOTHING: Final = Sandwich()
_CUTS: Final = 4
_CAPITAL_ROUNDS: Final = 16
_DEAREST: Final = 2.0
"""A charge on capital that nothing earns: a front-run returns less than twice what it takes."""

_SAFE_ROUNDS: Final = 8
_SAFE_PART: Final = 0.99
_SKETCHED: Final = 0.7
_NEARLY: Final = 0.9
"""Of what there is to gain: what curves between few points tell at least of it, and those up to their end."""


class Sandwiches:
    """All attacks on a victim, by an attacker."""

    def __init__(self, victim: Victim, attacker: Attacker) -> None:
        self.victim, self.attacker = victim, attacker
        self._exact, self._trials = ExactTrials(victim), FastTrials(victim)
        self._search = self._make_search()
        self._numbers = [n for n, target in enumerate(victim.targets) if target.can_be_moved]

    def find(self, slack: int) -> Sandwich:
        """Return the attack that nets most and leaves the victim no more than ``slack`` short; without
        front-runs where none nets anything.

        Where gas has a price, a pool that brings less than its swaps cost weakens the attack: pools are
        left out, the weakest first, as long as that helps, and the best by itself is looked at.
        """
        return self._find(slack, self._numbers)

    def _find(self, slack: int, numbers: Sequence[int]) -> Sandwich:
        if slack <= 0 or not numbers:
            return _NOTHING
        best, used, left = _NOTHING, numbers, numbers
        while left:
            amounts = self._find_amounts(slack, left)
            used, found = [number for number in left if amounts[number]], self._settle(amounts, slack)
            if best.front_runs and found.net <= best.net:
                break
            best = found
            gains = self._search.list_gains(amounts)
            left = sorted(used, key=lambda number: gains[number])[1:] if self.attacker.gas.price_wei else []
        strongest = max(numbers, key=lambda number: self._get_lone_net(number, slack))
        if self.attacker.gas.price_wei and used != [strongest]:
            alone = self._settle(self._find_amounts(slack, [strongest]), slack)
            best = max(best, alone, key=lambda sandwich: sandwich.net)
        return best if best.pays else _NOTHING

    def _get_lone_net(self, number: int, slack: int) -> float:
        return max(point.gain for point in self._search.scan(number, slack)) - self._get_needed([number])

    def find_safe_slack(self, most: int) -> int:
        """Return the largest slack, up to ``most``, under which `find` finds nothing.

        It is where the first target by itself pays for its gas, unless several together do before.
        """
        safe, needed = most, {number: self._get_needed([number]) for number in self._numbers}
        for number in self._numbers:
            points = self._search.scan(number, most)
            even = find_even(points, needed[number], safe, partial(self._search.try_one, number))
            if even:  # whose loss fast trials may tell as units less than nothing
                safe = min(safe, max(0, int(even.loss)))
        numbers = self._list_able(safe, needed)
        for _ in range(_SAFE_ROUNDS):
            found = self._find(safe, numbers)
            if not found.pays:
                return safe
            # what is netted grows from minus the gas, ever more slowly
            safe = int(safe * _SAFE_PART * found.gas_cost / (found.net + found.gas_cost))
        return 0

    def _list_able(self, slack: int, needed: Mapping[int, float]) -> Sequence[int]:
        """Return the targets that may take part in an attack that pays under ``slack``: all, unless what they
        gain together is far from paying for two; then those that nearly gain what they need alone."""
        curves = {number: self._search.scan(number, slack) for number in needed}
        cheapest = sorted(needed, key=needed.__getitem__)[:2]
        together = allocate(list(curves.values()), slack).gain
        if len(cheapest) > 1 and together > _SKETCHED * self._get_needed(cheapest):
            return list(needed)
        return [n for n, curve in curves.items() if max(point.gain for point in curve) > _NEARLY * needed[n]]

    def _get_needed(self, numbers: Sequence[int]) -> float:
        """Return what an attack on these targets has to gain to pay for its gas and the bribe."""
        gas = self.attacker.gas.cost(get_attack_gas([self.victim.targets[n].pool.kind for n in numbers]))
        return gas / (1 - self.attacker.bribe_bps / BPS) if self.attacker.bribe_bps < BPS else inf

    def _find_amounts(self, slack: int, numbers: Sequence[int]) -> tuple[int, ...]:
        """Return the best front-runs of some targets within the capital. Where that is too little, it gets
        a price; what is best just above and just below it is mixed to take all of it."""
        amounts = self._search.find_amounts(slack, numbers)
        limit = self.attacker.capital
        if limit is None or self._get_capital(amounts) <= limit:
            return amounts
        over, within = amounts, (0,) * len(amounts)
        low, high = 0.0, _DEAREST
        for _ in range(_CAPITAL_ROUNDS):
            charge = (low + high) / 2
            amounts = self._make_search(charge).find_amounts(slack, numbers)
            if self._get_capital(amounts) > limit:
                low, over = charge, amounts
            else:
                high, within = charge, amounts
        held = self._get_capital(within)
        left, whole = limit - held, self._get_capital(over) - held
        return tuple(low + (high - low) * left // whole for low, high in zip(within, over, strict=True))

    def _make_search(self, charge: float = 0.0) -> Search:
        return Search(self.victim, self._trials, charge + self.attacker.capital_cost_bps / BPS)

    def _settle(self, amounts: tuple[int, ...], slack: int) -> Sandwich:
        """Return the attack in exact integers, cut by what the fast trials were too kind; nothing where they
        tell that it cannot pay."""
        used = [number for number, amount in enumerate(amounts) if amount]
        if self._search.get_most(amounts) <= self._get_needed(used):
            return _NOTHING
        for _ in range(_CUTS):
            played, trial = self._exact.play(amounts), self._trials.run(amounts)
            if played is None or trial is None:
                break
            if played.loss <= slack:
                return self._weigh(played)
            amounts = self._search.tighten(amounts, max(0, trial.loss - 2 * (played.loss - slack)))
        return _NOTHING

    def _weigh(self, played: Played) -> Sandwich:
        targets, attacker = self.victim.targets, self.attacker
        gross = sum((run.gain * targets[n].value for n, run in played.front_runs.items()), start=0)
        capital = ceil(sum(run.amount_in * targets[n].value for n, run in played.front_runs.items()))
        return Sandwich(
            front_runs=tuple(played.front_runs.values()),
            capital=capital,
            gross=ceil(gross),
            gas_cost=attacker.gas.cost(get_attack_gas([targets[n].pool.kind for n in played.front_runs])),
            bribe=max(0, ceil(gross)) * attacker.bribe_bps // BPS,
            capital_cost=capital * attacker.capital_cost_bps // BPS,
            victim_loss=played.loss,
        )

    def _get_capital(self, amounts: Sequence[int]) -> int:
        targets = self.victim.targets
        return ceil(sum(target.value * amount for target, amount in zip(targets, amounts, strict=True)))
