"""The swaps around and of a victim in one pool, told from the untouched pool: for searches.

Within a few base units of what the pool's contract does, and tens of times faster than its exact swaps;
what a search finds is played again in exact integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from onchain_exec.core import Exact
from onchain_exec.core.fixed_point import PIPS
from onchain_exec.risk.exposure.victim import NotRunError, Target
from onchain_exec.venues import Pool
from onchain_exec.venues.concentrated import ConcentratedPool
from onchain_exec.venues.pool import sells_token0
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool


class RoundTrip(Protocol):
    """One pool in the victim's direction. States are the pool's after swaps so far, with what the attacker
    bought; they are hashable and never change. A pool that refuses raises PoolRevertError."""

    def begin(self, before: int) -> Any:
        """Return the state after the attacker put in ``before`` base units of token_in."""
        ...

    def swap(self, state: Any, amount: int) -> tuple[int, Any]:
        """Return the other amount of the victim's swap of ``amount``, which is on the side that its order
        fixes, and the state after it."""
        ...

    def end(self, state: Any) -> int:
        """Return what the attacker gets for all that he bought."""
        ...


def make_round_trip(target: Target, exact: Exact) -> RoundTrip:
    """Return the fastest that the kind of pool has."""
    if type(target.pool) is UniswapV2Pool:
        return _PairTrip(target.pool, target, exact)
    if isinstance(target.pool, ConcentratedPool):
        return _CurveTrip(target.pool, target, exact)
    return _PoolTrip(target, exact)


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

    def begin(self, before: int) -> _Reserves:
        reserve_in, reserve_out = self._reserves
        bought = self._sell(before, reserve_in, reserve_out)
        return _Reserves(reserve_in + before, reserve_out - bought, bought)

    def swap(self, state: _Reserves, amount: int) -> tuple[int, _Reserves]:
        reserve_in, reserve_out, bought = state
        if self._exact is Exact.IN:
            other = self._sell(amount, reserve_in, reserve_out)
            return other, _Reserves(reserve_in + amount, reserve_out - other, bought)
        if amount >= reserve_out:
            raise NotRunError
        other = reserve_in * amount * PIPS // ((reserve_out - amount) * self._keep_pips) + 1
        return other, _Reserves(reserve_in + other, reserve_out - amount, bought)

    def end(self, state: _Reserves) -> int:
        return self._sell(state.bought, state.reserve_out, state.reserve_in)

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

    def begin(self, before: int) -> _Totals:
        bought = self._sell(before) if before else 0
        return _Totals(before, bought, bought)

    def swap(self, state: _Totals, amount: int) -> tuple[int, _Totals]:
        total_in, total_out, bought = state
        if self._exact is Exact.IN:
            after = _Totals(total_in + amount, self._sell(total_in + amount), bought)
            return after.total_out - total_out, after
        after = _Totals(self._buy(total_out + amount), total_out + amount, bought)
        return after.total_in - total_in, after

    def end(self, state: _Totals) -> int:
        total_in, total_out, bought = state
        left_out = total_out - bought * self._kept_back_pips // PIPS
        return (total_in - (self._buy(left_out) if left_out > 0 else 0)) * self._kept_pips // PIPS


class _Met:
    """A pool as it was met: told from others by its identity, as comparing pools takes long."""

    __slots__ = ("bought", "pool")

    def __init__(self, pool: Pool, bought: int) -> None:
        self.pool, self.bought = pool, bought


class _PoolTrip:
    """Any pool, by its exact swaps."""

    def __init__(self, target: Target, exact: Exact) -> None:
        self._pool, self._pair, self._exact = target.pool, (target.token_in, target.token_out), exact

    def begin(self, before: int) -> _Met:
        if not before:
            return _Met(self._pool, 0)
        done = self._pool.swap(*self._pair, before, Exact.IN)
        return _Met(done.pool_after, done.amount_out)

    def swap(self, state: _Met, amount: int) -> tuple[int, _Met]:
        done = state.pool.swap(*self._pair, amount, self._exact)
        other = done.amount_out if self._exact is Exact.IN else done.amount_in
        return other, _Met(done.pool_after, state.bought)

    def end(self, state: _Met) -> int:
        return state.pool.quote(*self._pair[::-1], state.bought, Exact.IN) if state.bought else 0
