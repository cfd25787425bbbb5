"""Curve's CryptoSwap pools: tricrypto, tricrypto-ng and twocrypto-ng."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from onchain_exec.core import Address, Exact, Token, to_address
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import BPS, MAX_UINT128, PIPS, WAD, div_up
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.venues.curve.crypto_math import CryptoFlavour, compute_fee, compute_y, get_gradient
from onchain_exec.venues.curve.revert import refuse
from onchain_exec.venues.exact_out import find_amount_in
from onchain_exec.venues.pool import SwapResult
from onchain_exec.venues.sides import find_sides

Quoter = Callable[[int], int]
_FEE_DENOMINATOR: Final = 10**10


@dataclass(frozen=True, slots=True)
class CurveCryptoPool:
    """A CryptoSwap pool at one moment of its A and gamma.

    ``price_scale_wad`` are the prices of tokens 1 and on in token 0 that liquidity is concentrated
    around; ``d`` is the stored invariant; ``ann`` is ``A()``. Fees are in 1e-10, on the output.

    A swap moves D and perhaps the price scale by averages over time, which are not modelled: the pool
    after a swap has the new balances and is ``moved``, and quotes no more. Read it again.
    """

    kind: ClassVar[str] = "curve_crypto"

    address: Address
    tokens: tuple[Token, ...]
    balances: tuple[int, ...]
    price_scale_wad: tuple[int, ...]
    d: int
    ann: int
    gamma: int
    mid_fee_e10: int
    out_fee_e10: int
    fee_gamma: int
    flavour: CryptoFlavour
    moved: bool = False

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction.

        Exact.IN is the contract's ``get_dy``, which is what ``exchange`` gives. Exact.OUT is the
        smallest input whose output reaches it.

        Raises (the returned function too):
            PoolRevertError: the contract would revert; many of its checks give no reason.
            StaleStateError: the pool was swapped in since it was read.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        self._require_unmoved()
        solve = self._solver(side_in, side_out)

        def get_dy(amount: int) -> int:
            return solve(amount)[0]

        if exact is Exact.IN:
            return get_dy
        price = self.spot_price(token_in, token_out)

        def quote_out(amount: int) -> int:
            if not 0 < amount < self.balances[side_out]:
                refuse(f"{amount} asked of a balance of {self.balances[side_out]}")
            return find_amount_in(get_dy, amount, int(amount / price))

        return quote_out

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the swap of ``amount``; ``pool_after`` has the new balances but quotes no more.

        Exact.OUT exchanges the smallest input that reaches ``amount``; what comes out above it is in
        ``pool_after`` only. ``fee_amount`` is the fee's share of the input, rounded down: the contract
        takes it from the output. Raises as `quoter` does.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        amount_in = amount if exact is Exact.IN else self.quote(token_in, token_out, amount, exact)
        self._require_unmoved()
        given, fee = self._solver(side_in, side_out)(amount_in)
        balances = list(self.balances)
        balances[side_in] += amount_in
        balances[side_out] -= given
        after = replace(self, balances=tuple(balances), moved=True)
        amount_out = given if exact is Exact.IN else amount
        return SwapResult(amount_in, amount_out, amount_in * fee // _FEE_DENOMINATOR, after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return the invariant's marginal price at the balances, base units, without fee."""
        side_in, side_out = find_sides(self, token_in, token_out)
        self._require_unmoved()
        return self._price(self._scaled(self.balances), side_in, side_out)

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee at the balances as they are, in 1e-6, rounded up."""
        find_sides(self, token_in, token_out)
        return div_up(self._fee(self._scaled(self.balances)) * PIPS, _FEE_DENOMINATOR)

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the price along the curve by at most ``impact_bps``.

        The curve is that of the present D and price scale, before the fee is added to the pool.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        floor = self.spot_price(token_in, token_out) * (BPS - impact_bps) / BPS

        def leaves_price(amount: int) -> bool:
            balances = list(self.balances)
            balances[side_in] += amount
            scaled = self._scaled(balances)
            try:
                scaled[side_out] = self._compute_y(scaled, side_out)
            except PoolRevertError:
                return False
            return self._price(scaled, side_in, side_out) >= floor

        return find_largest(leaves_price, 0, MAX_UINT128)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [token.address for token in self.tokens],
            "balances": [str(balance) for balance in self.balances],
            "price_scale_wad": [str(price) for price in self.price_scale_wad],
            "d": str(self.d),
            "ann": str(self.ann),
            "gamma": str(self.gamma),
            "mid_fee_e10": str(self.mid_fee_e10),
            "out_fee_e10": str(self.out_fee_e10),
            "fee_gamma": str(self.fee_gamma),
            "flavour": self.flavour.value,
            "moved": self.moved,
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        return cls(
            to_address(state["address"]),
            tokens,
            tuple(int(balance) for balance in state["balances"]),
            tuple(int(price) for price in state["price_scale_wad"]),
            int(state["d"]),
            int(state["ann"]),
            int(state["gamma"]),
            int(state["mid_fee_e10"]),
            int(state["out_fee_e10"]),
            int(state["fee_gamma"]),
            CryptoFlavour(state["flavour"]),
            state.get("moved", False),
        )

    def _require_unmoved(self) -> None:
        if self.moved:
            raise StaleStateError(
                f"{self.key} was swapped in since it was read",
                needed="its invariant and price scale after the swap, which follow averages over time",
                todo="Read the pool again, or use it once in a route",
            )

    def _unit(self, side: int) -> int:
        """Return what one base unit is worth in token 0, in 1e-36."""
        precision = 10 ** (18 - self.tokens[side].decimals)
        return int(precision * (self.price_scale_wad[side - 1] if side else WAD))

    def _scaled(self, balances: Sequence[int]) -> list[int]:
        return [balance * self._unit(side) // WAD for side, balance in enumerate(balances)]

    def _compute_y(self, scaled: Sequence[int], side: int) -> int:
        return compute_y(self.flavour, self.ann, self.gamma, scaled, self.d, side)

    def _fee(self, scaled: Sequence[int]) -> int:
        return compute_fee(self.flavour, scaled, self.mid_fee_e10, self.out_fee_e10, self.fee_gamma)

    def _price(self, scaled: Sequence[int], side_in: int, side_out: int) -> Fraction:
        gradient = get_gradient(self.ann, self.gamma, scaled, self.d)
        return gradient[side_in] / gradient[side_out] * self._unit(side_in) / self._unit(side_out)

    def _solver(self, side_in: int, side_out: int) -> Callable[[int], tuple[int, int]]:
        """Return amount_in -> (amount_out after the fee, fee in 1e-10); mirror of ``get_dy``."""
        before, unit = self._scaled(self.balances), self._unit(side_in)
        balance_in, before_out = self.balances[side_in], before[side_out]
        precision_out = int(10 ** (18 - self.tokens[side_out].decimals))
        price_out = self.price_scale_wad[side_out - 1] if side_out else WAD

        def solve(amount: int) -> tuple[int, int]:
            if not 0 < amount <= MAX_UINT128:
                refuse(f"{amount} in")
            scaled = list(before)
            scaled[side_in] = (balance_in + amount) * unit // WAD
            scaled[side_out] = y = self._compute_y(scaled, side_out)
            if y >= before_out:
                refuse(f"{amount} in gives nothing out")
            dy = (before_out - y - 1) * WAD // price_out // precision_out
            fee = self._fee(scaled)
            return dy - fee * dy // _FEE_DENOMINATOR, fee

        return solve
