"""What an order got, from the chain's own words: the balance changes in a canonical receipt."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import msgspec

from onchain_exec.core import Exact, Order, Receipt
from onchain_exec.core.fixed_point import BPS
from onchain_exec.oms.book.terms import QuoteTerms
from onchain_exec.venues.erc20 import get_balance_changes

_REPORT = Context(prec=28)


class Fill(msgspec.Struct, frozen=True, gc=False):
    """A mined swap: base units that left the account and reached the recipient, and the gas paid.

    ``slippage_bps`` compares with the quote that was signed, in exact basis points of it: positive
    is worse for the trader (less out for Exact.IN, more in for Exact.OUT).
    """

    order_id: str
    tx_hash: str
    block_number: int
    block_hash: str
    amount_in: int
    amount_out: int
    gas_cost_wei: int
    slippage_bps: Fraction

    def to_json(self) -> dict[str, Any]:
        """Return the fill as JSON values, amounts as text, slippage rounded to 28 digits."""
        slippage = _REPORT.divide(
            Decimal(self.slippage_bps.numerator), Decimal(self.slippage_bps.denominator)
        )
        return {
            "order_id": self.order_id,
            "tx_hash": self.tx_hash,
            "block_number": self.block_number,
            "block_hash": self.block_hash,
            "amount_in": str(self.amount_in),
            "amount_out": str(self.amount_out),
            "gas_cost_wei": str(self.gas_cost_wei),
            "slippage_bps": format(slippage, "f"),
        }


def get_moved_amounts(order: Order, receipt: Receipt) -> tuple[int, int]:
    """Return (amount_in, amount_out) of a successful swap: what the account gave of token_in and
    what the recipient got of token_out, net over the whole transaction, in base units."""
    given = get_balance_changes(receipt.logs, order.account)
    got = get_balance_changes(receipt.logs, order.recipient)
    return -given.get(order.token_in.address, 0), got.get(order.token_out.address, 0)


def get_slippage_bps(order: Order, quote: QuoteTerms, amount_in: int, amount_out: int) -> Fraction:
    """Return how much worse than quoted the fill is, in basis points of the quote (see `Fill`)."""
    if order.exact is Exact.IN:
        return Fraction((quote.amount_out - amount_out) * BPS, quote.amount_out)
    return Fraction((amount_in - quote.amount_in) * BPS, quote.amount_in)
