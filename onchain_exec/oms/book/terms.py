"""What was agreed, in the words the journal keeps: the order, and the quote it was accepted on."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, Self

import msgspec

from onchain_exec.core import Comparison, Condition, Exact, Order, Token, to_address
from onchain_exec.routing import Quote


def is_same_terms(one: Order, other: Order) -> bool:
    """Return whether both ask for the same trade; their own ids and expiry may differ."""
    return replace(one, order_id=other.order_id, expires_at=other.expires_at) == other


def order_to_json(order: Order) -> dict[str, Any]:
    """Return the order as JSON values, its amount as text."""
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "account": order.account,
        "recipient": order.recipient,
        "token_in": token_to_json(order.token_in),
        "token_out": token_to_json(order.token_out),
        "amount": str(order.amount),
        "exact": order.exact.value,
        "max_slippage_bps": order.max_slippage_bps,
        "expires_at": order.expires_at,
        "parent_id": order.parent_id,
        "conditions": [condition_to_json(condition) for condition in order.conditions],
    }


def order_from_json(value: dict[str, Any]) -> Order:
    """Return the order that `order_to_json` wrote."""
    return Order(
        order_id=value["order_id"],
        client_order_id=value["client_order_id"],
        account=to_address(value["account"]),
        recipient=to_address(value["recipient"]),
        token_in=token_from_json(value["token_in"]),
        token_out=token_from_json(value["token_out"]),
        amount=int(value["amount"]),
        exact=Exact(value["exact"]),
        max_slippage_bps=value["max_slippage_bps"],
        expires_at=value["expires_at"],
        parent_id=value.get("parent_id", ""),
        conditions=tuple(condition_from_json(item) for item in value.get("conditions", ())),
    )


def condition_to_json(condition: Condition) -> dict[str, Any]:
    """Return the condition as JSON values, its bound as text."""
    return {
        "target": condition.target,
        "data": "0x" + condition.data.hex(),
        "word": condition.word,
        "comparison": condition.comparison.name,
        "bound": str(condition.bound),
        "label": condition.label,
    }


def condition_from_json(value: dict[str, Any]) -> Condition:
    """Return the condition that `condition_to_json` wrote."""
    return Condition(
        target=to_address(value["target"]),
        data=bytes.fromhex(value["data"].removeprefix("0x")),
        comparison=Comparison[value["comparison"]],
        bound=int(value["bound"]),
        word=value["word"],
        label=value["label"],
    )


def token_to_json(token: Token) -> dict[str, Any]:
    """Return the token as JSON values."""
    return {
        "chain_id": token.chain_id,
        "address": token.address,
        "symbol": token.symbol,
        "decimals": token.decimals,
    }


def token_from_json(value: dict[str, Any]) -> Token:
    """Return the token that `token_to_json` wrote."""
    return _make_token(value["chain_id"], value["address"], value["symbol"], value["decimals"])


@lru_cache(maxsize=4_096)  # a journal names few tokens, each in every order
def _make_token(chain_id: int, address: str, symbol: str, decimals: int) -> Token:
    return Token(chain_id, to_address(address), symbol, decimals)


def fraction_from_text(text: str) -> Fraction:
    """Return what ``str`` wrote: "n/d" or "n"."""
    numerator, _, denominator = text.partition("/")
    return Fraction(int(numerator), int(denominator or 1))


class QuoteTerms(msgspec.Struct, frozen=True, gc=False):
    """What a quote promised: amounts in base units, ``mid_price`` in token_out per token_in base
    units, ``gas_cost_wei`` in wei, ``made_at`` in unix seconds, at one block."""

    amount_in: int
    amount_out: int
    amount_in_max: int
    amount_out_min: int
    mid_price: Fraction
    fee_cost: int
    impact_cost: int
    gas_cost_wei: int
    block_number: int
    block_hash: str
    made_at: int

    @classmethod
    def of(cls, quote: Quote) -> Self:
        """Return the terms of ``quote``."""
        return cls(
            amount_in=quote.route.amount_in,
            amount_out=quote.route.amount_out,
            amount_in_max=quote.amount_in_max,
            amount_out_min=quote.amount_out_min,
            mid_price=quote.mid_price,
            fee_cost=quote.fee_cost,
            impact_cost=quote.impact_cost,
            gas_cost_wei=quote.gas_cost_wei,
            block_number=quote.block.number,
            block_hash=quote.block.hash,
            made_at=quote.made_at,
        )

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the terms that `to_json` wrote."""
        return cls(
            amount_in=int(value["amount_in"]),
            amount_out=int(value["amount_out"]),
            amount_in_max=int(value["amount_in_max"]),
            amount_out_min=int(value["amount_out_min"]),
            mid_price=fraction_from_text(value["mid_price"]),
            fee_cost=int(value["fee_cost"]),
            impact_cost=int(value["impact_cost"]),
            gas_cost_wei=int(value["gas_cost_wei"]),
            block_number=value["block_number"],
            block_hash=value["block_hash"],
            made_at=value["made_at"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the terms as JSON values: amounts and costs as text, the price as "n/d"."""
        return {
            "amount_in": str(self.amount_in),
            "amount_out": str(self.amount_out),
            "amount_in_max": str(self.amount_in_max),
            "amount_out_min": str(self.amount_out_min),
            "mid_price": str(self.mid_price),
            "fee_cost": str(self.fee_cost),
            "impact_cost": str(self.impact_cost),
            "gas_cost_wei": str(self.gas_cost_wei),
            "block_number": self.block_number,
            "block_hash": self.block_hash,
            "made_at": self.made_at,
        }
