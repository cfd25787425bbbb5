"""Signed orders in JSON, as they are kept and as they are told: amounts as text, bytes as 0x and hex."""

from __future__ import annotations

from typing import Any

from onchain_exec.clearing.settle import Flags, Scheme, SettleOrder, Signed
from onchain_exec.core import to_address


def order_to_json(order: SettleOrder) -> dict[str, Any]:
    """Return an order's terms as JSON values."""
    return {
        "owner": order.owner,
        "receiver": order.receiver,
        "token_in": order.token_in,
        "token_out": order.token_out,
        "amount_in": str(order.amount_in),
        "amount_out": str(order.amount_out),
        "deadline_at": order.deadline_at,
        "lane": order.lane,
        "seq": order.seq,
        "max_fee_bps": order.max_fee_bps,
        "matcher": order.matcher,
        "exact_out": order.is_exact_out,
        "fill_or_kill": Flags.FILL_OR_KILL in order.flags,
    }


def order_from_json(value: dict[str, Any]) -> SettleOrder:
    """Return the order that `order_to_json` wrote.

    Raises:
        InputError: an address with a wrong checksum, or terms that no order can have.
    """
    flags = Flags.EXACT_OUT if value["exact_out"] else Flags.NONE
    return SettleOrder(
        owner=to_address(value["owner"]),
        receiver=to_address(value["receiver"]),
        token_in=to_address(value["token_in"]),
        token_out=to_address(value["token_out"]),
        amount_in=int(value["amount_in"]),
        amount_out=int(value["amount_out"]),
        deadline_at=value["deadline_at"],
        lane=value["lane"],
        seq=value["seq"],
        max_fee_bps=value["max_fee_bps"],
        matcher=to_address(value["matcher"]),
        flags=flags | Flags.FILL_OR_KILL if value["fill_or_kill"] else flags,
    )


def signed_to_json(signed: Signed) -> dict[str, str]:
    """Return an owner's word as JSON values."""
    return {"scheme": signed.scheme.name.lower(), "signature": "0x" + signed.signature.hex()}


def signed_from_json(value: dict[str, str]) -> Signed:
    """Return the word that `signed_to_json` wrote.

    Raises:
        InputError: a key's signature that is not 64 bytes.
    """
    return Signed(Scheme[value["scheme"].upper()], bytes.fromhex(value["signature"].removeprefix("0x")))
