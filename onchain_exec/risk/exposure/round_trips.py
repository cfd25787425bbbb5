"""The swaps around and of a victim in one pool, told from the untouched pool: for searches.

Within a few base units of what the pool's contract does, and tens of times faster than its exact swaps;
what a search finds is played again in exact integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from onchain_exec.core import Exact
from onchain_exec.core.fixed_point import PIPS
from onchain_exec.risk.exposure.victim import NotRunError, Target
from onchain_exec.venues import Pool
from onchain_exec.venues.concentrated import ConcentratedPool
from onchain_exec.venues.pool import sells_token0
from onchain_exec.venues.uniswap_v2.pool import MAX_RESERVE, UniswapV2Pool


class RoundTrip(Protocol):
    """One pool, in the directions in which the victim meets it. States are the pool's after the swaps so
    far, with what the attacker bought; they are hashable and never change. What a pool refuses raises
    PoolRevertError or NotRunError."""

    def begin(self, before: tuple[int, ...]) -> Any:
        """Return the state after the attacker put in ``before``, base units of each direction's token_in."""
        ...

    def swap(self, state: Any, direction: int, amount: int) -> tuple[int, Any]:
        """Return the other amount of the victim's swap of ``amount``, which is on the side that its order
        fixes, and the state after it."""
        ...

    def end(self, state: Any) -> tuple[int, ...]:
        """Return what the attacker gets, in each direction, for all that he bought in it."""
        ...


def make_round_trip(targets: Sequence[Target], exact: Exact) -> RoundTrip:
    """Return the fastest that the pool of all the ``targets`` has."""
    (first, *others), pool = targets, targets[0].pool
    if others:
        return _PoolTrip(targets, exact)
    if type(pool) is UniswapV2Pool:
        return _PairTrip(pool, first, exact)
    if isinstance(pool, ConcentratedPool):
        return _CurveTrip(pool, first, exact)
    return _PoolTrip(targets, exact)


class _Reserves(NamedTuple):
    reserve_in: int
    reserve_out: int
    bought: int


class _PairTrip:
    """x * y = k in closed form."""

    def __init__(self, pool: UniswapV2Pool, target: Target, exact: Exact) -> None:
        self._reserves = pool.reserve0, pool.reserve1
        if not sells_token0(pool, target.token_in, target.token_out):
            self._reserves = pool.reserve1, pool.reserve0
        self._keep_pips, self._exact = PIPS - pool.swap_fee_pips, exact

    def begin(self, before: tuple[int, ...]) -> _Reserves:
        reserve_in, reserve_out = self._reserves
        if reserve_in + before[0] > MAX_RESERVE:
            raise NotRunError
        bought = self._sell(before[0], reserve_in, reserve_out)
        return _Reserves(reserve_in + before[0], reserve_out - bought, bought)

    def swap(self, state: _Reserves, direction: int, amount: int) -> tuple[int, _Reserves]:
        reserve_in, reserve_out, bought = state
        if self._exact is Exact.IN:
            other = self._sell(amount, reserve_in, reserve_out)
            return other, _Reserves(reserve_in + amount, reserve_out - other, bought)
        if amount >= reserve_out:
            raise NotRunError
        other = reserve_in * amount * PIPS // ((reserve_out - amount) * self._keep_pips) + 1
        return other, _Reserves(reserve_in + other, reserve_out - amount, bought)

    def end(self, state: _Reserves) -> tuple[int, ...]:
        return (self._sell(state.bought, state.reserve_out, state.reserve_in),)

    def _sell(self, amount: int, reserve_in: int, reserve_out: int) -> int:
        kept = amount * self._keep_pips
        return kept * reserve_out // (reserve_in * PIPS + kept)


class _Totals(NamedTuple):
    total_in: int
    total_out: int
    bought: int


class _CurveTrip:
    """Fees of a concentrated pool stay outside of its liquidity, so that where a swap ends depends only on
    what it adds to those before it: quotes of the untouched pool tell all."""

    def __init__(self, pool: ConcentratedPool, target: Target, exact: Exact) -> None:
        pair = target.token_in, target.token_out
        self._exact = exact
        self._sell = pool.quoter(*pair, Exact.IN)
        self._buy = pool.quoter(*pair, Exact.OUT)
        self._kept_pips = PIPS - pool.fee_pips(*pair)
        self._kept_back_pips = PIPS - pool.fee_pips(*pair[::-1])

    def begin(self, before: tuple[int, ...]) -> _Totals:
        bought = self._sell(before[0]) if before[0] else 0
        return _Totals(before[0], bought, bought)

    def swap(self, state: _Totals, direction: int, amount: int) -> tuple[int, _Totals]:
        total_in, total_out, bought = state
        if self._exact is Exact.IN:
            after = _Totals(total_in + amount, self._sell(total_in + amount), bought)
            return after.total_out - total_out, after
        after = _Totals(self._buy(total_out + amount), total_out + amount, bought)
        return after.total_in - total_in, after

    def end(self, state: _Totals) -> tuple[int, ...]:
        total_in, total_out, bought = state
        left_out = total_out - bought * self._kept_back_pips // PIPS
        left_in = self._buy(left_out) if left_out > 0 else 0
        return ((total_in - left_in) * self._kept_pips // PIPS,)


class _Met:
    """A pool as it was met: told from others by its identity, as comparing pools takes long."""

    __slots__ = ("bought", "pool")

    def __init__(self, pool: Pool, bought: tuple[int, ...]) -> None:
        self.pool, self.bought = pool, bought


class _PoolTrip:
    """Any pool, by its exact swaps."""

    def __init__(self, targets: Sequence[Target], exact: Exact) -> None:
        self._pool, self._exact = targets[0].pool, exact
        self._pairs = [(target.token_in, target.token_out) for target in targets]

    def begin(self, before: tuple[int, ...]) -> _Met:
        pool, bought = self._pool, [0] * len(before)
        for direction, amount in enumerate(before):
            if amount:
                done = pool.swap(*self._pairs[direction], amount, Exact.IN)
                pool, bought[direction] = done.pool_after, done.amount_out
        return _Met(pool, tuple(bought))

    def swap(self, state: _Met, direction: int, amount: int) -> tuple[int, _Met]:
        done = state.pool.swap(*self._pairs[direction], amount, self._exact)
        other = done.amount_out if self._exact is Exact.IN else done.amount_in
        return other, _Met(done.pool_after, state.bought)

    def end(self, state: _Met) -> tuple[int, ...]:
        pool, backs = state.pool, [0] * len(state.bought)
        for direction in reversed(range(len(backs))):
            if state.bought[direction]:
                done = pool.swap(*self._pairs[direction][::-1], state.bought[direction], Exact.IN)
                pool, backs[direction] = done.pool_after, done.amount_out
        return tuple(backs)
