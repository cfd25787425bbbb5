"""A small exact constant-product pool, and markets of them, for tests that need no venue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from hypothesis import strategies as st

from onchain_exec.core import BlockRef, Exact, Order, Token, to_address
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues import PoolSet, SwapResult

PIPS = 10**6
BLOCK = BlockRef(1, 100, "0x" + "ab" * 32, 1_700_000_000, 10**9, 30_000_000)
TRADER = to_address("0x" + "77" * 20)


def make_token(number: int, decimals: int = 18) -> Token:
    return Token(1, to_address(number.to_bytes(20, "big")), f"T{number}", decimals)


A, B, C, D = (make_token(number) for number in range(1, 5))


@dataclass(frozen=True, slots=True)
class ConstantProductPool:
    kind: ClassVar[str] = "constant_product"

    number: int
    tokens: tuple[Token, Token]
    reserves: tuple[int, int]
    fee: int = 3_000

    @property
    def address(self):
        return to_address((self.number + 2**80).to_bytes(20, "big"))

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.address}"

    def _sides(self, token_in: Token, token_out: Token) -> tuple[int, int]:
        if {token_in, token_out} != set(self.tokens):
            raise InputError(f"{self.key} does not trade {token_in} for {token_out}")
        return self.reserves if token_in == self.tokens[0] else (self.reserves[1], self.reserves[0])

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Callable[[int], int]:
        return lambda amount: self.quote(token_in, token_out, amount, exact)

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        reserve_in, reserve_out = self._sides(token_in, token_out)
        keep = PIPS - self.fee
        if exact is Exact.IN:
            given = amount * keep * reserve_out // (reserve_in * PIPS + amount * keep)
            if given == 0:
                raise PoolRevertError("INSUFFICIENT_OUTPUT_AMOUNT")
            return given
        if amount >= reserve_out:
            raise PoolRevertError("INSUFFICIENT_LIQUIDITY")
        return reserve_in * amount * PIPS // ((reserve_out - amount) * keep) + 1

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        other = self.quote(token_in, token_out, amount, exact)
        amount_in, amount_out = (amount, other) if exact is Exact.IN else (other, amount)
        reserve_in, reserve_out = self._sides(token_in, token_out)
        reserves = (reserve_in + amount_in, reserve_out - amount_out)
        after = replace(self, reserves=reserves if token_in == self.tokens[0] else reserves[::-1])
        return SwapResult(amount_in, amount_out, amount_in * self.fee // PIPS, after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        reserve_in, reserve_out = self._sides(token_in, token_out)
        return Fraction(reserve_out, reserve_in)

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        return self.fee

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError


def pool_set(*pools: ConstantProductPool) -> PoolSet:
    return PoolSet(BLOCK, pools)


def make_order(amount: int, exact: Exact = Exact.IN, **changes: Any) -> Order:
    order = Order("1", "", TRADER, TRADER, A, B, amount, exact, 50, BLOCK.timestamp + 600)
    return replace(order, **changes)


reserves = st.integers(10**6, 10**27)
fees = st.sampled_from((0, 100, 500, 3_000, 10_000))


@st.composite
def markets(draw, max_pools: int = 6) -> PoolSet:
    """A market of up to ``max_pools`` pools over four tokens that always trades A for B."""
    pairs = draw(
        st.lists(st.sampled_from(((A, B), (A, C), (C, B), (B, D), (D, A), (C, D))), max_size=max_pools - 1)
    )
    return pool_set(
        *(
            ConstantProductPool(number, pair, (draw(reserves), draw(reserves)), draw(fees))
            for number, pair in enumerate([(A, B), *pairs])
        )
    )
