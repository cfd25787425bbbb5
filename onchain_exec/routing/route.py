"""What a search takes and returns: terms, the price of gas, legs in exact integers at one block."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Protocol

from onchain_exec.core import BlockRef, Exact, Token, format_swap
from onchain_exec.core.fixed_point import BPS
from onchain_exec.routing.proof import Proof
from onchain_exec.venues import Hop, Leg, Pool

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    Zero prices gas at nothing. ``hop_data_wei`` is what a rollup takes beside for the calldata of each
    hop; what it takes for the rest of the transaction is the same for every route.
    """

    price_wei: int = 0
    token_per_wei: float = 0.0
    hop_data_wei: int = 0

    def cost_wei(self, gas_units: int, hops: int = 0) -> int:
        """Return what ``gas_units`` and the calldata of ``hops`` take."""
        return gas_units * self.price_wei + hops * self.hop_data_wei

    def cost(self, gas_units: int, hops: int = 0) -> int:
        """Return `cost_wei` in base units of the priced token, rounded down."""
        cost_wei = self.cost_wei(gas_units, hops)
        return int(cost_wei * Fraction(self.token_per_wei)) if cost_wei else 0


class Shape(enum.Enum):
    """What an executor can run."""

    PATHS = "paths"
    """Whole paths from token_in to token_out, one after the other."""

    GRAPH = "graph"
    """Hops that split and merge flows on the way: one swap per pool, and so less gas."""


@dataclass(frozen=True, slots=True)
class Options:
    """How far a search goes.

    ``max_hops`` bounds the hops of a path. ``cycles`` lets flows return to a token they left, which
    mixes arbitrage into the swap (Exact.IN only). ``time_limit_ms`` bounds the proof that no other
    choice of pools saves gas, on ``clock`` (seconds, monotonic); the best found by then is returned
    with its gap. ``proof`` asks for what proves the bound where gas counts (`Certificate.proof`): it may be
    many times as long as the route.
    """

    max_hops: int = 3
    shape: Shape = Shape.PATHS
    cycles: bool = False
    time_limit_ms: int | None = None
    clock: Callable[[], float] | None = None
    proof: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Pools (by key) that the certificate says nothing about, and why."""

    pools: tuple[str, ...]
    reason: str


FIXED: Final = "a fixed rate: in swaps without cycles only"


def exclude(pools: Sequence[Pool], reason: str) -> tuple[Exclusion, ...]:
    """Return the exclusion of ``pools``, or none without any."""
    return (Exclusion(tuple(pool.key for pool in pools), reason),) if pools else ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why no route over these pools is better that does not go round, unless cycles were asked for.

    ``bound`` is base units: with Exact.IN no route that pays the same gas gives more, with Exact.OUT
    none takes less; a route that pays other gas may differ from it by the difference's worth.
    ``prices`` prove it: base units of the priced token (token_out for Exact.IN, token_in for
    Exact.OUT) per base unit of each token. Anyone can check: at these prices the most profitable
    trades of all pools, each less its gas, and the order are worth no more. With gas the bound may
    be tighter than that: a route pays for all pools of some way, a pool can share the gas of those that
    it is of no use without, and the bound is the highest of the cases into which the search split the
    choice of pools. ``proof`` says all that, so that it can be checked: ``bound`` (negative for Exact.OUT) is
    `Proof.worth` rounded down and the gas of the route's swaps and ticks rounded up. It is None without gas,
    and unless `Options.proof` asks for it.
    """

    bound: int
    prices: Mapping[Token, float]
    excluded: tuple[Exclusion, ...]
    proof: Proof | None = None


class Proven(ABC):
    """What a search found, and how far from the best it may be."""

    __slots__ = ()

    exact: Exact
    legs: tuple[Leg, ...]
    certificate: Certificate

    @property
    @abstractmethod
    def searched_amount(self) -> int:
        """What the search made as much of as it could (Exact.IN), or as little (Exact.OUT)."""

    @property
    def bound(self) -> int:
        """The certificate's bound on `searched_amount`."""
        return self.certificate.bound

    @property
    def gap_bps(self) -> float:
        """How far the route may be from the best one, in 1e-4 of the bound; at least 0."""
        found, bound = self.searched_amount, self.bound
        short = bound - found if self.exact is Exact.IN else found - bound
        return short / bound * BPS if bound else 0.0

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Every swap in the order it runs."""
        return tuple(hop for leg in self.legs for hop in leg.hops)


@dataclass(frozen=True, slots=True)
class Route(Proven):
    """How an order is filled: ``legs`` run in their order, later legs meeting the pools as earlier
    ones left them. All amounts are base units recomputed by the pools' exact arithmetic.

    A leg is a chain of hops from token_in to token_out; with `Shape.GRAPH` it may start or end at a
    token in between, and then takes what the legs before it gave. ``best_single_amount`` is what the
    best single path alone would give (Exact.IN, amount_out) or take (Exact.OUT, amount_in), or None
    if no single path can fill the order; best means after gas. ``gas_units`` is the search's
    estimate of the swap's gas; the limit that is sent comes from simulation.
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
    certificate: Certificate

    @property
    def priced(self) -> Token:
        """The token whose amount the market decides: token_out for Exact.IN, token_in for Exact.OUT."""
        return self.token_out if self.exact is Exact.IN else self.token_in

    @property
    def searched_amount(self) -> int:
        """amount_out for Exact.IN, amount_in for Exact.OUT."""
        return self.amount_out if self.exact is Exact.IN else self.amount_in

    def __str__(self) -> str:
        """The route in a line, for people."""
        return (
            f"{format_swap(self.amount_in, self.token_in, self.amount_out, self.token_out)} at {self.block}: "
            f"{len(self.hops)} hops in {len(self.legs)} legs, at most {self.gap_bps:.2g} bps from the best"
        )

    def __repr__(self) -> str:
        return f"<Route {self}>"

    def plot(self) -> Figure:
        """Return a picture of the flow, as a matplotlib figure; see `plot_route`.

        Raises:
            MissingToolError: matplotlib is not installed.
        """
        from onchain_exec.routing.plot import plot_route  # noqa: PLC0415 - it needs this module

        return plot_route(self)
