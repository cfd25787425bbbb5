"""Wrapping the chain's own coin as a pool of two tokens, one to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from onchain_exec.core import Address, Exact, Log, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.erc20 import DEPOSIT, WITHDRAWAL
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.pool import SwapResult, sells_token0
from onchain_exec.venues.terms import SwapTerms
from onchain_exec.venues.words import unsigned_word

_DEPOSIT: Final = Function("deposit()")
_WITHDRAW: Final = Function("withdraw(uint256)")


@dataclass(frozen=True, slots=True)
class WrappedNativePool:
    """WETH9 and its like. The coin is token 0 (its address is zero), the wrapped coin token 1;
    ``held`` is what the contract holds of the coin, in wei: all that can be unwrapped."""

    kind: ClassVar[str] = "wrapped_native"

    native: Token
    wrapped: Token
    held: int

    @property
    def address(self) -> Address:
        """The contract of the wrapped coin."""
        return self.wrapped.address

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The coin and the wrapped coin."""
        return self.native, self.wrapped

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Callable[[int], int]:
        """Return the identity, up to what can be wrapped (``deposit``) or unwrapped (``withdraw``).

        Raises (the returned function):
            PoolRevertError: more is unwrapped than the contract holds.
        """
        largest = self.depth(token_in, token_out, 0)

        def quote(amount: int) -> int:
            if not 0 <= amount <= largest:
                raise PoolRevertError("", found=f"{amount} wei", needed=f"at most {largest}")
            return amount

        return quote

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the wrapping or unwrapping of ``amount``; raises as `quoter` does."""
        amount = self.quote(token_in, token_out, amount, exact)
        change = amount if sells_token0(self, token_in, token_out) else -amount
        return SwapResult(amount, amount, 0, lambda: replace(self, held=self.held + change))

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return one."""
        sells_token0(self, token_in, token_out)
        return Fraction(1)

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return 0."""
        return 0

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return all that can be wrapped or unwrapped: the price does not move."""
        return MAX_UINT256 - self.held if sells_token0(self, token_in, token_out) else self.held

    def encode_swap(
        self, token_in: Token, token_out: Token, terms: SwapTerms, payer: Address
    ) -> tuple[Address, bytes, int]:
        """Return (to, calldata, value in wei) of ``deposit`` or ``withdraw``; no deadline is kept.

        Raises:
            InputError: another recipient than ``payer``, whom alone the contract gives anything.
        """
        if terms.recipient != payer:
            raise InputError(
                f"{payer} wraps for {terms.recipient}", needed="the payer as recipient", todo="Send it on"
            )
        if sells_token0(self, token_in, token_out):
            return self.address, _DEPOSIT.encode(), terms.amount
        return self.address, _WITHDRAW.encode(terms.amount), 0

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return what a ``Deposit`` or ``Withdrawal`` log of the contract tells; None for any other log."""
        if log.address != self.address or log.topics[0] not in (DEPOSIT.topic, WITHDRAWAL.topic):
            return None
        amount = unsigned_word(log.data)
        sides = self.tokens if log.topics[0] == DEPOSIT.topic else self.tokens[::-1]
        return PoolFill(sides[0], sides[1], amount, amount)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [self.native.address, self.wrapped.address],
            "held": str(self.held),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        native, wrapped = tokens
        return cls(native, wrapped, int(state["held"]))
