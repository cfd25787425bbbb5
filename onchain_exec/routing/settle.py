"""From shares to exact integers: run paths through the pools in order, state after state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain_exec.core import Exact, Token
from onchain_exec.routing.gas import ROUTE_GAS, TICK_GAS, hop_gas
from onchain_exec.routing.paths import Path
from onchain_exec.venues import Hop, Leg, Pool


@dataclass(frozen=True, slots=True)
class Settlement:
    """Legs in exact base units, and the gas they are expected to take."""

    legs: tuple[Leg, ...]
    gas_units: int

    @property
    def amount_in(self) -> int:
        """What all legs take."""
        return sum(leg.amount_in for leg in self.legs)

    @property
    def amount_out(self) -> int:
        """What all legs give."""
        return sum(leg.amount_out for leg in self.legs)


class _Market:
    """The pools as the swaps so far have left them."""

    def __init__(self) -> None:
        self._after: dict[str, Pool] = {}
        self.gas_units = ROUTE_GAS

    def swap(self, pool: Pool, sides: tuple[Token, Token], amount: int, exact: Exact) -> Hop:
        met = self._after.get(pool.key, pool)
        done = met.swap(*sides, amount, exact)
        self._after[pool.key] = done.pool_after
        self.gas_units += hop_gas(pool.kind) + TICK_GAS * done.ticks_crossed
        return Hop(met, *sides, done.amount_in, done.amount_out, done.fee_amount)


def settle(paths: Sequence[Path], amounts: Sequence[int], exact: Exact) -> Settlement:
    """Return the legs that push ``amounts`` through ``paths`` in order, zero amounts left out.

    A pool that several legs use is met by each as the legs before left it. Exact.OUT computes each
    leg backwards from what it has to give.

    Raises:
        PoolRevertError: a pool would revert on what reaches it.
    """
    market = _Market()
    legs = tuple(
        _run(market, path, amount, exact) for path, amount in zip(paths, amounts, strict=True) if amount
    )
    return Settlement(legs, market.gas_units)


def _run(market: _Market, path: Path, amount: int, exact: Exact) -> Leg:
    steps = list(zip(path.pools, zip(path.tokens, path.tokens[1:], strict=False), strict=True))
    hops: list[Hop] = []
    for pool, sides in steps if exact is Exact.IN else reversed(steps):
        hops.append(market.swap(pool, sides, amount, exact))
        amount = hops[-1].amount_out if exact is Exact.IN else hops[-1].amount_in
    return Leg(tuple(hops if exact is Exact.IN else reversed(hops)))
