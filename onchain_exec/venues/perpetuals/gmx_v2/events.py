"""What became of orders, out of the events of GMX's EventEmitter.

Every event has the same shape: a name, and lists of named values of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from onchain_exec.core import Address, Log, to_address
from onchain_exec.core.abi import Event
from onchain_exec.venues.perpetuals.gmx_v2.errors import find_reason
from onchain_exec.venues.perpetuals.gmx_v2.orders import Position

_KINDS: Final = ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
_DATA: Final = "(" + ",".join(f"((string,{kind})[],(string,{kind}[])[])" for kind in _KINDS) + ")"


def _event(name: str, topics: int) -> Event:
    more = ",bytes32" * topics
    return Event(
        f"{name}(address,string,string{more},{_DATA})",
        ("bytes32",) * (1 + topics),
        ("address", "string", _DATA),
    )


_EVENTS: Final = {
    event.topic: event for event in (_event("EventLog", 0), _event("EventLog1", 1), _event("EventLog2", 2))
}


class GmxEvent(NamedTuple):
    """An event: its name, and its values by theirs."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GmxFill:
    """An order executed on a position: dollars of 1e30 and base units of the index token that it changed by
    (below 0: less), the price, the gain before fees and the impact in dollars, and in the collateral token
    what came in (below 0: out of the position) and what fees and funding took."""

    order_key: bytes
    owner: Address
    position: Position
    size: int
    tokens: int
    price: int
    pnl: int
    impact: int
    collateral: int
    fees: int
    funding: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that could not be executed: cancelled, with all given back, or frozen. ``reason`` is the name
    of the error, or a text, empty where it is not known; ``data`` is the error itself."""

    order_key: bytes
    is_frozen: bool
    reason: str
    data: bytes


Outcome: TypeAlias = GmxFill | Refused


def decode_events(emitter: Address, logs: Iterable[Log]) -> tuple[GmxEvent, ...]:
    """Return the emitter's events; logs of other contracts are passed over.

    Raises:
        InputError: a log of the emitter is malformed.
    """
    return tuple(
        _decode(event, log)
        for log in logs
        if log.address == emitter and log.topics
        for event in (_EVENTS.get(log.topics[0]),)
        if event is not None
    )


def find_outcomes(emitter: Address, logs: Iterable[Log]) -> tuple[Outcome, ...]:
    """Return what became of orders, and of positions that were liquidated, in a transaction.

    Raises:
        InputError: as `decode_events`.
    """
    events = decode_events(emitter, logs)
    fees = {one.values["orderKey"]: one.values for one in events if one.name == "PositionFeesCollected"}
    found: list[Outcome] = []
    for name, values in events:
        if name in _SIGNS:
            found.append(_to_fill(_SIGNS[name], values, fees.get(values["orderKey"], {})))
        elif name in _REFUSALS:
            reason = find_reason(values["reason"], values["reasonBytes"])
            found.append(Refused(values["key"], name == "OrderFrozen", reason, values["reasonBytes"]))
    return tuple(found)


_SIGNS: Final = {"PositionIncrease": 1, "PositionDecrease": -1}
_REFUSALS: Final = ("OrderCancelled", "OrderFrozen")


def _decode(event: Event, log: Log) -> GmxEvent:
    _, (_, name, data) = event.decode(log.topics, log.data)
    values = {key: value for kind in data for items in kind for key, value in items}
    return GmxEvent(name, values)


def _to_fill(sign: int, values: Mapping[str, Any], fees: Mapping[str, Any]) -> GmxFill:
    """Fees are missing where a position could not pay them."""
    impact = values["pendingPriceImpactUsd" if sign > 0 else "totalImpactUsd"]
    funding = fees.get("fundingFeeAmount", 0)
    return GmxFill(
        order_key=values["orderKey"],
        owner=to_address(values["account"]),
        position=Position(
            to_address(values["market"]), to_address(values["collateralToken"]), values["isLong"]
        ),
        size=sign * values["sizeDeltaUsd"],
        tokens=sign * values["sizeDeltaInTokens"],
        price=values["executionPrice"],
        pnl=values.get("basePnlUsd", 0),
        impact=impact,
        collateral=sign * values["collateralDeltaAmount"],
        fees=fees.get("totalCostAmount", 0) - funding,
        funding=funding,
    )
