"""The attack that nets most under a bound, in exact integers, and the bound under which none pays."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf
from typing import Final

from onchain_exec.core.fixed_point import BPS
from onchain_exec.risk.exposure.attack import Attacker, Sandwich
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
_EVEN_BITS: Final = 10
_EVEN_PART: Final = 0.02


class Sandwiches:
    """All attacks on a victim, by an attacker."""

    def __init__(self, victim: Victim, attacker: Attacker) -> None:
        self.victim, self.attacker = victim, attacker
        self._exact, self._trials = ExactTrials(victim), FastTrials(victim)
        self._numbers = [n for n, target in enumerate(victim.targets) if target.can_be_moved]

    def find(self, slack: int) -> Sandwich:
        """Return the attack that nets most and leaves the victim no more than ``slack`` short; without
        front-runs where none nets anything.

        Where gas has a price, a pool that brings less than its swaps cost weakens the attack: pools are
        left out, the weakest first, as long as that helps.
        """
        best, numbers = _NOTHING, self._numbers
        while slack > 0 and numbers:
            amounts = self._find_amounts(slack, numbers)
            found = self._settle(amounts, slack)
            if best.front_runs and found.net <= best.net:
                break
            best = found
            used = [number for number in numbers if amounts[number]]
            gains = self._list_gains(amounts)
            numbers = (
                sorted(used, key=lambda number: gains[number])[1:] if self.attacker.gas.price_wei else []
            )
        return best if best.pays else _NOTHING

    def find_safe_slack(self, most: int) -> int:
        """Return the largest slack, up to ``most``, under which `find` finds nothing.

        It is where the first target by itself pays for its gas, unless several together do before.
        """
        search, safe = self._make_search(), most
        for number in self._numbers:
            safe = min(safe, self._find_even(search, number, most, safe))
        for _ in range(_SAFE_ROUNDS):
            found = self.find(safe)
            if not found.pays:
                return safe
            # what is netted grows from minus the gas, ever more slowly
            safe = int(safe * _SAFE_PART * found.gas_cost / (found.net + found.gas_cost))
        return 0

    def _find_even(self, search: Search, number: int, most: int, least: int) -> int:
        """Return the victim's loss under the largest attack on one target that just does not pay, or
        ``most``; anything from ``least`` on where it is at least that."""
        gas = self.attacker.gas.cost(get_attack_gas([self.victim.targets[number].pool.kind]))
        needed = gas / (1 - self.attacker.bribe_bps / BPS) if self.attacker.bribe_bps < BPS else inf
        points = search.scan(number, most)
        first = next((place for place, point in enumerate(points) if point.gain > needed), None)
        if first is None:
            return most
        even, paying = points[first - 1], points[first]
        while even.loss < least and paying.amount - even.amount > even.amount >> _EVEN_BITS:
            part = (needed - even.gain) / (paying.gain - even.gain)
            part = min(max(part, _EVEN_PART), 1 - _EVEN_PART)
            amount = even.amount + max(1, int((paying.amount - even.amount) * part))
            middle = search.try_one(number, amount)
            if middle is None or amount >= paying.amount:
                break
            if middle.gain > needed:
                paying = middle
            else:
                even = middle
        return max(0, int(even.loss))  # fast trials may tell units less than nothing

    def _find_amounts(self, slack: int, numbers: Sequence[int]) -> tuple[int, ...]:
        """Return the best front-runs of some targets within the capital. Where that is too little, it gets
        a price; what is best just above and just below it is mixed to take all of it."""
        amounts = self._make_search().find_amounts(slack, numbers)
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
        """Return the attack in exact integers, cut by what the fast trials were too kind."""
        search, allowed = self._make_search(), slack
        for _ in range(_CUTS):
            played = self._exact.play(amounts)
            if played is None:
                break
            if played.loss <= slack:
                return self._weigh(played)
            allowed -= 2 * (played.loss - slack)
            amounts = search.tighten(amounts, max(0, allowed))
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

    def _list_gains(self, amounts: tuple[int, ...]) -> list[float]:
        trial = self._trials.run(amounts)
        gains = trial.gains if trial else (0,) * len(amounts)
        return [float(gain * target.value) for gain, target in zip(gains, self.victim.targets, strict=True)]
