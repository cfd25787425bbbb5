"""Which call meets which fault."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

from onchain_exec.errors import ConfigError
from onchain_exec.testing.lying_node.exchange import Call
from onchain_exec.testing.lying_node.faults import Fault


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault and the calls that meet it.

    ``method`` is a pattern (``eth_get*``). Of the calls that match it and for which ``when`` is true,
    ``nth`` selects one alone (1 is the first), ``probability`` each at random, and after ``times``
    were selected the rule is spent. Without these every one is selected, until the rule is cleared.
    """

    fault: Fault
    method: str = "*"
    nth: int | None = None
    times: int | None = None
    probability: float = 1.0
    when: Callable[[Call], bool] | None = None

    def __post_init__(self) -> None:
        counted = [count for count in (self.nth, self.times) if count is not None]
        if not 0 <= self.probability <= 1 or min(counted, default=1) < 1:
            raise ConfigError(
                f"a rule with nth={self.nth}, times={self.times}, probability={self.probability}",
                needed="nth and times from 1, a probability from 0 to 1",
            )


class Rules:
    """The rules in force. Each draws its chances from the seed and its own number, so that what one
    rule selects does not depend on what others saw."""

    def __init__(self, seed: int) -> None:
        self._seed, self._made = seed, 0
        self._live: tuple[_LiveRule, ...] = ()

    def add(self, rule: Rule) -> Rule:
        """Put a rule into force, after those there are."""
        self._made += 1
        self._live = (*self._live, _LiveRule(rule, random.Random(f"{self._seed}/{self._made}")))  # noqa: S311
        return rule

    def clear(self, rule: Rule | None = None) -> None:
        """Take this very rule out of force, or all."""
        self._live = tuple(live for live in self._live if rule is not None and live.rule is not rule)

    @contextmanager
    def during(self, rule: Rule) -> Iterator[Rule]:
        """Keep a rule in force inside a ``with`` block."""
        try:
            yield self.add(rule)
        finally:
            self.clear(rule)

    def select(self, call: Call) -> tuple[Fault, ...]:
        """Return the faults that this call meets, the outermost first."""
        return tuple(live.rule.fault for live in self._live if live.selects(call))


class _LiveRule:
    """A rule and what it has seen."""

    def __init__(self, rule: Rule, chance: random.Random) -> None:
        self.rule, self._chance = rule, chance
        self._seen = self._selected = 0

    def selects(self, call: Call) -> bool:
        rule = self.rule
        if not fnmatchcase(call.method, rule.method) or (rule.when and not rule.when(call)):
            return False
        self._seen += 1
        drawn = self._chance.random()
        spent = rule.times is not None and self._selected >= rule.times
        if spent or rule.nth not in (None, self._seen) or drawn >= rule.probability:
            return False
        self._selected += 1
        return True
