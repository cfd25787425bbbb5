"""What v3 and v4 pools have in common: the `Pool` protocol over a `Curve`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from typing import Any, ClassVar, NamedTuple, Self

from onchain_exec.core import Address, Exact, Log, Token
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import BPS, MAX_INT256, Q192, div_up
from onchain_exec.errors import PartialFillError, PoolRevertError
from onchain_exec.venues.concentrated.curve import Curve, Move
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.concentrated.quoters import Quoter, make_quoter
from onchain_exec.venues.concentrated.ticks import Ticks
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.pool import SwapResult, sells_token0


class Reverts(NamedTuple):
    """What a protocol's swap says when it refuses; empty where it gives no reason."""

    not_initialised: str
    no_amount: str
    amount_too_large: str
    limit_passed: str
    limit_out_of_bounds: str


@dataclass(frozen=True, slots=True)
class ConcentratedPool:
    """A pool of two tokens on a `Curve`. ``address`` is its contract, or the singleton it lives in."""

    kind: ClassVar[str]
    reverts: ClassVar[Reverts]

    address: Address
    token0: Token
    token1: Token
    curve: Curve

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Token 0 and token 1, by address."""
        return self.token0, self.token1

    def curve_for(self, down: bool) -> Curve:
        """Return the curve with the fee of one direction, where they differ."""
        return self.curve

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction.

        Exact.IN gives amount_out rounded down, Exact.OUT amount_in rounded up, both in the pool's
        favour, as its contract swaps.

        Raises (the returned function too):
            PoolRevertError: the contract would revert.
            PartialFillError: the liquidity ends before the amount.
        """
        down = sells_token0(self, token_in, token_out)
        self._require_initialised()

        def slow(amount: int) -> int:
            move = self._move(down, amount, exact)
            return move.amount_out if exact is Exact.IN else move.amount_in

        return make_quoter(self.curve_for(down).path(down), exact, slow)

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the whole swap of ``amount``, with the pool after it; raises as `quoter` does."""
        down = sells_token0(self, token_in, token_out)
        return self._result(self._move(down, amount, exact))

    def swap_to_price(
        self, token_in: Token, token_out: Token, amount: int, exact: Exact, limit_x96: int
    ) -> SwapResult:
        """Return the swap of ``amount`` that ends where the price reaches ``limit_x96``.

        The result may be less than the amount: that is what a limit asks for. Mirror of the
        contract's ``swap`` with ``sqrtPriceLimitX96``.

        Raises:
            PoolRevertError: the limit is behind the price or out of bounds, or the contract would
                revert otherwise.
        """
        down = sells_token0(self, token_in, token_out)
        return self._result(self._move_to(down, amount, exact, limit_x96))

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return base units of token_out per base unit of token_in, without fee."""
        self._require_initialised()
        price1_per_0 = Fraction(self.curve.sqrt_price_x96**2, Q192)
        return price1_per_0 if sells_token0(self, token_in, token_out) else 1 / price1_per_0

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee on the input, in 1e-6."""
        return self.curve_for(sells_token0(self, token_in, token_out)).fee_pips

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the spot price by at most ``impact_bps``.

        At most what the pool can trade: where the liquidity ends before, all that it takes.
        """
        down = sells_token0(self, token_in, token_out)
        self._require_initialised()
        curve = self.curve_for(down)
        limit, reaching = _price_limit(self.curve.sqrt_price_x96, down, impact_bps), 0
        if limit != self.curve.sqrt_price_x96:
            reaching = curve.swap(down, MAX_INT256, Exact.IN, limit).amount_in

        def holds(amount: int) -> bool:
            move = curve.swap(down, amount, Exact.IN, get_end_price(down))
            after = move.curve.sqrt_price_x96
            return move.amount_in == amount and (after >= limit if down else after <= limit)

        # rounded up, what reaches the limit may reach further; a unit less never does
        return find_largest(holds, max(0, reaching - 1), MAX_INT256)

    @abstractmethod
    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap that a log of this pool tells; None for any other log."""

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings.

        ``liquidity_gross``, in the order of the ticks, is there only if it is known.
        """
        ticks = self.curve.ticks
        state: dict[str, Any] = {
            "kind": self.kind,
            "address": self.address,
            "tokens": [self.token0.address, self.token1.address],
            "fee_pips": str(self.curve.fee_pips),
            "tick_spacing": str(ticks.spacing),
            "sqrt_price_x96": str(self.curve.sqrt_price_x96),
            "tick": str(self.curve.tick),
            "liquidity": str(self.curve.liquidity),
            "ticks": [
                [str(tick), str(net)] for tick, net in zip(ticks.indexes, ticks.liquidity_net, strict=True)
            ],
        }
        if ticks.liquidity_gross is not None:
            state["liquidity_gross"] = [str(gross) for gross in ticks.liquidity_gross]
        return state

    def with_curve(self, curve: Curve) -> Self:
        """Return the pool with another curve."""
        return replace(self, curve=curve)

    def _result(self, move: Move) -> SwapResult:
        def make_after() -> ConcentratedPool:
            return self.with_curve(move.curve.with_fee(self.curve.fee_pips))

        return SwapResult(move.amount_in, move.amount_out, move.fee_amount, make_after, move.ticks_crossed)

    def _move(self, down: bool, amount: int, exact: Exact) -> Move:
        move = self._move_to(down, amount, exact, get_end_price(down))
        if (move.amount_in if exact is Exact.IN else move.amount_out) != amount:
            raise PartialFillError(f"{amount} {exact.value}", move.amount_in, move.amount_out)
        return move

    def _move_to(self, down: bool, amount: int, exact: Exact, limit_x96: int) -> Move:
        self._require_swappable(amount)
        self._require_limit(down, limit_x96)
        return self.curve_for(down).swap(down, amount, exact, limit_x96)

    def _require_swappable(self, amount: int) -> None:
        if amount == 0:
            raise PoolRevertError(self.reverts.no_amount)
        if not 0 < amount <= MAX_INT256:
            raise PoolRevertError(
                self.reverts.amount_too_large, found=f"{amount} base units", needed="1 to 2**255-1"
            )
        self._require_initialised()

    def _require_initialised(self) -> None:
        if self.curve.sqrt_price_x96 == 0:
            raise PoolRevertError(self.reverts.not_initialised, found=f"{self.key} has no price yet")

    def _require_limit(self, down: bool, limit_x96: int) -> None:
        price, end = self.curve.sqrt_price_x96, get_end_price(down)
        if limit_x96 >= price if down else limit_x96 <= price:
            raise PoolRevertError(self.reverts.limit_passed, found=f"limit {limit_x96} at price {price}")
        if limit_x96 < end if down else limit_x96 > end:
            raise PoolRevertError(self.reverts.limit_out_of_bounds, found=f"limit {limit_x96}")


def curve_from_json(state: dict[str, Any]) -> Curve:
    """Return the curve that `ConcentratedPool.to_json` wrote."""
    gross = state.get("liquidity_gross")
    return Curve(
        int(state["sqrt_price_x96"]),
        int(state["tick"]),
        int(state["liquidity"]),
        int(state["fee_pips"]),
        Ticks(
            int(state["tick_spacing"]),
            tuple(int(tick) for tick, _ in state["ticks"]),
            tuple(int(net) for _, net in state["ticks"]),
            None if gross is None else tuple(int(amount) for amount in gross),
        ),
    )


def _price_limit(sqrt_price_x96: int, down: bool, impact_bps: int) -> int:
    """Return the furthest sqrt price within ``impact_bps`` of what a seller gets per unit."""
    squared, keep = sqrt_price_x96**2, BPS - impact_bps
    if down:
        lowest = div_up(squared * keep, BPS)
        limit = isqrt(lowest - 1) + 1 if lowest else 0
        return max(limit, get_end_price(down))
    return min(isqrt(squared * BPS // keep), get_end_price(down)) if keep > 0 else get_end_price(down)
