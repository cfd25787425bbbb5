"""How fast an endpoint answers, and how fast it may be asked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import Final

_WEIGHT: Final = 0.2
"""Of the newest answer in the moving average: about ten answers remember a slow one."""

_KEPT: Final = 256
"""Enough that one stall in a hundred answers is seldom out of sight."""


class Latency:
    """Of the answers so far, in seconds."""

    def __init__(self) -> None:
        self.mean_s = 0.0
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []

    def __bool__(self) -> bool:
        return bool(self._recent)

    def add(self, seconds: float) -> None:
        """Count one answer in."""
        self.mean_s += (seconds - self.mean_s) * (_WEIGHT if self else 1.0)
        if len(self._recent) == _KEPT:
            del self._ordered[bisect_left(self._ordered, self._recent.popleft())]
        self._recent.append(seconds)
        insort(self._ordered, seconds)

    def get_quantile(self, share: float) -> float:
        """Return the time within which this share of the recent answers came. There must be one."""
        return self._ordered[min(int(share * len(self._ordered)), len(self._ordered) - 1)]

    def get_share_over(self, seconds: float) -> float:
        """Return which share of the recent answers took longer. There must be one."""
        return 1 - bisect_right(self._ordered, seconds) / len(self._ordered)


class TokenBucket:
    """A limit of requests per second, with one second's worth at once. Without a rate, none."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._full_at = float("-inf")

    def take(self, count: int, now: float) -> float:
        """Take ``count`` requests and return in how many seconds they may start."""
        if self._per_second is None:
            return 0.0
        wait = self.get_wait(count, now)
        self._full_at = max(self._full_at, now) + count / self._per_second
        return wait

    def get_wait(self, count: int, now: float) -> float:
        """Return what `take` would, and take nothing. More than a second's worth waits for a full bucket."""
        if self._per_second is None:
            return 0.0
        return max(self._full_at - now + min(count / self._per_second, 1.0) - 1.0, 0.0)
