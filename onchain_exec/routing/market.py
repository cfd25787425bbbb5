"""Exact swaps one after the other, each meeting the pools as the ones before left them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from onchain_exec.core import Address, Exact, Token
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.gas import ROUTE_GAS, TICK_GAS, hop_gas
from onchain_exec.routing.route import GasModel
from onchain_exec.routing.settlement.flow import Flow
from onchain_exec.venues import Hop, Leg, Pool, SwapResult


@dataclass(frozen=True)
class Settlement:
    """Legs in exact base units, in the order they run, the gas they are expected to take, and the
    initialised ticks that are crossed in pools, by their keys."""

    legs: tuple[Leg, ...]
    gas_units: int
    ticks: Mapping[str, int]

    @cached_property
    def _left(self) -> Counter[Address]:
        """What all legs give of each token beyond what they take."""
        left = Counter[Address]()
        for leg in self.legs:
            first, last = leg.hops[0], leg.hops[-1]
            left[first.token_in.address] -= first.amount_in
            left[last.token_out.address] += last.amount_out
        return left

    @property
    def hop_count(self) -> int:
        """How many swaps the legs are."""
        return sum(len(leg.hops) for leg in self.legs)

    def bought(self, token: Token) -> int:
        """What all legs give of ``token`` beyond what they take."""
        return self._left[token.address]


def get_worth(settled: Settlement, basket: Basket, gas: GasModel) -> int:
    """Return what is bought of the token that the search maximises, or saved of it, after gas."""
    return settled.bought(basket.priced) - gas.cost(settled.gas_units, settled.hop_count)


class RefusedError(Exception):
    """A pool would revert on a flow; it never leaves this package."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        super().__init__(flow.pool.key)


class Market:
    """The pools as the swaps so far have left them; swaps of one `Exact` side.

    Flows through one pool hold the same object, as those of one search do.
    """

    def __init__(self, exact: Exact) -> None:
        self._exact = exact
        self._done: dict[int, SwapResult] = {}
        self.gas_units = ROUTE_GAS
        self.ticks: Counter[str] = Counter()

    @property
    def changed(self) -> tuple[Pool, ...]:
        """The pools that swaps so far have changed, as they now are."""
        return tuple(done.pool_after for done in self._done.values())

    def fork(self) -> Market:
        """Return a market in the same state, which then goes its own way."""
        other = Market(self._exact)
        other._done, other.gas_units, other.ticks = dict(self._done), self.gas_units, Counter(self.ticks)
        return other

    def swap(self, flow: Flow, amount: int) -> Hop:
        """Run the flow's swap of ``amount`` exact units; raises RefusedError."""
        pool, token_in, token_out = flow[:3]
        met = self._meet(pool)
        try:
            done = met.swap(token_in, token_out, amount, self._exact)
        except (PoolRevertError, StaleStateError) as error:
            raise RefusedError(flow) from error
        self._done[id(pool)] = done
        self.gas_units += hop_gas(met.kind)
        if done.ticks_crossed:
            self.gas_units += TICK_GAS * done.ticks_crossed
            self.ticks[pool.key] += done.ticks_crossed
        return Hop(met, token_in, token_out, done.amount_in, done.amount_out, done.fee_amount)

    def quote_other(self, flow: Flow, amount: int) -> int:
        """Return what the flow's swap with the other side fixed to ``amount`` has on this side."""
        met = self._meet(flow.pool)
        other = Exact.OUT if self._exact is Exact.IN else Exact.IN
        try:
            return met.quote(flow.token_in, flow.token_out, amount, other)
        except (PoolRevertError, StaleStateError) as error:
            raise RefusedError(flow) from error

    def _meet(self, pool: Pool) -> Pool:
        """Return the pool as the last swap through it has left it."""
        done = self._done.get(id(pool))
        return pool if done is None else done.pool_after


def divide(amount: int, share: float) -> int:
    """Return a share in 0..1 of an integer amount, rounded down, the same on every machine."""
    return amount * int(share * (1 << 53)) >> 53
