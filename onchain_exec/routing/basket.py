"""Amounts of tokens that are traded together for one other token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from onchain_exec.core import Address, BlockRef, Exact, Token
from onchain_exec.errors import InputError
from onchain_exec.routing.route import Certificate, Proven, Terms
from onchain_exec.venues import Leg


@dataclass(frozen=True, slots=True)
class Basket:
    """``amounts`` (base units) are all sold for as much of ``priced`` as they bring (Exact.IN), or all
    bought for as little of it as they take (Exact.OUT)."""

    amounts: Mapping[Token, int]
    priced: Token
    exact: Exact = Exact.IN

    def __str__(self) -> str:
        listed = ", ".join(f"{amount} {token}" for token, amount in self.amounts.items())
        return f"{listed} for {self.priced}" if self.exact is Exact.IN else f"{self.priced} for {listed}"

    @classmethod
    def of(cls, terms: Terms) -> Self:
        """Return the basket of the one token of which ``terms`` fix the amount."""
        if terms.exact is Exact.IN:
            return cls({terms.token_in: terms.amount}, terms.token_out, terms.exact)
        return cls({terms.token_out: terms.amount}, terms.token_in, terms.exact)

    @property
    def tokens_in(self) -> tuple[Token, ...]:
        """What is sold."""
        return tuple(self.amounts) if self.exact is Exact.IN else (self.priced,)

    @property
    def tokens_out(self) -> tuple[Token, ...]:
        """What is bought."""
        return (self.priced,) if self.exact is Exact.IN else tuple(self.amounts)

    @property
    def fixed(self) -> dict[Address, int]:
        """``amounts`` by the tokens' addresses."""
        return {token.address: amount for token, amount in self.amounts.items()}

    def only(self, tokens: Iterable[Address]) -> Self:
        """Return the basket without the amounts of other tokens."""
        kept = set(tokens)
        return replace(self, amounts={t: amount for t, amount in self.amounts.items() if t.address in kept})

    def require_sound(self) -> None:
        """Return if there is something to trade.

        Raises:
            InputError: no token, one without an amount, twice the same, or ``priced`` itself.
        """
        if self.priced.address in self.fixed:
            raise InputError(f"{self.priced} is traded for itself", needed="two different tokens")
        for token, amount in self.amounts.items():
            if amount <= 0:
                raise InputError(f"the amount is {amount} base units of {token}", needed="more than zero")
        if not self.amounts or len(self.fixed) != len(self.amounts):
            raise InputError(
                f"a basket of {len(self.amounts)} amounts of {len(self.fixed)} tokens",
                needed="one amount of each token, and at least one token",
            )


@dataclass(frozen=True, slots=True)
class BasketRoute(Proven):
    """How a basket is traded: as a `Route` of `Shape.GRAPH`, with several tokens on one side.

    ``amounts_in`` and ``amounts_out`` are base units by token. A token that an Exact.IN basket sells and
    ``amounts_in`` does not have is left alone: no pool takes so little of it, or selling it is not worth
    its gas.
    """

    block: BlockRef
    exact: Exact
    amounts_in: Mapping[Token, int]
    amounts_out: Mapping[Token, int]
    legs: tuple[Leg, ...]
    gas_units: int
    certificate: Certificate

    @property
    def searched_amount(self) -> int:
        """The amount of the one token on the side that the basket leaves open."""
        (amount,) = (self.amounts_out if self.exact is Exact.IN else self.amounts_in).values()
        return amount
