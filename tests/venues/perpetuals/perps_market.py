"""Synthetix v3's perpetuals market as it was recorded: the real modules' answers around each deed.

``golden/synthetix_v3_sequences.json`` names where its numbers are from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from recorded import Recording, load

from onchain_exec.core import Log, to_address
from onchain_exec.venues.perpetuals.synthetix_v3.mirror import orders
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.liquidation import liquidate, liquidate_margin
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import State
from onchain_exec.venues.perpetuals.synthetix_v3.reads import read_synthetix_v3

_RECORDED = load("synthetix_v3_sequences")
WORLDS: list[dict[str, Any]] = [*_RECORDED["worlds"], _RECORDED["with_synth"], _RECORDED["in_debt"]]
"""In the last but one, accounts have other collateral than snxUSD; in the last, one comes into debt."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, with its arguments, the state before and after it, and the contract's reason if it
    refused."""

    name: str
    terms: tuple[Any, ...]
    before: State
    refused: str | None
    logs: tuple[Log, ...]
    after: State

    def foresee(self) -> State:
        match self.name, self.terms:
            case "commit", terms:
                return orders.commit(self.before, *terms)
            case "settle", terms:
                return orders.settle(self.before, *terms).state
            case "cancel", terms:
                return orders.cancel(self.before, *terms)
            case "modify", terms:
                return orders.modify_collateral(self.before, *terms)
            case "pay", terms:
                return orders.pay_debt(self.before, *terms)
            case "margin", (liquidator, account):
                return liquidate_margin(self.before, to_address(liquidator), account).state
            case _, (liquidator, account):
                return liquidate(self.before, to_address(liquidator), account).state
        raise AssertionError(self.name)


def start(world: dict[str, Any]) -> Recording:
    return Recording(world["to"], world["keys"])


@cache
def get_deeds(number: int) -> tuple[Deed, ...]:
    """Return a world's deeds in their order."""
    return tuple(_replay(WORLDS[number]))


def list_deeds() -> list[Deed]:
    """Return the deeds of all worlds."""
    return [deed for number in range(len(WORLDS)) for deed in get_deeds(number)]


def _replay(world: dict[str, Any]) -> Iterator[Deed]:
    recording, proxy = start(world), to_address(world["proxy"])

    def read(changed: dict[str, str], at: int) -> State:
        recording.learn(changed)
        return recording.perform(read_synthetix_v3(proxy, world["accounts"], world["markets"]), at)

    for step in world["steps"]:
        before = read(step["before"], step["at"])
        after = read(step["after"], step["at"])
        name, *terms = step["deed"]
        yield Deed(name, tuple(terms), before, step["end"], tuple(_list_logs(step)), after)


def _list_logs(step: dict[str, Any]) -> Iterator[Log]:
    for index, (address, topics, data) in enumerate(step.get("logs", [])):
        yield Log(to_address(address), tuple(map(bytes.fromhex, topics)), bytes.fromhex(data), index)
