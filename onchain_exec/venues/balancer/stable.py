"""Stable pools: composable ones, and the stable and meta-stable pools before them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import InputError
from onchain_exec.venues.balancer.pool import VAULT, BalancerPool, Quoter
from onchain_exec.venues.balancer.revert import ZERO_DIVISION, refuse
from onchain_exec.venues.balancer.stable_math import (
    AMP_PRECISION,
    compute_invariant_down,
    compute_invariant_up,
    make_in_given_out,
    make_out_given_in,
)
from onchain_exec.venues.marginal_price import get_stable_price
from onchain_exec.venues.pool import Source
from onchain_exec.venues.sides import find_sides


@dataclass(frozen=True, slots=True)
class BalancerStablePool(BalancerPool):
    """A stable pool at one moment of its amplification and rates.

    ``scaling_factors_wad`` is 10**(18 - decimals) times the token's rate, with 18 decimals; ``amp`` is
    A * n**(n-1) * 1000. ``invariant_rounds_up`` holds for the pools before June 2022. ``is_steady`` says
    that no token has a rate and the amplification is not on its way to another value. The pool's own
    token (BPT) is not among ``tokens``: swaps with it are joins and exits, which are refused.
    """

    kind: ClassVar[str] = "balancer_stable"

    scaling_factors_wad: tuple[int, ...]
    amp: int
    invariant_rounds_up: bool = False
    is_steady: bool = False

    @property
    def sources(self) -> tuple[Source, ...]:
        """As of any pool of the Vault; none while rates or the amplification move by themselves."""
        return super(BalancerStablePool, self).sources if self.is_steady else ()

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction; see `BalancerPool.quoter`.

        Raises:
            InputError: one of the two is the pool's own token.
        """
        if self.address in (token_in.address, token_out.address):
            raise InputError(
                f"{token_in} for {token_out} joins or exits {self.key}",
                needed="a swap between two of the tokens that the pool holds",
                todo="Swaps with the pool's own token are not modelled; leave this pool out of the route",
            )
        return BalancerPool.quoter(self, token_in, token_out, exact)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return the invariant's marginal price at the balances, base units, without fee."""
        side_in, side_out = find_sides(self, token_in, token_out)
        scaled, invariant = self._scaled(), self._invariant()
        if not all(scaled):
            refuse(ZERO_DIVISION)
        amp_total = Fraction(self.amp * len(scaled), AMP_PRECISION)
        marginal = get_stable_price(amp_total, invariant, scaled, side_in, side_out)
        return marginal * self.scaling_factors_wad[side_in] / self.scaling_factors_wad[side_out]

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        state = BalancerPool.to_json(self)
        return state | {
            "scaling_factors_wad": [str(factor) for factor in self.scaling_factors_wad],
            "amp": str(self.amp),
            "invariant_rounds_up": self.invariant_rounds_up,
            "is_steady": self.is_steady,
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        return cls(
            to_address(state["address"]),
            state.get("pool_id", ""),
            to_address(state.get("vault", VAULT)),
            tokens,
            tuple(int(balance) for balance in state["balances"]),
            int(state["swap_fee_wad"]),
            tuple(int(factor) for factor in state["scaling_factors_wad"]),
            int(state["amp"]),
            state.get("invariant_rounds_up", False),
            state.get("is_steady", False),
        )

    def _scaling_factor_wad(self, side: int) -> int:
        return self.scaling_factors_wad[side]

    def _largest_scalable(self, side: int) -> int:
        return MAX_UINT256 // self.scaling_factors_wad[side]

    def _scaled(self) -> tuple[int, ...]:
        pairs = zip(self.balances, self.scaling_factors_wad, strict=True)
        return tuple(balance * factor // WAD for balance, factor in pairs)

    def _invariant(self) -> int:
        compute = compute_invariant_up if self.invariant_rounds_up else compute_invariant_down
        return compute(self.amp, self._scaled())

    def _out_given_in(self, side_in: int, side_out: int) -> Quoter:
        return make_out_given_in(self.amp, self._scaled(), self._invariant(), side_in, side_out)

    def _in_given_out(self, side_in: int, side_out: int) -> Quoter:
        return make_in_given_out(self.amp, self._scaled(), self._invariant(), side_in, side_out)
