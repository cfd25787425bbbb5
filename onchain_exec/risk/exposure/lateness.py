"""What a block of delay costs: how far the price goes, and how often it goes past a bound."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, expm1, floor, sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Volatility:
    """How a pair's price moves from block to block: a geometric random walk.

    ``per_block`` is the standard deviation of the logarithm of the price over one block, ``drift_per_block``
    its mean, positive where token_out grows dearer, and ``blocks`` how many blocks of history told it.
    """

    per_block: float
    drift_per_block: float = 0.0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class Lateness:
    """The price of having ``amount`` (base units, of the token whose amount the market decides) decided
    some blocks later than quoted."""

    amount: int
    volatility: Volatility

    def get_markout(self, blocks: int) -> int:
        """Return what the order is expected to lose to the drift of the price, rounded down: negative
        where it gains."""
        return floor(-self.amount * expm1(-self.volatility.drift_per_block * blocks))

    def get_adverse(self, blocks: int) -> int:
        """Return what it loses on average to moves against it, those for it counted as nothing: what is
        earned by whoever may choose whether to fill it. The mean of the positive part of a normal move,
        rounded up."""
        mean, deviation = self._move(blocks)
        if not deviation:
            return ceil(self.amount * max(0.0, mean))
        score = mean / deviation
        return ceil(self.amount * (deviation * _NORMAL.pdf(score) + mean * _NORMAL.cdf(score)))

    def get_passing_chance(self, slack: int, blocks: int) -> float:
        """Return how probable a move against the order by more than ``slack`` base units is."""
        mean, deviation = self._move(blocks)
        share = slack / self.amount if self.amount else 0.0
        if not deviation:
            return float(mean > share)
        return 1 - _NORMAL.cdf((share - mean) / deviation)

    def get_slack(self, chance: float, blocks: int) -> int:
        """Return what a move against the order exceeds with just ``chance`` (above 0, below 1), rounded
        up, at least 0 and at most the amount."""
        mean, deviation = self._move(blocks)
        share = mean + deviation * _NORMAL.inv_cdf(1 - chance)
        return min(self.amount, max(0, ceil(self.amount * share)))

    def _move(self, blocks: int) -> tuple[float, float]:
        return self.volatility.drift_per_block * blocks, self.volatility.per_block * sqrt(blocks)
