"""What a search returns: legs in exact integers at one block."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import BlockRef, Exact, Token
from onchain_exec.venues import Leg


@dataclass(frozen=True, slots=True)
class GasModel:
    """What gas costs in terms of the route: ``price_wei`` per unit of gas, and the price of wei.

    ``token_per_wei`` is base units of the priced token (token_out for Exact.IN, token_in for
    Exact.OUT) per wei, as a float: it steers the search and never enters an amount. Zero prices
    gas at nothing.
    """

    price_wei: int = 0
    token_per_wei: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """How an order is filled: ``legs`` run in their order, later legs meeting the pools as earlier
    ones left them. All amounts are base units recomputed by the pools' exact arithmetic.

    ``best_single_amount`` is what the best single leg alone would give (Exact.IN, amount_out) or
    take (Exact.OUT, amount_in), or None if no single leg can fill the order. ``gas_units`` is the
    search's estimate of the swap's gas; the limit that is sent comes from simulation.
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
