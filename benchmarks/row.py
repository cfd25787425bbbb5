"""One line of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, and what a peer reached on the same work on the same machine.

    ``value`` and ``peer_value`` are in ``unit``. ``ratio`` is how many times better than the peer:
    above 1 is in our favour, whichever way the unit points. Without a peer, ``peer`` is empty and
    the other two are None.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None


def lower_is_better(name: str, value: float, unit: str, peer: str, peer_value: float) -> Row:
    """Return the row of a cost: time, gas, bytes. ``value`` is not 0."""
    return Row(name, value, unit, peer, peer_value, peer_value / value)


def higher_is_better(name: str, value: float, unit: str, peer: str, peer_value: float) -> Row:
    """Return the row of a yield: amount out, calls per second. ``peer_value`` is not 0."""
    return Row(name, value, unit, peer, peer_value, value / peer_value)
