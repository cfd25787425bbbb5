"""What Curve's pools have in common: sides, searches for exact output, text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from onchain_exec.core import Address, Exact, Log, Token, to_address
from onchain_exec.core.fixed_point import PIPS, div_up
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.venues.curve.exchange import (
    HARMLESS,
    Exchange,
    Receiver,
    decode_exchange,
    encode_exchange,
)
from onchain_exec.venues.curve.revert import refuse
from onchain_exec.venues.curve.stable_math import FEE_DENOMINATOR
from onchain_exec.venues.depth import find_depth
from onchain_exec.venues.exact_out import find_amount_in
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.pool import Source, SwapResult
from onchain_exec.venues.sides import find_sides
from onchain_exec.venues.terms import SwapTerms

Quoter = Callable[[int], int]
AnyPool = TypeVar("AnyPool", bound="CurvePool")


class Exchanged(NamedTuple, Generic[AnyPool]):
    """What ``exchange`` gives, its fee on the output in 1e-10, and the pool after it."""

    amount_out: int
    fee_e10: int
    pool_after: AnyPool


@dataclass(frozen=True, slots=True)
class CurvePool:
    """A pool of Curve's at its balances, without the admin's fees."""

    kind: ClassVar[str]
    index: ClassVar[str]
    """The type of its tokens' indexes."""

    address: Address
    tokens: tuple[Token, ...]
    balances: tuple[int, ...]
    receiver: Receiver = field(default=Receiver.CALLER, kw_only=True)

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction.

        Exact.IN is the contract's ``get_dy``. Exact.OUT is the smallest input whose exchange reaches the
        output. Where ``exchange`` differs from a quote, the kind says how.

        Raises (the returned function too):
            PoolRevertError: the contract would revert; most of its checks give no reason.
            StaleStateError: the state after a swap is not known.
        """
        sides = find_sides(self, token_in, token_out)
        return self._get_dy(*sides) if exact is Exact.IN else self._smallest_in(*sides)

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return what ``exchange`` does with ``amount``, and the pool after it; raises as `quoter` does.

        Exact.OUT exchanges the smallest input that reaches ``amount``; what comes out above it, less
        than one more unit of input is worth, is in ``pool_after`` only. ``fee_amount`` is the fee's
        share of the input, rounded down: the contract takes it from the output.
        """
        sides = find_sides(self, token_in, token_out)
        amount_in = amount if exact is Exact.IN else self._smallest_in(*sides)(amount)
        given, fee_e10, after = self._exchange(*sides, amount_in)
        amount_out = given if exact is Exact.IN else amount
        return SwapResult(amount_in, amount_out, amount_in * fee_e10 // FEE_DENOMINATOR, lambda: after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return the invariant's marginal price at the balances, base units, without fee."""
        return self._spot_price(*find_sides(self, token_in, token_out))

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee at the balances as they are, in 1e-6, rounded up."""
        return div_up(self._fee_e10(*find_sides(self, token_in, token_out)) * PIPS, FEE_DENOMINATOR)

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the spot price by at most ``impact_bps``."""
        return find_depth(self, token_in, token_out, impact_bps)

    @abstractmethod
    def at(self, traded_at: int) -> Self:
        """Return the pool as a block of this time (unix seconds) finds it if nobody trades before."""

    @property
    @abstractmethod
    def sources(self) -> tuple[Source, ...]:
        """The pool itself; none where some of its state moves without an event."""

    def encode_swap(
        self, token_in: Token, token_out: Token, terms: SwapTerms, payer: Address
    ) -> tuple[Address, bytes, int]:
        """Return (to, calldata, 0) of ``exchange``; ``payer`` sends it and lets the pool take token_in.

        Curve knows no deadline: what ``terms`` say of it only our Router keeps.

        Raises:
            InputError: exact output, or a recipient that the pool cannot be told; see `encode_exchange`.
        """
        sides = find_sides(self, token_in, token_out)
        return self.address, encode_exchange(self.index, self.receiver, sides, terms, payer), 0

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap of a ``TokenExchange`` log of this pool; None for any other log."""
        found = decode_exchange(log) if log.address == self.address else None
        if found is None:
            return None
        sides = self.tokens[found.side_in], self.tokens[found.side_out]
        return PoolFill(*sides, found.amount_in, found.amount_out)

    def apply(self, log: Log) -> Self:
        """Return the pool after an event of the chain; other logs leave it as it is.

        An exchange is computed anew, in a block of the time that `at` was told, and compared.

        Raises:
            StaleStateError: the exchange gave something else than it would have here, or the event does
                not tell all that it changed. Read the pool again.
        """
        if log.address != self.address or log.topics[0] in HARMLESS:
            return self
        exchange = decode_exchange(log)
        after = self._apply_exchange(exchange, log) if exchange else self._apply_other(log)
        if after is None:
            raise StaleStateError(
                f"{self.key} told an event of topic 0x{log.topics[0].hex()}",
                needed="one that follows from the state known here",
                todo="Read the pool again",
            )
        return after

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [token.address for token in self.tokens],
            "balances": [str(balance) for balance in self.balances],
            "receiver": self.receiver.value,
        }

    @classmethod
    @abstractmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""

    @abstractmethod
    def _get_dy(self, side_in: int, side_out: int) -> Quoter:
        """Return the contract's own quote."""

    @abstractmethod
    def _given(self, side_in: int, side_out: int) -> Quoter:
        """Return what ``exchange`` gives."""

    @abstractmethod
    def _guess_in(self, side_in: int, side_out: int) -> Quoter:
        """Return about what has to go in for an amount out."""

    @abstractmethod
    def _exchange(self, side_in: int, side_out: int, amount_in: int) -> Exchanged[Self]: ...

    @abstractmethod
    def _spot_price(self, side_in: int, side_out: int) -> Fraction: ...

    @abstractmethod
    def _fee_e10(self, side_in: int, side_out: int) -> int: ...

    @abstractmethod
    def _apply_other(self, log: Log) -> Self | None:
        """Return the pool after an event that is no exchange; None if it does not tell all."""

    def _apply_exchange(self, exchange: Exchange, log: Log) -> Self | None:
        """Return the pool after an exchange; None if it would not have given the same here."""
        try:
            done = self._exchange(exchange.side_in, exchange.side_out, exchange.amount_in)
        except PoolRevertError:
            return None
        return done.pool_after if done.amount_out == exchange.amount_out else None

    def _smallest_in(self, side_in: int, side_out: int) -> Quoter:
        """Return the search for the smallest input whose exchange reaches an output."""
        given, guess = self._given(side_in, side_out), self._guess_in(side_in, side_out)
        held = self.balances[side_out]

        def quote(amount: int) -> int:
            if not 0 < amount < held:
                refuse(f"{amount} asked of a balance of {held}")
            return find_amount_in(given, amount, guess(amount))

        return quote


def parse_pool(
    state: dict[str, Any], tokens: tuple[Token, ...]
) -> tuple[Address, tuple[Token, ...], tuple[int, ...]]:
    """Return the first fields of `CurvePool` from what `CurvePool.to_json` wrote."""
    return to_address(state["address"]), tokens, tuple(int(balance) for balance in state["balances"])


def parse_receiver(state: dict[str, Any]) -> Receiver:
    """Return how the pool is told whom to pay; a state without it pays its caller."""
    return Receiver(state.get("receiver", Receiver.CALLER.value))
