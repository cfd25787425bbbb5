"""Curve's StableSwap pools: plain, meta and NG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Self

from onchain_exec.core import Address, Exact, Token, to_address
from onchain_exec.core.fixed_point import MAX_UINT256, PIPS, WAD, div_up
from onchain_exec.venues.curve.revert import refuse
from onchain_exec.venues.curve.stable_math import (
    FEE_DENOMINATOR,
    StableFlavour,
    compute_d,
    compute_fee,
    compute_y,
)
from onchain_exec.venues.depth import find_depth
from onchain_exec.venues.exact_out import find_amount_in
from onchain_exec.venues.marginal_price import get_stable_price
from onchain_exec.venues.pool import SwapResult
from onchain_exec.venues.sides import find_sides

Quoter = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class CurveStablePool:
    """A StableSwap pool at one moment of its amplification and rates.

    ``balances`` are without the admin's fees. ``rates_wad`` is 10**(18 - decimals) with 18 decimals,
    times what the token is worth: an oracle's rate, or the base pool's virtual price for the second
    token of a meta pool. ``amp`` is A * n**(n-1) * 100, without the 100 for the three pool's flavour.
    Fees are in 1e-10, on the output.
    """

    kind: ClassVar[str] = "curve_stable"

    address: Address
    tokens: tuple[Token, ...]
    balances: tuple[int, ...]
    rates_wad: tuple[int, ...]
    amp: int
    swap_fee_e10: int
    admin_fee_e10: int
    offpeg_multiplier_e10: int
    flavour: StableFlavour

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction.

        Exact.IN is the contract's ``get_dy``. That is what ``exchange`` gives, except in pools of the
        three pool's flavour, whose ``exchange`` rounds once more and may give one unit less (see
        `swap`). Exact.OUT is the smallest input whose exchange reaches the output.

        Raises (the returned function too):
            PoolRevertError: the contract would revert; most of its checks give no reason.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        if exact is Exact.OUT:
            return self._smallest_in(side_in, side_out)
        return self._get_dy(side_in, side_out, self.flavour is StableFlavour.THREEPOOL)

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def get_dx(self, token_in: Token, token_out: Token, amount_out: int) -> int:
        """Return about what has to go in for ``amount_out``; mirror of NG's ``get_dx``.

        Not exact: the contract takes the fee of the balances before the swap. For an input that
        surely reaches the output quote Exact.OUT.

        Raises:
            PoolRevertError: the pool holds less.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        scaled = list(self._scaled)
        fee = compute_fee(scaled[side_in], scaled[side_out], self.swap_fee_e10, self.offpeg_multiplier_e10)
        d = compute_d(scaled, self.amp, self.flavour)
        with_fee = (amount_out * self.rates_wad[side_out] // WAD + 1) * FEE_DENOMINATOR
        left = scaled[side_out] - with_fee // (FEE_DENOMINATOR - fee)
        if left <= 0:
            refuse(f"{amount_out} and its fee asked of {self.balances[side_out]}")
        scaled[side_out] = left
        x = compute_y(scaled, side_in, d, self.amp, self.flavour)
        return (x - self._scaled[side_in]) * WAD // self.rates_wad[side_in]

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return what ``exchange`` does with ``amount``, and the pool after it; raises as `quoter` does.

        Exact.OUT exchanges the smallest input that reaches ``amount``; what comes out above it, less
        than one more unit of input is worth, is in ``pool_after`` only. ``fee_amount`` is the fee's
        share of the input, rounded down: the contract takes it from the output.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        amount_in = amount if exact is Exact.IN else self.quote(token_in, token_out, amount, exact)
        dy, fee = self._solver(side_in, side_out)(amount_in)
        if dy < 0:
            refuse(f"{amount_in} in gives nothing out")
        rate = self.rates_wad[side_out]
        given = (dy - dy * fee // FEE_DENOMINATOR) * WAD // rate
        admin = dy * fee // FEE_DENOMINATOR * self.admin_fee_e10 // FEE_DENOMINATOR * WAD // rate
        balances = list(self.balances)
        balances[side_in] += amount_in
        balances[side_out] -= given + admin
        after = replace(self, balances=tuple(balances))
        amount_out = given if exact is Exact.IN else amount
        return SwapResult(amount_in, amount_out, amount_in * fee // FEE_DENOMINATOR, after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return the invariant's marginal price at the balances, base units, without fee."""
        side_in, side_out = find_sides(self, token_in, token_out)
        d = compute_d(self._scaled, self.amp, self.flavour)
        if not d:
            refuse("the pool is empty")
        amp_total = Fraction(self.amp * len(self.tokens), self.flavour.amp_precision)
        marginal = get_stable_price(amp_total, d, self._scaled, side_in, side_out)
        return marginal * self.rates_wad[side_in] / self.rates_wad[side_out]

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee at the balances as they are, in 1e-6, rounded up."""
        side_in, side_out = find_sides(self, token_in, token_out)
        scaled = self._scaled
        fee = compute_fee(scaled[side_in], scaled[side_out], self.swap_fee_e10, self.offpeg_multiplier_e10)
        return div_up(fee * PIPS, FEE_DENOMINATOR)

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the spot price by at most ``impact_bps``."""
        return find_depth(self, token_in, token_out, impact_bps)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [token.address for token in self.tokens],
            "balances": [str(balance) for balance in self.balances],
            "rates_wad": [str(rate) for rate in self.rates_wad],
            "amp": str(self.amp),
            "fee_e10": str(self.swap_fee_e10),
            "admin_fee_e10": str(self.admin_fee_e10),
            "offpeg_multiplier_e10": str(self.offpeg_multiplier_e10),
            "flavour": self.flavour.value,
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        return cls(
            to_address(state["address"]),
            tokens,
            tuple(int(balance) for balance in state["balances"]),
            tuple(int(rate) for rate in state["rates_wad"]),
            int(state["amp"]),
            int(state["fee_e10"]),
            int(state["admin_fee_e10"]),
            int(state["offpeg_multiplier_e10"]),
            StableFlavour(state["flavour"]),
        )

    @property
    def _scaled(self) -> tuple[int, ...]:
        pairs = zip(self.balances, self.rates_wad, strict=True)
        return tuple(balance * rate // WAD for balance, rate in pairs)

    def _get_dy(self, side_in: int, side_out: int, unscales_first: bool) -> Quoter:
        """Return ``get_dy``; ``unscales_first`` takes the fee of base units, as the three pool does."""
        solve, rate = self._solver(side_in, side_out), self.rates_wad[side_out]

        def quote(amount: int) -> int:
            dy, fee = solve(amount)
            if dy < 0:
                refuse(f"{amount} in gives nothing out")
            if unscales_first:
                dy = dy * WAD // rate
                return dy - dy * fee // FEE_DENOMINATOR
            return (dy - dy * fee // FEE_DENOMINATOR) * WAD // rate

        return quote

    def _smallest_in(self, side_in: int, side_out: int) -> Quoter:
        """Return the search for the smallest input whose exchange reaches an output."""
        solve, rate = self._solver(side_in, side_out), self.rates_wad[side_out]
        sides = self.tokens[side_in], self.tokens[side_out]

        def given(amount: int) -> int:
            dy, fee = solve(amount)
            return max(0, (dy - dy * fee // FEE_DENOMINATOR) * WAD // rate)

        def quote(amount: int) -> int:
            if not 0 < amount < self.balances[side_out]:
                refuse(f"{amount} asked of a balance of {self.balances[side_out]}")
            return find_amount_in(given, amount, self.get_dx(*sides, amount))

        return quote

    def _solver(self, side_in: int, side_out: int) -> Callable[[int], tuple[int, int]]:
        """Return amount_in -> (scaled output before the fee, negative if there is none; fee in 1e-10)."""
        scaled, amp, flavour = self._scaled, self.amp, self.flavour
        rate, before_in, before_out = self.rates_wad[side_in], scaled[side_in], scaled[side_out]
        d = compute_d(scaled, amp, flavour)
        largest = MAX_UINT256 // rate
        fee_e10, multiplier_e10 = self.swap_fee_e10, self.offpeg_multiplier_e10

        def solve(amount: int) -> tuple[int, int]:
            if not 0 < amount <= largest or not d:
                refuse(f"{amount} in, into a pool with an invariant of {d}")
            after = list(scaled)
            after[side_in] = x = before_in + amount * rate // WAD
            y = compute_y(after, side_out, d, amp, flavour)
            fee = compute_fee((before_in + x) // 2, (before_out + y) // 2, fee_e10, multiplier_e10)
            return before_out - y - 1, fee

        return solve
