"""What an action was agreed to be, in the words the journal keeps, and what it moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from onchain_exec.clearing.settle.events import Filled
from onchain_exec.core import Address, Order, Receipt, to_address
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.oms.book.terms import (
    condition_from_json,
    condition_to_json,
    token_from_json,
    token_to_json,
)
from onchain_exec.venues.erc20 import get_balance_changes
from onchain_exec.venues.guard import split_logs


def is_same_action(one: ActionOrder, other: ActionOrder) -> bool:
    """Return whether both do the same under the same conditions; their own ids, expiry and bounds that
    follow the time may differ, and where they have a fingerprint their calls."""
    if one.fingerprint or other.fingerprint:
        return (one.account, one.fingerprint, one.conditions) == (
            other.account,
            other.fingerprint,
            other.conditions,
        )
    alike = tuple(replace(call, spends=(), tokens=()) for call in one.calls)
    return alike == tuple(replace(call, spends=(), tokens=()) for call in other.calls) and (
        one.account,
        one.venue,
        one.conditions,
    ) == (other.account, other.venue, other.conditions)


def action_to_json(order: ActionOrder) -> dict[str, Any]:
    """Return the action as JSON values, its amounts as text."""
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "account": order.account,
        "venue": order.venue,
        "calls": [_call_to_json(call) for call in order.calls],
        "conditions": [condition_to_json(condition) for condition in order.conditions],
        "expires_at": order.expires_at,
        "fingerprint": order.fingerprint,
        "takes_back": order.takes_back,
        "through": list(order.through),
    }


def action_from_json(value: dict[str, Any]) -> ActionOrder:
    """Return the action that `action_to_json` wrote."""
    return ActionOrder(
        order_id=value["order_id"],
        client_order_id=value["client_order_id"],
        account=to_address(value["account"]),
        venue=value["venue"],
        calls=tuple(_call_from_json(call) for call in value["calls"]),
        conditions=tuple(condition_from_json(condition) for condition in value["conditions"]),
        expires_at=value["expires_at"],
        fingerprint=value.get("fingerprint", ""),
        takes_back=value.get("takes_back", False),
        through=tuple(value.get("through", ())),
    )


def get_action_moves(
    order: ActionOrder, receipt: Receipt, fills: Iterable[tuple[Order, Filled]] = ()
) -> dict[Address, int]:
    """Return by how much a mined action changed each token of its account, by the receipt's logs, without
    what ``fills`` of intents did: their own orders count that."""
    if not receipt.success:
        return {}
    moves = Counter(get_balance_changes(receipt.logs, order.account))
    for filled, fill in fills:
        moves[filled.token_in.address] += fill.amount_in if filled.account == order.account else 0
        moves[filled.token_out.address] -= fill.amount_out if filled.recipient == order.account else 0
    return {token: change for token, change in moves.items() if change}


def get_call_moves(order: ActionOrder, receipt: Receipt) -> tuple[dict[Address, int], ...]:
    """Return by how much each call of a mined action changed each token of its account, in the calls' order;
    empty where the receipt does not tell them apart. (The approvals before them move nothing.)"""
    parts = split_logs(receipt.logs, order.account) if order.is_guarded else (receipt.logs,)
    if not receipt.success or len(parts) < len(order.calls):
        return ()
    return tuple(get_balance_changes(part, order.account) for part in parts[-len(order.calls) :])


def _call_to_json(call: VenueCall) -> dict[str, Any]:
    return {
        "label": call.label,
        "to": call.to,
        "data": "0x" + call.data.hex(),
        "value_wei": str(call.value_wei),
        "spends": [
            {"token": spend.token, "amount": str(spend.amount), "spender": spend.spender}
            for spend in call.spends
        ],
        "tokens": [token_to_json(token) for token in call.tokens],
    }


def _call_from_json(value: dict[str, Any]) -> VenueCall:
    return VenueCall(
        label=value["label"],
        to=to_address(value["to"]),
        data=bytes.fromhex(value["data"].removeprefix("0x")),
        value_wei=int(value["value_wei"]),
        spends=tuple(
            Spend(
                to_address(spend["token"]),
                int(spend["amount"]),
                to_address(spend["spender"]) if spend["spender"] else None,
            )
            for spend in value["spends"]
        ),
        tokens=tuple(token_from_json(token) for token in value.get("tokens", ())),
    )
