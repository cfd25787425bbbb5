"""Curve's CryptoSwap pools: tricrypto of 2021 and -ng, twocrypto-ng, and those that take donations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from onchain_exec.core import Log, Token
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import BPS, MAX_UINT128, WAD
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.venues.curve.crypto import refuelled_curve
from onchain_exec.venues.curve.crypto.arithmetic import CryptoFlavour, compute_fee, compute_y, get_gradient
from onchain_exec.venues.curve.crypto.first_peg import FirstPeg
from onchain_exec.venues.curve.crypto.invariant import compute_d
from onchain_exec.venues.curve.crypto.peg import Curve, Peg, Trade
from onchain_exec.venues.curve.crypto.refuelled_peg import RefuelledPeg
from onchain_exec.venues.curve.exchange import Exchange
from onchain_exec.venues.curve.pool import CurvePool, Exchanged, Quoter, parse_pool, parse_receiver
from onchain_exec.venues.curve.revert import refuse, require_output
from onchain_exec.venues.curve.stable_math import FEE_DENOMINATOR
from onchain_exec.venues.pool import Source
from onchain_exec.venues.sides import find_sides
from onchain_exec.venues.words import unsigned_word

_PRICE_SCALE_WORD: Final = 5
"""Of ``TokenExchange``: the price scale after it, 128 bits per token."""


@dataclass(frozen=True, slots=True)
class CurveCryptoPool(CurvePool):
    """A CryptoSwap pool in a block of one time, `Peg.traded_at`; `at` is the same pool in another block.

    ``price_scale_wad`` are the prices of tokens 1 and on in token 0 that liquidity is concentrated
    around; ``d`` is the stored invariant; ``ann`` is ``A()``. Fees are in 1e-10, on the output.

    ``exchange`` gives what a quote says, but refuses swaps so small that the pool's value does not grow.
    Where the ``peg`` is not known, the pool after a swap has the new balances only: it is ``moved`` and
    quotes no more. Read it again.
    """

    kind: ClassVar[str] = "curve_crypto"
    index: ClassVar[str] = "uint256"

    price_scale_wad: tuple[int, ...]
    d: int
    ann: int
    gamma: int
    mid_fee_e10: int
    out_fee_e10: int
    fee_gamma: int
    flavour: CryptoFlavour
    peg: Peg | None = None
    moved: bool = False

    def at(self, traded_at: int) -> Self:
        """Return the pool as a block of this time (unix seconds) finds it if nobody trades before."""
        if self.peg is None:
            return self
        ann, gamma = self.peg.ramp.get_values(traded_at)
        return replace(self, ann=ann, gamma=gamma, peg=replace(self.peg, traded_at=traded_at))

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pool itself, where all that a swap changes is known."""
        return () if self.peg is None else ((self.address, b""),)

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the price along the curve by at most ``impact_bps``.

        The curve is that of the present D and price scale, before the fee is added to the pool.
        """
        side_in, side_out = find_sides(self, token_in, token_out)
        floor = self._spot_price(side_in, side_out) * (BPS - impact_bps) / BPS
        d = self._current_d

        def leaves_price(amount: int) -> bool:
            balances = list(self.balances)
            balances[side_in] += amount
            scaled = self._scale(balances)
            try:
                scaled[side_out], _ = compute_y(self.flavour, self.ann, self.gamma, scaled, d, side_out)
            except PoolRevertError:
                return False
            return self._price(scaled, side_in, side_out) >= floor

        return find_largest(leaves_price, 0, MAX_UINT128)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        state = CurvePool.to_json(self) | {
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
        return state if self.peg is None else state | {"peg": self.peg.to_json()}

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        return cls(
            *parse_pool(state, tokens),
            tuple(int(price) for price in state["price_scale_wad"]),
            int(state["d"]),
            int(state["ann"]),
            int(state["gamma"]),
            int(state["mid_fee_e10"]),
            int(state["out_fee_e10"]),
            int(state["fee_gamma"]),
            CryptoFlavour(state["flavour"]),
            _peg_from_json(state["peg"]) if "peg" in state else None,
            state.get("moved", False),
            receiver=parse_receiver(state),
        )

    @property
    def _current_d(self) -> int:
        """The invariant that a swap meets: while A and gamma move, it is computed anew."""
        if self.moved:
            raise StaleStateError(
                f"{self.key} was swapped in since it was read",
                needed="its invariant and price scale after the swap, which follow averages over time",
                todo="Read the pool again, or use it once in a route",
            )
        if self.peg is None or not self.peg.recomputes_d:
            return self.d
        return compute_d(self.flavour, self.ann, self.gamma, self._scale(self.balances))

    def _unit(self, side: int) -> int:
        """Return what one base unit is worth in token 0, in 1e-36."""
        precision = 10 ** (18 - self.tokens[side].decimals)
        return int(precision * (self.price_scale_wad[side - 1] if side else WAD))

    def _scale(self, balances: Sequence[int]) -> list[int]:
        return [balance * self._unit(side) // WAD for side, balance in enumerate(balances)]

    def _fee_e10(self, side_in: int, side_out: int) -> int:
        return self._fee(self._scale(self.balances))

    def _fee(self, scaled: Sequence[int]) -> int:
        return compute_fee(self.flavour, scaled, self.mid_fee_e10, self.out_fee_e10, self.fee_gamma)

    def _spot_price(self, side_in: int, side_out: int) -> Fraction:
        return self._price(self._scale(self.balances), side_in, side_out)

    def _price(self, scaled: Sequence[int], side_in: int, side_out: int) -> Fraction:
        if self.flavour is CryptoFlavour.TWOCRYPTO_REFUELLED:
            gradient = refuelled_curve.get_gradient(self.ann, scaled, self._current_d)
        else:
            gradient = get_gradient(self.ann, self.gamma, scaled, self._current_d)
        return gradient[side_in] / gradient[side_out] * self._unit(side_in) / self._unit(side_out)

    def _get_dy(self, side_in: int, side_out: int) -> Quoter:
        solve = self._solver(side_in, side_out)

        def quote(amount: int) -> int:
            given = solve(amount)[0]
            require_output(amount, given)
            return given

        return quote

    def _given(self, side_in: int, side_out: int) -> Quoter:
        solve = self._solver(side_in, side_out)
        return lambda amount: max(0, solve(amount)[0])

    def _guess_in(self, side_in: int, side_out: int) -> Quoter:
        price = self._spot_price(side_in, side_out)
        return lambda amount: int(amount / price)

    def _exchange(self, side_in: int, side_out: int, amount_in: int) -> Exchanged[Self]:
        given, fee, k0 = self._solver(side_in, side_out)(amount_in)
        require_output(amount_in, given)
        balances = list(self.balances)
        balances[side_in] += amount_in
        balances[side_out] -= given
        after = replace(self, balances=tuple(balances))
        units = (10 ** (18 - self.tokens[side].decimals) for side in (side_in, side_out))
        trade = Trade(side_in, amount_in, next(units), side_out, given, next(units))
        return Exchanged(given, fee, after._settle(trade, k0))

    def _apply_exchange(self, exchange: Exchange, log: Log) -> Self | None:
        after = CurvePool._apply_exchange(self, exchange, log)
        if after is None or after.moved:
            return None
        if self.flavour is CryptoFlavour.TRICRYPTO:
            return after  # of 2021: the event does not tell the price scale
        packed = sum(price << 128 * side for side, price in enumerate(after.price_scale_wad))
        return after if unsigned_word(log.data, _PRICE_SCALE_WORD) == packed else None

    def _apply_other(self, log: Log) -> Self | None:
        return None  # liquidity that moves, claimed fees and ramps change more than their events tell

    def _settle(self, trade: Trade, k0: int) -> Self:
        """Return the pool with the curve that a swap to these balances leaves behind."""
        if self.peg is None:
            return replace(self, moved=True)
        before = Curve(self.flavour, self.ann, self.gamma, self.d, self.price_scale_wad)
        peg, curve = self.peg.settle(before, self._scale(self.balances), trade, k0)
        return replace(self, d=curve.d, price_scale_wad=curve.price_scale_wad, peg=peg)

    def _solver(self, side_in: int, side_out: int) -> Callable[[int], tuple[int, int, int]]:
        """Return amount_in -> (amount_out after the fee, negative if there is none; fee in 1e-10; K0)."""
        before, unit, d = self._scale(self.balances), self._unit(side_in), self._current_d
        flavour, ann, gamma = self.flavour, self.ann, self.gamma
        balance_in, before_out = self.balances[side_in], before[side_out]
        precision_out = int(10 ** (18 - self.tokens[side_out].decimals))
        price_out = self.price_scale_wad[side_out - 1] if side_out else WAD

        def solve(amount: int) -> tuple[int, int, int]:
            if not 0 < amount <= MAX_UINT128:
                refuse(f"{amount} in")
            scaled = list(before)
            scaled[side_in] = (balance_in + amount) * unit // WAD
            y, k0 = compute_y(flavour, ann, gamma, scaled, d, side_out)
            if y >= before_out:
                return -1, 0, k0
            scaled[side_out] = y
            dy = (before_out - y - 1) * WAD // price_out // precision_out
            fee = self._fee(scaled)
            return dy - fee * dy // FEE_DENOMINATOR, fee, k0

        return solve


def _peg_from_json(state: dict[str, Any]) -> Peg:
    if "donation_shares" in state:
        return RefuelledPeg.from_json(state)
    return (FirstPeg if "threshold_wad" in state else Peg).from_json(state)
