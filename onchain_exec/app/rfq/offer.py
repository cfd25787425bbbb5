"""A maker's answer to a request: a signed order, and what it comes to for the taker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onchain_exec.app.rfq.request import QuoteRequest
from onchain_exec.app.signed_book.intake import require_tradable
from onchain_exec.clearing.settle import Flags, SettleFill, SettleOrder
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import ZERO_ADDRESS, Address, Exact
from onchain_exec.errors import OrderRefusedError


@dataclass(frozen=True, slots=True)
class Offer:
    """By ``resting`` the taker pays ``amount_in`` and gets ``amount_out``, base units; what is not fixed is
    rounded for the maker, as its limit demands. ``gas`` is what taking it costs."""

    request: QuoteRequest
    resting: OpenOrder
    amount_in: int
    amount_out: int
    gas: int

    @property
    def net(self) -> int:
        """What the taker gets, or pays, with the gas: base units of the side that is not fixed, rounded
        against the taker. Settling charges a taker no fee."""
        cost = -(-self.gas * self.request.gas_price // 1)
        return self.amount_out - cost if self.request.exact is Exact.IN else self.amount_in + cost

    @property
    def rank(self) -> int:
        """More is better for the taker."""
        return self.net if self.request.exact is Exact.IN else -self.net

    @property
    def counted(self) -> int:
        """How much of the maker's order it fills, in what that counts in."""
        return self.amount_in if self.resting.order.is_exact_out else self.amount_out

    @property
    def fill(self) -> SettleFill:
        """The fill, from the maker's side."""
        return SettleFill(self.resting.order, self.resting.signed, self.amount_out, self.amount_in)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "digest": "0x" + self.resting.digest.hex(),
            "maker": self.resting.order.owner,
            "amount_in": str(self.amount_in),
            "amount_out": str(self.amount_out),
            "gas": self.gas,
            "net": str(self.net),
        }


def make_offer(request: QuoteRequest, resting: OpenOrder, gas: int, contract: Address, now: int) -> Offer:
    """Return what a signed order comes to as an answer; its signature and funds are not looked at.

    Raises:
        OrderRefusedError: it is no answer; its ``reason`` is ``late``, ``wrong_pair``, ``foreign_matcher``,
            ``bad_receiver``, ``expires_early``, ``too_small``, ``not_whole``, ``worse_than_limit``, or one of
            `require_tradable`.
    """
    order = resting.order
    _require_answer(request, order, now)
    require_tradable(order, (request.token_in.address, request.token_out.address), now, contract)
    if request.exact is Exact.IN:
        paid, got = request.amount, order.amount_in * request.amount // order.amount_out
    else:
        paid, got = -(-order.amount_out * request.amount // order.amount_in), request.amount
    offer = Offer(request, resting, paid, got, gas)
    if offer.counted > order.size or not got:
        raise OrderRefusedError(
            "too_small",
            f"an order that gives {order.amount_in} for {order.amount_out}",
            needed=f"{request.amount} of {'what it buys' if request.exact is Exact.IN else 'what it sells'}",
        )
    if Flags.FILL_OR_KILL in order.flags and offer.counted != order.size:
        raise OrderRefusedError("not_whole", f"{offer.counted} of {order.size} filled", needed="all of it")
    if request.limit is not None and (
        got < request.limit if request.exact is Exact.IN else paid > request.limit
    ):
        raise OrderRefusedError(
            "worse_than_limit", f"{got} for {paid}", needed="a better price: the taker has a limit"
        )
    return offer


def _require_answer(request: QuoteRequest, order: SettleOrder, now: int) -> None:
    rules = (
        ("late", now <= request.expires_at, f"second {now}", f"at most {request.expires_at}"),
        (
            "wrong_pair",
            (order.token_in, order.token_out) == (request.token_out.address, request.token_in.address),
            f"an order that sells {order.token_in} for {order.token_out}",
            f"{request.token_out.address} sold for {request.token_in.address}",
        ),
        (
            "foreign_matcher",
            order.matcher in (ZERO_ADDRESS, request.taker),
            f"{order.matcher} as the matcher",
            f"nobody, or the taker {request.taker}",
        ),
        (
            "bad_receiver",
            request.taker not in (order.owner, order.pays_to),
            "the taker on both sides",
            "another account",
        ),
        (
            "expires_early",
            order.deadline_at >= request.settle_by,
            f"a deadline at {order.deadline_at}",
            f"{request.settle_by} or later",
        ),
    )
    for reason, holds, found, needed in rules:
        if not holds:
            raise OrderRefusedError(reason, found, needed=needed)
