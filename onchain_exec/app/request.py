"""What a caller asks for, before anything is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypedDict

from onchain_exec.core import Condition, Exact, Token, parse_amount, require_base_units
from onchain_exec.errors import AmountError, InputError

Amount = str | Decimal

_LONGEST_ID: Final = 128


class OrderOptions(TypedDict, total=False):
    """What an order may be given besides tokens and amount, as `Request` has it."""

    amount_base_units: int | None
    max_slippage_bps: int | None
    client_order_id: str | None
    conditions: Sequence[Condition]


def require_client_order_id(name: str | None) -> None:
    """Raise InputError for a client order id that cannot name one order for ever. An empty one, which a
    caller may have by mistake, is not none: each call with it would be another order."""
    if name is None:
        return
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _LONGEST_ID:
        raise InputError(
            f"the client order id {name!r:.80}",
            needed=f"text of 1 to {_LONGEST_ID} printable characters, or None for an order without",
        )


@dataclass(frozen=True, slots=True)
class Request:
    """A trade in the caller's words. Exactly one of ``amount`` (whole tokens, text or Decimal) and
    ``amount_base_units`` is given; it counts the token that ``exact`` fixes. ``conditions`` must hold
    after the swap."""

    sell: str
    buy: str
    amount: Amount | None = None
    amount_base_units: int | None = None
    exact: Exact = Exact.IN
    max_slippage_bps: int | None = None
    client_order_id: str | None = None
    conditions: Sequence[Condition] = ()

    def require_sound(self) -> None:
        """Raise InputError for what is wrong whatever the chain says."""
        require_client_order_id(self.client_order_id)
        if not isinstance(self.exact, Exact):  # "in" is not Exact.IN, and would trade as its contrary
            raise InputError(f"exact is {self.exact!r}", needed="Exact.IN or Exact.OUT")
        if not all(isinstance(condition, Condition) for condition in self.conditions):
            raise InputError("a condition of another type", needed="Condition.at_least(...) and the like")
        if (self.amount is None) == (self.amount_base_units is None):
            raise AmountError(
                "no amount is given" if self.amount is None else "two amounts are given",
                needed='one: amount="25" in whole tokens (--amount), or amount_base_units=25000000',
            )
        slippage = self.max_slippage_bps
        if slippage is not None and (isinstance(slippage, bool) or not isinstance(slippage, int)):
            raise InputError(
                f"max_slippage_bps is {slippage!r}", needed="an int of basis points: 30 is 0.30 %"
            )
        if slippage is not None and not 0 <= slippage < 10_000:
            raise InputError(f"max_slippage_bps is {slippage}", needed="0 to 9,999 basis points")

    def get_base_units(self, token_in: Token, token_out: Token) -> int:
        """Return the amount in base units of the token it counts."""
        token = token_in if self.exact is Exact.IN else token_out
        if self.amount_base_units is not None:
            return require_base_units(self.amount_base_units, token)
        return parse_amount(self.amount or "", token)
