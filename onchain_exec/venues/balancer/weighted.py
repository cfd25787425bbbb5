"""Weighted pools: constant product of balances to the power of their weights, 2 to 8 tokens."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from onchain_exec.core import Token, to_address
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.venues.balancer.pool import VAULT, BalancerPool, Quoter
from onchain_exec.venues.balancer.revert import ZERO_DIVISION, refuse
from onchain_exec.venues.balancer.weighted_math import make_in_given_out, make_out_given_in
from onchain_exec.venues.sides import find_sides


@dataclass(frozen=True, slots=True)
class BalancerWeightedPool(BalancerPool):
    """A weighted pool. ``weights_wad`` sum to one; ``pow_version`` is 1 for the pools of 2021 (without
    ``inRecoveryMode()``), 2 for those since, whose powers of 1, 2 and 4 are multiplied out."""

    kind: ClassVar[str] = "balancer_weighted"

    weights_wad: tuple[int, ...]
    pow_version: int

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return (balance_out / weight_out) / (balance_in / weight_in), base units, without fee."""
        side_in, side_out = find_sides(self, token_in, token_out)
        if not self.balances[side_in]:
            refuse(ZERO_DIVISION)
        return Fraction(
            self.balances[side_out] * self.weights_wad[side_in],
            self.balances[side_in] * self.weights_wad[side_out],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        state = BalancerPool.to_json(self)
        return state | {
            "weights_wad": [str(weight) for weight in self.weights_wad],
            "pow_version": str(self.pow_version),
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
            tuple(int(weight) for weight in state["weights_wad"]),
            int(state.get("pow_version", 2)),
        )

    def _scaling_factor_wad(self, side: int) -> int:
        return WAD * self._decimal_factor(side)

    def _decimal_factor(self, side: int) -> int:
        return int(10 ** (18 - self.tokens[side].decimals))

    def _largest_scalable(self, side: int) -> int:
        # version 1 multiplies by 10**(18 - decimals), version 2 by that with 18 decimals more
        factor = self._decimal_factor(side)
        return MAX_UINT256 // (factor if self.pow_version == 1 else factor * WAD)

    def _scaled(self, side: int) -> tuple[int, int]:
        return self.balances[side] * self._decimal_factor(side), self.weights_wad[side]

    def _out_given_in(self, side_in: int, side_out: int) -> Quoter:
        return make_out_given_in(*self._scaled(side_in), *self._scaled(side_out), self.pow_version)

    def _in_given_out(self, side_in: int, side_out: int) -> Quoter:
        return make_in_given_out(*self._scaled(side_in), *self._scaled(side_out), self.pow_version)
