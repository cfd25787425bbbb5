"""Means over time: of a v3 pool's ticks and of a feed's prices, at any time from the read block on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from onchain_exec.core.fixed_point import WAD, mul_div_down
from onchain_exec.errors import PoolRevertError, StaleStateError


@dataclass(frozen=True, slots=True)
class TickHistory:
    """A v3 pool's observations, oldest first: the newest of its ring of ``capacity``, or all.

    Each is (time, sum of tick times seconds until then). What comes after the newest goes on at the
    pool's tick.
    """

    observations: tuple[tuple[int, int], ...]
    capacity: int

    def get_cumulative(self, at: int, tick: int) -> int:
        """Return the sum of tick times seconds until ``at``. Mirror of v3 ``Oracle.observeSingle``.

        Raises:
            PoolRevertError: ``OLD``, ``at`` is before the oldest observation.
        """
        index = bisect_right(self.observations, at, key=_time) - 1
        if index < 0:
            raise PoolRevertError(
                "OLD",
                found=f"the pool's oldest observation is {self.observations[0][0] - at} s too young",
                needed="one from before the mean's interval",
                todo="Wait, or have its cardinality grown",
            )
        time, cumulative = self.observations[index]
        if index + 1 < len(self.observations):
            later, later_cumulative = self.observations[index + 1]
            tick = (later_cumulative - cumulative) // (later - time)  # exact: it stood at one tick
        return cumulative + tick * (at - time)

    def write(self, at: int, tick: int) -> TickHistory:
        """Return the history after the pool wrote down ``tick`` at ``at``. Mirror of ``Oracle.write``."""
        if self.observations[-1][0] == at:
            return self
        observed = (*self.observations, (at, self.get_cumulative(at, tick)))
        return replace(self, observations=observed[-self.capacity :])


@dataclass(frozen=True, slots=True)
class PriceRound:
    """An observation of a feed: its price from ``at`` on, and the sum of price times seconds before."""

    price: int
    cumulative: int
    at: int


@dataclass(frozen=True, slots=True)
class PriceFeed:
    """A Chainlink feed with its mean over time. Mirror of ``ChainlinkPriceFeedV3`` and ``CumulativeTwap``.

    ``price`` (in ``decimals``) is the newest valid answer, of ``updated_at``. ``rounds`` are the
    observations, oldest first, the newest of 1,800 or all. Older than ``timeout_s`` it is stale.
    """

    price: int
    updated_at: int
    decimals: int
    timeout_s: int
    rounds: tuple[PriceRound, ...]

    def get_price(self, interval_s: int, at: int) -> int:
        """Return the newest price, or its mean over the interval before ``at``. Mirror of ``getPrice``."""
        return self._get_mean(interval_s, at) or self.price if interval_s else self.price

    def get_price_wad(self, interval_s: int, at: int) -> int:
        """Return `get_price` in 1e18. Mirror of ``PriceFeedDispatcher.getDispatchedPrice``."""
        return mul_div_down(self.get_price(interval_s, at), WAD, 10**self.decimals)

    def require_fresh(self, at: int) -> None:
        """Refuse a price that has timed out; the contracts go on with it as if it were new.

        Raises:
            StaleStateError: it is older than ``timeout_s`` at ``at``.
        """
        age_s = at - self.updated_at
        if age_s > self.timeout_s:
            raise StaleStateError(
                f"the index price is {age_s} s old",
                needed=f"{self.timeout_s} s at most",
                todo="Wait for the feed's next round",
            )

    def cache(self) -> PriceFeed:
        """Return the feed with its newest price among the rounds. Mirror of ``CumulativeTwap._update``.

        A price that cannot be taken in leaves the feed as it was: ``Exchange.settleFunding`` catches.
        """
        last = self.rounds[-1] if self.rounds else None
        if last is None:
            return replace(self, rounds=(PriceRound(self.price, 0, self.updated_at),))
        if self.updated_at <= last.at or self.price == last.price:
            return self
        cumulative = last.cumulative + last.price * (self.updated_at - last.at)
        return replace(self, rounds=(*self.rounds, PriceRound(self.price, cumulative, self.updated_at)))

    def with_price(self, price: int, at: int) -> PriceFeed:
        """Return the feed after another answer, for a what-if."""
        return replace(self, price=price, updated_at=at)

    def _get_mean(self, interval_s: int, at: int) -> int:
        """Return the mean rounded down, or 0 where the rounds do not reach back so far. Mirror of
        ``CumulativeTwap._calculateTwap``."""
        if not self.rounds:
            return 0
        last, target = self.rounds[-1], at - interval_s
        self._require_taken_once(last)
        reached = last.cumulative + last.price * (self.updated_at - last.at)
        reached += self.price * (at - self.updated_at)
        if target >= last.at:
            return (reached - last.cumulative - last.price * (target - last.at)) // interval_s
        index = bisect_right(self.rounds, target, key=_at) - 1
        if index < 0:
            return 0
        before, after = self.rounds[index], self.rounds[index + 1]
        grown = (after.cumulative - before.cumulative) * (target - before.at) // (after.at - before.at)
        return (reached - before.cumulative - grown) // interval_s

    def _require_taken_once(self, last: PriceRound) -> None:
        if last.at > self.updated_at:
            raise PoolRevertError("SafeMath: subtraction overflow", found="the feed went back in time")
        if last.at == self.updated_at and last.price != self.price:
            raise PoolRevertError("CT_IPWCT", found=f"two prices at {last.at}: {last.price}, {self.price}")


def _time(observation: tuple[int, int]) -> int:
    return observation[0]


def _at(found: PriceRound) -> int:
    return found.at
