"""What a search takes and returns: terms, the price of gas, legs in exact integers at one block."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from onchain_exec.core import BlockRef, Exact, Token
from onchain_exec.venues import Hop, Leg


class Terms(Protocol):
    """What a search needs of an order; `Order` has it, `Swap` is no more than it."""

    @property
    def token_in(self) -> Token: ...

    @property
    def token_out(self) -> Token: ...

    @property
    def amount(self) -> int: ...

    @property
    def exact(self) -> Exact: ...


@dataclass(frozen=True, slots=True)
class Swap:
    """Terms without a trader. ``amount`` is base units of the token that ``exact`` names."""

    token_in: Token
    token_out: Token
    amount: int
    exact: Exact = Exact.IN


@dataclass(frozen=True, slots=True)
class GasModel:
    """What gas costs in terms of the route: ``price_wei`` per unit of gas, and the price of wei.

    ``token_per_wei`` is base units of the priced token (token_out for Exact.IN, token_in for
    Exact.OUT) per wei, as a float: it steers the search and never enters an amount that is traded.
    Zero prices gas at nothing.
    """

    price_wei: int = 0
    token_per_wei: float = 0.0

    def cost(self, gas_units: int) -> int:
        """Return the worth of ``gas_units`` in base units of the priced token, rounded down."""
        return int(gas_units * self.price_wei * Fraction(self.token_per_wei))


@dataclass(frozen=True, slots=True)
class Route:
    """How an order is filled: ``legs`` run in their order, later legs meeting the pools as earlier
    ones left them. All amounts are base units recomputed by the pools' exact arithmetic.

    ``best_single_amount`` is what the best single leg alone would give (Exact.IN, amount_out) or
    take (Exact.OUT, amount_in), or None if no single leg can fill the order; best means after gas.
    ``gas_units`` is the search's estimate of the swap's gas; the limit that is sent comes from
    simulation.
    """

    block: BlockRef
    token_in: Token
    token_out: Token
    exact: Exact
    amount_in: int
    amount_out: int
    legs: tuple[Leg, ...]
    best_single_amount: int | None
    gas_units: int

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Every swap in the order it runs."""
        return tuple(hop for leg in self.legs for hop in leg.hops)
