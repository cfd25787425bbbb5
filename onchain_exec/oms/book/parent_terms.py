"""A parent order as JSON values, and back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from onchain_exec.core import Exact, ParentOrder, to_address
from onchain_exec.oms.book.terms import (
    condition_from_json,
    condition_to_json,
    token_from_json,
    token_to_json,
)


def parent_to_json(parent: ParentOrder) -> dict[str, Any]:
    """Return the parent order as JSON values: its amount as text, prices as "n/d"."""
    return {
        "order_id": parent.order_id,
        "client_order_id": parent.client_order_id,
        "accounts": list(parent.accounts),
        "recipient": parent.recipient,
        "token_in": token_to_json(parent.token_in),
        "token_out": token_to_json(parent.token_out),
        "amount": str(parent.amount),
        "exact": parent.exact.value,
        "max_slippage_bps": parent.max_slippage_bps,
        "limit_price": _price_to_json(parent.limit_price),
        "stop_price": _price_to_json(parent.stop_price),
        "slices": parent.slices,
        "interval_s": parent.interval_s,
        "fill_or_kill": parent.fill_or_kill,
        "replaces": parent.replaces,
        "starts_at": parent.starts_at,
        "expires_at": parent.expires_at,
        "conditions": [condition_to_json(condition) for condition in parent.conditions],
    }


def parent_from_json(value: dict[str, Any]) -> ParentOrder:
    """Return the parent order that `parent_to_json` wrote."""
    return ParentOrder(
        **value
        | {
            "accounts": tuple(to_address(account) for account in value["accounts"]),
            "recipient": value["recipient"] and to_address(value["recipient"]),
            "token_in": token_from_json(value["token_in"]),
            "token_out": token_from_json(value["token_out"]),
            "amount": int(value["amount"]),
            "exact": Exact(value["exact"]),
            "limit_price": _price_from_json(value["limit_price"]),
            "stop_price": _price_from_json(value["stop_price"]),
            "conditions": tuple(condition_from_json(item) for item in value.get("conditions", ())),
        }
    )


def _price_to_json(price: Fraction | None) -> str | None:
    return None if price is None else str(price)


def _price_from_json(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
