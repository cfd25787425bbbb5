"""What every pool model is: immutable, exact to the unit, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple, Protocol, Self, TypeAlias, TypeGuard

from onchain_exec.core import Address, BlockRef, Exact, Log, Token
from onchain_exec.errors import InputError
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.terms import SwapTerms


@dataclass
class SwapResult:
    """One swap in base units. ``fee_amount`` is in ``token_in`` and part of ``amount_in``.

    ``ticks_crossed`` counts initialised ticks (0 for pools without ticks).
    """

    amount_in: int
    amount_out: int
    fee_amount: int
    make_after: Callable[[], Pool] = field(repr=False, compare=False)
    ticks_crossed: int = 0

    @cached_property
    def pool_after(self) -> Pool:
        """The pool after the swap: a new model, the pool that made it is untouched. It is built when asked
        for, as it takes as long as the swap: of a route's thousand hops few meet a pool twice."""
        return self.make_after()


class Pool(Protocol):
    """A pool's state at one block and the exact arithmetic of its contract.

    Methods take the pool's own tokens; a token it does not hold raises InputError. Where the
    contract would revert, they raise PoolRevertError with the contract's reason.
    """

    kind: ClassVar[str]

    @property
    def address(self) -> Address:
        """Where the pool stands (for pools inside a singleton, the singleton)."""
        ...

    @property
    def key(self) -> str:
        """Unique name on its chain: ``KIND:ADDRESS``, or ``KIND:ID`` inside a singleton."""
        ...

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens it trades, in the contract's order."""
        ...

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Callable[[int], int]:
        """Return the fast path of one direction: a function of base units to base units.

        Exact.IN maps amount_in to amount_out (rounded as the contract does, in the pool's favour),
        Exact.OUT maps amount_out to amount_in.
        """
        ...

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount`` base units."""
        ...

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the swap with the pool's state after it."""
        ...

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return the marginal price without fee: base units of token_out per base unit of token_in."""
        ...

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the marginal fee on the input, in 1e-6."""
        ...

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in (with fee) that moves the spot price by at most impact_bps."""
        ...

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap that a log of this pool tells; None for any other log."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings, with ``kind`` and ``address``."""
        ...


Source: TypeAlias = tuple[Address, bytes]
"""Who emits a pool's events and, where it emits those of many pools, what their second topic is."""


class FollowedPool(Pool, Protocol):
    """A pool that can go on by the chain's events."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Whose events together tell all of the state; empty where some of it moves without one."""
        ...

    def apply(self, log: Log) -> Self:
        """Return the pool after an event of the chain; other logs leave it as it is.

        Raises:
            StaleStateError: the event does not fit this state, or tells only that it changed. Read
                the pool again.
        """
        ...


class DirectPool(Pool, Protocol):
    """A pool that an account can swap in by one call of its own, without a router."""

    def encode_swap(
        self, token_in: Token, token_out: Token, terms: SwapTerms, payer: Address
    ) -> tuple[Address, bytes, int]:
        """Return (to, calldata, value in wei) of the swap that ``payer`` sends.

        Raises:
            InputError: tokens that the pool does not swap, or terms that its contract cannot keep.
        """
        ...


def is_followed(pool: Pool) -> TypeGuard[FollowedPool]:
    """Return whether events tell all of the pool's state. Rates and ramps move without one."""
    return bool(getattr(pool, "sources", ()))


def sells_token0(pool: Pool, token_in: Token, token_out: Token) -> bool:
    """Return whether a swap in a pool of two tokens sells the first of them.

    Raises:
        InputError: the two are not the pool's pair.
    """
    token0, token1 = pool.tokens
    if token_in.address == token0.address and token_out.address == token1.address:
        return True
    if token_in.address == token1.address and token_out.address == token0.address:
        return False
    raise InputError(
        f"{token_in} for {token_out} asked of {pool.key}",
        needed=f"{pool.tokens[0]} and {pool.tokens[1]}, one for the other",
    )


@dataclass(frozen=True, slots=True)
class PoolSet:
    """Pools as one block saw them: the market a decision is made on."""

    block: BlockRef
    pools: tuple[Pool, ...]


class Hop(NamedTuple):
    """One swap through one pool, in exact base units."""

    pool: Pool
    token_in: Token
    token_out: Token
    amount_in: int
    amount_out: int
    fee_amount: int


@dataclass(frozen=True, slots=True)
class Leg:
    """A chain of hops: each takes what the one before it gave."""

    hops: tuple[Hop, ...]

    @property
    def amount_in(self) -> int:
        """What the first hop takes."""
        return self.hops[0].amount_in

    @property
    def amount_out(self) -> int:
        """What the last hop gives."""
        return self.hops[-1].amount_out


_PROTOCOLS: Final = {"balancer_weighted": "balancer_v2", "balancer_stable": "balancer_v2"}


def list_protocols(hops: Iterable[Hop]) -> tuple[str, ...]:
    """Return the protocols whose pools hops trade with, each once, as chains list them and switches name
    them: by the kind of the pool, but for what is all in Balancer's Vault."""
    kinds = (hop.pool.kind for hop in hops)
    return tuple(dict.fromkeys(_PROTOCOLS.get(kind, kind) for kind in kinds))
