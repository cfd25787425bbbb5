"""The pools of Solidly, Velodrome and Aerodrome: volatile (x * y) and stable (x**3 * y + y**3 * x)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, NoReturn, Self

from onchain_exec.core import Address, Exact, Log, Token, to_address
from onchain_exec.core.fixed_point import MAX_UINT256, PIPS, WAD, div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.depth import find_depth
from onchain_exec.venues.exact_out import find_amount_in
from onchain_exec.venues.fill import PoolFill, make_pair_fill
from onchain_exec.venues.pool import Source, SwapResult, sells_token0
from onchain_exec.venues.solidly.events import SWAPS, SYNC
from onchain_exec.venues.solidly.stable_curve import Variant, compute_k, find_y, find_y_solidly, panic
from onchain_exec.venues.words import unsigned_word

Quoter = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class SolidlyPool:
    """A pool at its reserves. ``swap_fee_pips`` is the factory's fee on the input (30 of 10,000 is
    3_000 pips), which leaves the pool at once."""

    kind: ClassVar[str] = "solidly"

    address: Address
    token0: Token
    token1: Token
    reserve0: int
    reserve1: int
    stable: bool
    swap_fee_pips: int
    variant: Variant = Variant.AERODROME

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Token 0 and token 1, by address."""
        return self.token0, self.token1

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction.

        Exact.IN is ``Pool.getAmountOut``, rounded down, and refuses what ``Pool.swap`` would: nothing
        out. Exact.OUT, which the contracts do not have, is the smallest input whose output reaches it.

        Raises (the returned function too):
            PoolRevertError: with the contract's reason, Panic(0x11) or Panic(0x12).
        """
        zero_for_one = sells_token0(self, token_in, token_out)
        given_in = self._stable_quoter(zero_for_one) if self.stable else self._volatile_quoter(zero_for_one)

        def quote_in(amount: int) -> int:
            amount_out = given_in(amount) if amount > 0 else 0
            if not amount_out:
                self._refuse("InsufficientOutputAmount", "IOA", f"{amount} in gives nothing out")
            return amount_out

        if exact is Exact.IN:
            return quote_in
        reserve_out = self.reserve1 if zero_for_one else self.reserve0

        def quote_out(amount: int) -> int:
            if amount <= 0:
                self._refuse("InsufficientOutputAmount", "IOA", f"amount_out {amount}")
            if amount >= reserve_out:
                self._refuse("InsufficientLiquidity", "IL", f"{amount} asked of {reserve_out}")
            return find_amount_in(given_in, amount, self._guess_amount_in(zero_for_one, amount))

        return quote_out

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the swap of ``amount`` with the pool after it; raises as `quoter` does.

        ``fee_amount`` is what the contract takes out of the pool, rounded down.
        """
        other = self.quote(token_in, token_out, amount, exact)
        amount_in, amount_out = (amount, other) if exact is Exact.IN else (other, amount)
        fee_amount = amount_in * self.swap_fee_pips // PIPS
        kept = amount_in - fee_amount
        if sells_token0(self, token_in, token_out):
            after = replace(self, reserve0=self.reserve0 + kept, reserve1=self.reserve1 - amount_out)
        else:
            after = replace(self, reserve0=self.reserve0 - amount_out, reserve1=self.reserve1 + kept)
        return SwapResult(amount_in, amount_out, fee_amount, lambda: after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return base units of token_out per base unit of token_in, without fee.

        Stable: (3 x**2 y + y**3) / (x**3 + 3 x y**2), x being what is sold, in 18 decimals.
        """
        zero_for_one = sells_token0(self, token_in, token_out)
        if not (self.reserve0 and self.reserve1):
            panic(0x12)
        x, y = _along(zero_for_one, (self.reserve0, self.reserve1))
        if not self.stable:
            return Fraction(y, x)
        unit_in, unit_out = _along(zero_for_one, self._units)
        x, y = x * unit_out, y * unit_in
        return Fraction((3 * x * x * y + y**3) * unit_out, (x**3 + 3 * x * y * y) * unit_in)

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee on the input, in 1e-6."""
        return self.swap_fee_pips

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the spot price by at most ``impact_bps``."""
        return find_depth(self, token_in, token_out, impact_bps)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pool itself. The factory's fee changes without an event, by its manager's hand."""
        return ((self.address, b""),)

    def apply(self, log: Log) -> Self:
        """Return the pool after an event of the chain (``Sync``); other logs leave it as it is."""
        if log.address != self.address or log.topics[0] != SYNC.topic:
            return self
        return replace(self, reserve0=unsigned_word(log.data), reserve1=unsigned_word(log.data, 1))

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap of a ``Swap`` log of this pool, whichever version's; None for any other log."""
        if log.address != self.address or log.topics[0] not in SWAPS:
            return None
        in0, in1, out0, out1 = (unsigned_word(log.data, index) for index in range(4))
        return make_pair_fill(self.tokens, in0 - out0, in1 - out1)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [self.token0.address, self.token1.address],
            "stable": self.stable,
            "fee_pips": str(self.swap_fee_pips),
            "reserves": [str(self.reserve0), str(self.reserve1)],
            "variant": self.variant.value,
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        reserve0, reserve1 = (int(reserve) for reserve in state["reserves"])
        token0, token1 = tokens
        return cls(
            to_address(state["address"]),
            token0,
            token1,
            reserve0,
            reserve1,
            state["stable"],
            int(state["fee_pips"]),
            Variant(state.get("variant", Variant.AERODROME.value)),
        )

    @property
    def _units(self) -> tuple[int, int]:
        """Base units of one whole token 0 and token 1."""
        return int(10**self.token0.decimals), int(10**self.token1.decimals)

    def _volatile_quoter(self, zero_for_one: bool) -> Quoter:
        """Return ``getAmountOut`` on x * y; 0 where nothing comes out."""
        reserve_in, reserve_out = _along(zero_for_one, (self.reserve0, self.reserve1))
        fee_pips = self.swap_fee_pips
        largest = MAX_UINT256 // max(reserve_out, fee_pips * 10_000 // PIPS, 1)

        def quote(amount: int) -> int:
            if amount > largest:
                panic(0x11)
            kept = amount - amount * fee_pips // PIPS
            if not reserve_in + kept:
                panic(0x12)
            return kept * reserve_out // (reserve_in + kept)

        return quote

    def _stable_quoter(self, zero_for_one: bool) -> Quoter:
        """Return ``getAmountOut`` on the stable curve; 0 where nothing comes out."""
        unit0, unit1 = self._units
        scaled = self.reserve0 * WAD // unit0, self.reserve1 * WAD // unit1
        k = compute_k(*scaled)
        reserve_in, reserve_out = _along(zero_for_one, scaled)
        unit_in, unit_out = _along(zero_for_one, self._units)
        find = self._find_y()
        fee_pips, largest = self.swap_fee_pips, MAX_UINT256 // WAD

        def quote(amount: int) -> int:
            if amount > largest:
                panic(0x11)
            x = reserve_in + (amount - amount * fee_pips // PIPS) * WAD // unit_in
            y = reserve_out - find(x, k, reserve_out)
            if y < 0:
                panic(0x11)
            return y * unit_out // WAD

        return quote

    def _find_y(self) -> Callable[[int, int, int], int]:
        if self.variant is Variant.SOLIDLY:
            return find_y_solidly
        decimals = self.token0.decimals, self.token1.decimals
        compared = decimals if self.variant is Variant.AERODROME else None
        return lambda x, k, y: find_y(x, k, y, compared)

    def _guess_amount_in(self, zero_for_one: bool, amount_out: int) -> int:
        """Return about what has to go in: the curve the other way round, and the fee on top."""
        reserve_in, reserve_out = _along(zero_for_one, (self.reserve0, self.reserve1))
        kept = div_up(reserve_in * amount_out, reserve_out - amount_out)
        if self.stable:
            unit_in, unit_out = _along(zero_for_one, self._units)
            scaled_in, scaled_out = reserve_in * WAD // unit_in, reserve_out * WAD // unit_out
            left = scaled_out - div_up(amount_out * WAD, unit_out)
            try:
                x = self._find_y()(left, compute_k(scaled_in, scaled_out), scaled_in)
            except PoolRevertError:  # this way round does not converge; the guess above is only worse
                x = scaled_in
            kept = div_up((x - scaled_in) * unit_in, WAD) or kept
        return max(kept - 1, 0) * PIPS // (PIPS - self.swap_fee_pips) + 1

    def _refuse(self, reason: str, old_reason: str, found: str) -> NoReturn:
        raise PoolRevertError(old_reason if self.variant is Variant.SOLIDLY else reason, found=found)


def _along(zero_for_one: bool, pair: tuple[int, int]) -> tuple[int, int]:
    """Return (of what is sold, of what is bought) of a pair of token 0's and token 1's."""
    return pair if zero_for_one else pair[::-1]
