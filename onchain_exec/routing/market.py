"""Exact swaps one after the other, each meeting the pools as the ones before left them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from onchain_exec.core import Address, Exact, Token
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.gas import ROUTE_GAS, TICK_GAS, hop_gas
from onchain_exec.routing.route import GasModel
from onchain_exec.routing.settlement.flow import Flow
from onchain_exec.venues import Hop, Leg, Pool, SwapResult

SHARE_BITS: Final = 53
"""Shares of an amount are integers out of two to this power: a float has no more digits."""


@dataclass(frozen=True)
class Settlement:
    """Legs in exact base units, in the order they run, the gas they are expected to take, the initialised
    ticks that are crossed in pools, by their keys, and what all legs give of tokens beyond what they take."""

    legs: tuple[Leg, ...]
    gas_units: int
    ticks: Mapping[str, int]
    left: Mapping[Address, int]

    @cached_property
    def hop_count(self) -> int:
        """How many swaps the legs are."""
        return sum(len(leg.hops) for leg in self.legs)

    def bought(self, token: Token) -> int:
        """What all legs give of ``token`` beyond what they take."""
        return self.left.get(token.address, 0)


def get_worth(settled: Settlement, basket: Basket, gas: GasModel) -> int:
    """Return what is bought of the token that the search maximises, or saved of it, after gas."""
    return settled.bought(basket.priced) - gas.cost(settled.gas_units, settled.hop_count)


class RefusedError(Exception):
    """A pool would revert on a flow; it never leaves this package."""

    def __init__(self, pool: Pool, edge: int) -> None:
        self.edge = edge
        super().__init__(pool.key)


Part: TypeAlias = tuple[int, Pool, Token, Token, int]
"""An exact amount of a flow, then the flow's pool, tokens and edge."""


class Market:
    """The pools as the swaps so far have left them, and what these have ``left`` of each token: given
    beyond what they took. Swaps of one `Exact` side.

    Flows through one pool hold the same object, as those of one search do.
    """

    def __init__(self, exact: Exact) -> None:
        self._exact = exact
        self._done: dict[int, SwapResult] = {}
        self.gas_units = ROUTE_GAS
        self.ticks: Counter[str] = Counter()
        self.left = defaultdict[Address, int](int)

    @property
    def changed(self) -> tuple[Pool, ...]:
        """The pools that swaps so far have changed, as they now are."""
        return tuple(done.pool_after for done in self._done.values())

    def fork(self) -> Market:
        """Return a market in the same state, which then goes its own way."""
        other = Market(self._exact)
        other._done, other.gas_units = dict(self._done), self.gas_units
        other.ticks, other.left = self.ticks.copy(), self.left.copy()
        return other

    def settle(self, legs: Sequence[Leg]) -> Settlement:
        """Return the swaps so far, which are those of ``legs``."""
        return Settlement(tuple(legs), self.gas_units, self.ticks, self.left)

    def swap(self, flow: Flow, amount: int) -> Hop:
        """Run the flow's swap of ``amount`` exact units; raises RefusedError."""
        return self.swap_all([(amount, flow.pool, flow.token_in, flow.token_out, flow.edge)])[0]

    def swap_all(self, parts: Iterable[Part], *, last: bool = False) -> list[Hop]:
        """Run the swaps of exact units each, in their order; raises RefusedError. ``last`` promises that no
        later one meets their pools: what these are afterwards is not kept, as memory costs more than a swap.
        """
        exact, known, left = self._exact, self._done, self.left
        hops, gas_units = list[Hop](), 0
        for amount, pool, token_in, token_out, edge in parts:
            place = id(pool)
            if place in known:
                pool = known[place].pool_after  # noqa: PLW2901
            try:
                done = pool.swap(token_in, token_out, amount, exact)
            except (PoolRevertError, StaleStateError) as error:
                raise RefusedError(pool, edge) from error
            if not last:
                known[place] = done
            amount_in, amount_out = done.amount_in, done.amount_out
            left[token_in.address] -= amount_in
            left[token_out.address] += amount_out
            gas_units += hop_gas(pool.kind)
            if done.ticks_crossed:
                gas_units += TICK_GAS * done.ticks_crossed
                self.ticks[pool.key] += done.ticks_crossed
            hops.append(Hop(pool, token_in, token_out, amount_in, amount_out, done.fee_amount))
        self.gas_units += gas_units
        return hops

    def run(self, chain: Sequence[Flow], amount: int) -> Leg:
        """Run flows each of which takes what the one before it gave, with ``amount`` exact units on the side
        of the chain that is fixed; raises RefusedError."""
        forwards = self._exact is Exact.IN
        hops: list[Hop] = []
        for flow in chain if forwards else reversed(chain):
            hops.append(self.swap(flow, amount))
            amount = hops[-1].amount_out if forwards else hops[-1].amount_in
        return Leg(tuple(hops if forwards else reversed(hops)))

    def quote_other(self, flow: Flow, amount: int) -> int:
        """Return what the flow's swap with the other side fixed to ``amount`` has on this side."""
        met = self._meet(flow.pool)
        other = Exact.OUT if self._exact is Exact.IN else Exact.IN
        try:
            return met.quote(flow.token_in, flow.token_out, amount, other)
        except (PoolRevertError, StaleStateError) as error:
            raise RefusedError(met, flow.edge) from error

    def _meet(self, pool: Pool) -> Pool:
        """Return the pool as the last swap through it has left it."""
        done = self._done.get(id(pool))
        return pool if done is None else done.pool_after


def divide(amount: int, share: float) -> int:
    """Return a share in 0..1 of an integer amount, rounded down, the same on every machine."""
    return amount * int(share * (1 << SHARE_BITS)) >> SHARE_BITS
