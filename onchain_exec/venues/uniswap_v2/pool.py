"""The constant-product pair of Uniswap v2 and its forks, whose fee is data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from math import gcd
from typing import Any, ClassVar, Final, NoReturn, Self

from onchain_exec.core import Address, Exact, Log, Token, to_address
from onchain_exec.core.abi import Event
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import BPS, PIPS
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.fill import PoolFill, make_pair_fill
from onchain_exec.venues.pool import Source, SwapResult, sells_token0
from onchain_exec.venues.words import unsigned_word

MAX_RESERVE: Final = (1 << 112) - 1
SYNC: Final = Event("Sync(uint112,uint112)", (), ("uint112", "uint112"))
SWAP: Final = Event(
    "Swap(address,uint256,uint256,uint256,uint256,address)",
    ("address", "address"),
    ("uint256", "uint256", "uint256", "uint256"),
)
MINT: Final = Event("Mint(address,uint256,uint256)", ("address",), ("uint256", "uint256"))
BURN: Final = Event("Burn(address,uint256,uint256,address)", ("address", "address"), ("uint256", "uint256"))


@dataclass(frozen=True, slots=True)
class UniswapV2Pool:
    """A pair at its reserves; its balances are taken to equal them, as after every swap.

    ``swap_fee_pips`` is the fee on the input: 3_000 for Uniswap, 2_500 for PancakeSwap.
    """

    kind: ClassVar[str] = "uniswap_v2"

    address: Address
    token0: Token
    token1: Token
    reserve0: int
    reserve1: int
    swap_fee_pips: int = 3_000

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Token 0 and token 1, by address."""
        return self.token0, self.token1

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Callable[[int], int]:
        """Return the fast path of one direction.

        Mirror of ``UniswapV2Library.getAmountOut`` (rounded down) and ``getAmountIn`` (rounded up),
        and of what ``UniswapV2Pair.swap`` refuses.

        Raises (the returned function too):
            PoolRevertError: no liquidity, nothing in or out, or a reserve beyond uint112.
        """
        reserve_in, reserve_out = self._reserves(token_in, token_out)
        keep, whole = _reduce(PIPS - self.swap_fee_pips, PIPS)
        scaled_reserve_in = reserve_in * whole
        largest_in = MAX_RESERVE - reserve_in

        def quote_in(amount_in: int) -> int:
            if 0 < amount_in <= largest_in:
                kept = amount_in * keep
                if amount_out := kept * reserve_out // (scaled_reserve_in + kept):
                    return amount_out
            return _refuse_in(amount_in, reserve_in)

        def quote_out(amount_out: int) -> int:
            if not 0 < amount_out < reserve_out:
                return _refuse_out(amount_out, reserve_out)
            amount_in = scaled_reserve_in * amount_out // ((reserve_out - amount_out) * keep) + 1
            return amount_in if amount_in <= largest_in else _refuse_in(amount_in, reserve_in)

        return quote_in if exact is Exact.IN else quote_out

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        if exact is Exact.OUT:
            return self.quoter(token_in, token_out, exact)(amount)
        return self._quote_in(token_in, token_out, amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the swap of ``amount`` with the pair after it; raises as `quoter` does.

        ``fee_amount`` is the part of the input that is not priced, rounded up.
        """
        if exact is Exact.OUT:
            amount_in, amount_out = self.quote(token_in, token_out, amount, exact), amount
        else:
            amount_in, amount_out = amount, self._quote_in(token_in, token_out, amount)
        fee_amount = amount_in - amount_in * (PIPS - self.swap_fee_pips) // PIPS
        after = partial(self._after, token_in, amount_in, amount_out)
        return SwapResult(amount_in, amount_out, fee_amount, after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return base units of token_out per base unit of token_in, without fee."""
        reserve_in, reserve_out = self._reserves(token_in, token_out)
        return Fraction(reserve_out, reserve_in)

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee on the input, in 1e-6."""
        return self.swap_fee_pips

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the spot price by at most ``impact_bps``.

        0 where the pair refuses all such amounts, as they are too small to give anything.
        """
        reserve_in, reserve_out = self._reserves(token_in, token_out)
        keep_bps = BPS - impact_bps

        def holds(amount_in: int) -> bool:
            after_out = reserve_out - self._get_amount_out(amount_in, reserve_in, reserve_out)
            return after_out * reserve_in * BPS >= reserve_out * (reserve_in + amount_in) * keep_bps

        largest = find_largest(holds, 0, MAX_RESERVE - reserve_in)
        return largest if self._get_amount_out(largest, reserve_in, reserve_out) else 0

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pair itself."""
        return ((self.address, b""),)

    def apply(self, log: Log) -> Self:
        """Return the pair after an event of the chain (``Sync``); other logs leave it as it is."""
        if log.address != self.address or log.topics[0] != SYNC.topic:
            return self
        return replace(self, reserve0=unsigned_word(log.data), reserve1=unsigned_word(log.data, 1))

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap of a ``Swap`` log of this pair; what came in and went out of a token is netted."""
        if log.address != self.address or log.topics[0] != SWAP.topic:
            return None
        in0, in1, out0, out1 = (unsigned_word(log.data, index) for index in range(4))
        return make_pair_fill(self.tokens, in0 - out0, in1 - out1)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [self.token0.address, self.token1.address],
            "fee_pips": str(self.swap_fee_pips),
            "reserves": [str(self.reserve0), str(self.reserve1)],
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        token0, token1 = tokens
        reserve0, reserve1 = (int(reserve) for reserve in state["reserves"])
        return cls(to_address(state["address"]), token0, token1, reserve0, reserve1, int(state["fee_pips"]))

    def _quote_in(self, token_in: Token, token_out: Token, amount_in: int) -> int:
        # a quoter is worth its making for several quotes only: a route asks hundreds of pairs once
        reserve_in, reserve_out = self._reserves(token_in, token_out)
        fits = 0 < amount_in <= MAX_RESERVE - reserve_in
        if fits and (amount_out := self._get_amount_out(amount_in, reserve_in, reserve_out)):
            return amount_out
        return _refuse_in(amount_in, reserve_in)

    def _get_amount_out(self, amount_in: int, reserve_in: int, reserve_out: int) -> int:
        kept = amount_in * (PIPS - self.swap_fee_pips)
        return kept * reserve_out // (reserve_in * PIPS + kept)

    def _after(self, token_in: Token, amount_in: int, amount_out: int) -> Self:
        if token_in.address == self.token0.address:
            reserves = self.reserve0 + amount_in, self.reserve1 - amount_out
        else:
            reserves = self.reserve0 - amount_out, self.reserve1 + amount_in
        # not replace(), which takes as long as the rest of the swap: a sandwich tries hundreds of them
        return type(self)(self.address, self.token0, self.token1, *reserves, self.swap_fee_pips)

    def _reserves(self, token_in: Token, token_out: Token) -> tuple[int, int]:
        reserve0, reserve1 = self.reserve0, self.reserve1
        if not reserve0 or not reserve1:
            raise PoolRevertError("UniswapV2: INSUFFICIENT_LIQUIDITY", found=f"{self.key} holds no liquidity")
        return (reserve0, reserve1) if sells_token0(self, token_in, token_out) else (reserve1, reserve0)


@cache
def _reduce(numerator: int, denominator: int) -> tuple[int, int]:
    """Return the fraction in lowest terms (997/1000): same quotients from smaller numbers."""
    divisor = gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor


def _refuse_in(amount_in: int, reserve_in: int) -> NoReturn:
    if amount_in <= 0:
        raise PoolRevertError("UniswapV2: INSUFFICIENT_INPUT_AMOUNT", found=f"amount_in {amount_in}")
    if amount_in > MAX_RESERVE - reserve_in:
        raise PoolRevertError("UniswapV2: OVERFLOW", found=f"{amount_in} onto {reserve_in}", needed="uint112")
    raise PoolRevertError(
        "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT",
        found=f"{amount_in} in gives nothing out",
        todo="Ask for more",
    )


def _refuse_out(amount_out: int, reserve_out: int) -> NoReturn:
    if amount_out <= 0:
        raise PoolRevertError("UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT", found=f"amount_out {amount_out}")
    raise PoolRevertError(
        "UniswapV2: INSUFFICIENT_LIQUIDITY",
        found=f"{amount_out} asked of a reserve of {reserve_out}",
        needed="less than the reserve",
    )
