"""The v3 pool. Fee and tick spacing are data, so its forks differ by name only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from onchain_exec.core import Log, Token, to_address
from onchain_exec.venues.concentrated import ConcentratedPool, Curve, Reverts, curve_from_json
from onchain_exec.venues.fill import PoolFill, make_pair_fill
from onchain_exec.venues.pool import Source
from onchain_exec.venues.uniswap_v3.events import apply_event, decode_swap

_REVERTS = Reverts(
    not_initialised="LOK", no_amount="AS", amount_too_large="", limit_passed="SPL", limit_out_of_bounds="SPL"
)


@dataclass(frozen=True, slots=True)
class UniswapV3Pool(ConcentratedPool):
    """A pool as ``UniswapV3Pool`` runs it. ``curve.fee_pips`` is the fee on the input.

    Where the liquidity ends before the amount, the contract takes less (exact input; the router does
    not notice either) or gives less (exact output; the router reverts): PartialFillError in both.
    """

    kind: ClassVar[str] = "uniswap_v3"
    reverts: ClassVar[Reverts] = _REVERTS

    def with_curve(self, curve: Curve) -> Self:
        """Return the pool with another curve."""
        return type(self)(self.address, self.token0, self.token1, curve)  # as `Curve.moved_to`

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pool itself."""
        return ((self.address, b""),)

    def apply(self, log: Log) -> Self:
        """Return the pool after an event of the chain; other logs leave it as it is.

        Raises:
            StaleStateError: the event does not fit this state: events were missed, or it was read
                without gross liquidity (see `Ticks.with_liquidity`). Read the pool again.
        """
        if log.address != self.address:
            return self
        curve = apply_event(self.curve, log)
        return self if curve is self.curve else self.with_curve(curve)

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap of a ``Swap`` log of this pool; None for any other log."""
        amounts = decode_swap(log) if log.address == self.address else None
        return None if amounts is None else make_pair_fill(self.tokens, *amounts)

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        token0, token1 = tokens
        return cls(to_address(state["address"]), token0, token1, curve_from_json(state))


@dataclass(frozen=True, slots=True)
class PancakeV3Pool(UniswapV3Pool):
    """PancakeSwap v3: other fee tiers and its own router."""

    kind: ClassVar[str] = "pancake_v3"


@dataclass(frozen=True, slots=True)
class SlipstreamPool(UniswapV3Pool):
    """Velodrome and Aerodrome Slipstream: pools keyed by tick spacing, with a fee that may change."""

    kind: ClassVar[str] = "slipstream"

    @property
    def sources(self) -> tuple[Source, ...]:
        """None: a fee module may set another fee for each block, and no event tells."""
        return ()
