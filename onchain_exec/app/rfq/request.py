"""What a taker asks makers for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from onchain_exec.app.request import Request
from onchain_exec.core import Address, Exact, Token

SETTLE_S: Final = 60
"""How long after its last second for quotes a request may be settled: quotes must be good until then."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A request in the taker's words: ``trade`` with its client order id, which names the request for ever;
    for how long quotes are taken; and the least that it may get, or the most that it may pay, base units."""

    trade: Request
    good_for_s: int = 10
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """A request that makers see: the ``taker`` pays ``token_in`` for ``token_out``, of which ``exact`` fixes
    the ``amount``, base units. ``limit`` bounds the other side, for the taker alone to know.

    ``gas_price`` is what a unit of gas costs in base units of the side that is not fixed; 0 where no source
    tells.
    """

    request_id: str
    taker: Address
    token_in: Token
    token_out: Token
    amount: int
    exact: Exact
    expires_at: int
    limit: int | None = None
    gas_price: Fraction = Fraction()

    @property
    def settle_by(self) -> int:
        """The last second at which it may be settled."""
        return self.expires_at + SETTLE_S

    def is_same(self, other: QuoteRequest) -> bool:
        """Return whether both ask for the same, whenever they were made."""
        return (self.token_in, self.token_out, self.amount, self.exact, self.limit) == (
            other.token_in, other.token_out, other.amount, other.exact, other.limit
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return what makers are told, as JSON values."""
        return {
            "request_id": self.request_id,
            "taker": self.taker,
            "taker_pays": self.token_in.address,
            "taker_gets": self.token_out.address,
            "amount": str(self.amount),
            "exact": self.exact.value,
            "expires_at": self.expires_at,
            "settle_by": self.settle_by,
        }
