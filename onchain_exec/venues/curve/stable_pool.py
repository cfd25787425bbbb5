"""Curve's StableSwap pools: plain, meta and NG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Self

from onchain_exec.core import Log, Token
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.venues.curve.pool import CurvePool, Exchanged, Quoter, parse_pool, parse_receiver
from onchain_exec.venues.curve.ramp import Ramp
from onchain_exec.venues.curve.revert import refuse, require_output
from onchain_exec.venues.curve.stable_events import (
    APPLY_NEW_FEE,
    NEW_FEE,
    RAMP_A,
    STOP_RAMP_A,
    decode_liquidity_change,
)
from onchain_exec.venues.curve.stable_math import (
    FEE_DENOMINATOR,
    StableFlavour,
    compute_d,
    compute_fee,
    compute_y,
)
from onchain_exec.venues.marginal_price import get_stable_price
from onchain_exec.venues.pool import Source
from onchain_exec.venues.sides import find_sides
from onchain_exec.venues.words import unsigned_word


@dataclass(frozen=True, slots=True)
class CurveStablePool(CurvePool):
    """A StableSwap pool at one moment of its amplification and rates.

    ``rates_wad`` is 10**(18 - decimals) with 18 decimals, times what the token is worth: an oracle's
    rate, or the base pool's virtual price for the second token of a meta pool. ``amp`` is
    A * n**(n-1) * 100, without the 100 for the three pool's flavour. Fees are in 1e-10, on the output.

    A quote is what ``exchange`` gives, except in pools of the three pool's flavour, whose ``exchange``
    rounds once more and may give one unit less. ``get_dy`` says the same, except in NG pools whose A moves:
    it leaves A's hundredths out.
    """

    kind: ClassVar[str] = "curve_stable"
    index: ClassVar[str] = "int128"

    rates_wad: tuple[int, ...]
    amp: int
    swap_fee_e10: int
    admin_fee_e10: int
    offpeg_multiplier_e10: int
    flavour: StableFlavour
    ramp: Ramp | None = None

    def at(self, traded_at: int) -> Self:
        """Return the pool as a block of this time (unix seconds) finds it if nobody trades before."""
        if self.ramp is None or self.ramp.get_amp(traded_at) == self.amp:
            return self
        return replace(self, amp=self.ramp.get_amp(traded_at))

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pool itself; none where its rates may move, or a token's balances by themselves."""
        return ((self.address, b""),) if self.flavour is StableFlavour.THREEPOOL else ()

    def get_dx(self, token_in: Token, token_out: Token, amount_out: int) -> int:
        """Return about what has to go in for ``amount_out``; mirror of NG's ``get_dx``.

        Not exact: the contract takes the fee of the balances before the swap. For an input that
        surely reaches the output quote Exact.OUT.

        Raises:
            PoolRevertError: the pool holds less.
        """
        return self._guess_in(*find_sides(self, token_in, token_out))(amount_out)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        state = CurvePool.to_json(self) | {
            "rates_wad": [str(rate) for rate in self.rates_wad],
            "amp": str(self.amp),
            "fee_e10": str(self.swap_fee_e10),
            "admin_fee_e10": str(self.admin_fee_e10),
            "offpeg_multiplier_e10": str(self.offpeg_multiplier_e10),
            "flavour": self.flavour.value,
        }
        return state if self.ramp is None else state | {"ramp": self.ramp.to_json()}

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        return cls(
            *parse_pool(state, tokens),
            tuple(int(rate) for rate in state["rates_wad"]),
            int(state["amp"]),
            int(state["fee_e10"]),
            int(state["admin_fee_e10"]),
            int(state["offpeg_multiplier_e10"]),
            StableFlavour(state["flavour"]),
            Ramp.from_json(state["ramp"]) if "ramp" in state else None,
            receiver=parse_receiver(state),
        )

    @property
    def _scaled(self) -> tuple[int, ...]:
        pairs = zip(self.balances, self.rates_wad, strict=True)
        return tuple(balance * rate // WAD for balance, rate in pairs)

    def _get_dy(self, side_in: int, side_out: int) -> Quoter:
        solve, rate = self._solver(side_in, side_out), self.rates_wad[side_out]

        def quote(amount: int) -> int:
            dy, fee = solve(amount)
            require_output(amount, dy)
            return (dy - dy * fee // FEE_DENOMINATOR) * WAD // rate

        def quote_unscaled(amount: int) -> int:
            dy, fee = solve(amount)
            require_output(amount, dy)
            dy = dy * WAD // rate
            return dy - dy * fee // FEE_DENOMINATOR

        return quote_unscaled if self.flavour is StableFlavour.THREEPOOL else quote

    def _given(self, side_in: int, side_out: int) -> Quoter:
        solve, rate = self._solver(side_in, side_out), self.rates_wad[side_out]

        def given(amount: int) -> int:
            dy, fee = solve(amount)
            return max(0, (dy - dy * fee // FEE_DENOMINATOR) * WAD // rate)

        return given

    def _guess_in(self, side_in: int, side_out: int) -> Quoter:
        rate_in, rate_out = self.rates_wad[side_in], self.rates_wad[side_out]
        scaled = self._scaled
        keep = FEE_DENOMINATOR - self._fee_e10(side_in, side_out)
        d = compute_d(scaled, self.amp, self.flavour)

        def get_dx(amount: int) -> int:
            left = scaled[side_out] - (amount * rate_out // WAD + 1) * FEE_DENOMINATOR // keep
            if left <= 0:
                refuse(f"{amount} and its fee asked of {self.balances[side_out]}")
            after = list(scaled)
            after[side_out] = left
            x = compute_y(after, side_in, d, self.amp, self.flavour)
            return (x - scaled[side_in]) * WAD // rate_in

        return get_dx

    def _exchange(self, side_in: int, side_out: int, amount_in: int) -> Exchanged[Self]:
        dy, fee = self._solver(side_in, side_out)(amount_in)
        require_output(amount_in, dy)
        rate, taken = self.rates_wad[side_out], dy * fee // FEE_DENOMINATOR
        given = (dy - taken) * WAD // rate
        admin = taken * self.admin_fee_e10 // FEE_DENOMINATOR * WAD // rate
        balances = list(self.balances)
        balances[side_in] += amount_in
        balances[side_out] -= given + admin
        return Exchanged(given, fee, replace(self, balances=tuple(balances)))

    def _apply_other(self, log: Log) -> Self | None:
        change = decode_liquidity_change(log, len(self.tokens))
        if change is not None:
            fees = change.fees or (0,) * len(self.tokens)
            moves = zip(self.balances, change.amounts, fees, strict=True)
            admin = self.admin_fee_e10
            return replace(
                self,
                balances=tuple(held + moved - fee * admin // FEE_DENOMINATOR for held, moved, fee in moves),
            )
        first, second, *times = (unsigned_word(log.data, index) for index in range(4))
        match log.topics[0]:
            case RAMP_A.topic:
                return replace(self, amp=first, ramp=Ramp((first,), (second,), *times))
            case STOP_RAMP_A.topic:
                return replace(self, amp=first, ramp=None)
            case NEW_FEE.topic:
                return replace(self, swap_fee_e10=first, admin_fee_e10=second)
            case APPLY_NEW_FEE.topic:
                return replace(self, swap_fee_e10=first, offpeg_multiplier_e10=second)
        return None

    def _spot_price(self, side_in: int, side_out: int) -> Fraction:
        d = compute_d(self._scaled, self.amp, self.flavour)
        if not d:
            refuse("the pool is empty")
        amp_total = Fraction(self.amp * len(self.tokens), self.flavour.amp_precision)
        marginal = get_stable_price(amp_total, d, self._scaled, side_in, side_out)
        return marginal * self.rates_wad[side_in] / self.rates_wad[side_out]

    def _fee_e10(self, side_in: int, side_out: int) -> int:
        scaled = self._scaled
        return compute_fee(scaled[side_in], scaled[side_out], self.swap_fee_e10, self.offpeg_multiplier_e10)

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
