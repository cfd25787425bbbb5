"""GMX v2 as it was recorded: the real contracts' answers around orders and liquidations.

``golden/gmx_v2_sequences.json`` names where its numbers are from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from recorded import Recording, load, to_addresses

from onchain_exec.core import Address, Log, Token, to_address
from onchain_exec.venues.perpetuals.gmx_v2.mirror.decrease import decrease, liquidate
from onchain_exec.venues.perpetuals.gmx_v2.mirror.execution import Executed
from onchain_exec.venues.perpetuals.gmx_v2.mirror.increase import increase
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import OraclePrice, State
from onchain_exec.venues.perpetuals.gmx_v2.orders import (
    DECREASES,
    DecreaseSwap,
    GmxContracts,
    GmxOrder,
    OrderType,
    Position,
    Terms,
)
from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices, read_gmx_v2

_RECORDED = load("gmx_v2_sequences")
WORLDS: list[dict[str, Any]] = _RECORDED["worlds"]
EXECUTION_FEES: list[Any] = _RECORDED["execution_fees"]
"""Gas rules, kind, swap of a decrease, length of the path, gas price, and the least fee that was taken."""
UPDATES: list[Any] = _RECORDED["updates"]
"""Kind, size, terms and key of orders, and the calldata that gave them to those orders."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done in a world, the state before it, and how it ended: the contract's reason if it refused,
    else the fill's size, tokens, price and gain."""

    owner: Address
    order: GmxOrder | None
    position: Position
    before: State
    at: int
    end: Any
    logs: tuple[Log, ...]
    after: State

    def foresee(self) -> Executed:
        state = self.before.seen_at(self.at)
        if self.order is None:
            return liquidate(state, self.owner, self.position)
        return (decrease if self.order.kind in DECREASES else increase)(state, self.owner, self.order)


@cache
def get_deeds(number: int) -> tuple[Deed, ...]:
    """Return a world's deeds in their order."""
    return tuple(_replay(WORLDS[number]))


def list_deeds() -> list[Deed]:
    """Return the deeds of all worlds."""
    return [deed for number in range(len(WORLDS)) for deed in get_deeds(number)]


def start(number: int) -> Recording:
    """Return a world before its first deed."""
    world = WORLDS[number]
    recording = Recording(world["to"], world["keys"])
    recording.learn(world["steps"][0]["before"])
    return recording


def _replay(world: dict[str, Any]) -> Iterator[Deed]:
    recording = Recording(world["to"], world["keys"])
    contracts = GmxContracts(*to_addresses(world["contracts"]))
    owners, markets = to_addresses(world["owners"]), to_addresses(world["markets"])
    for step in world["steps"]:
        signed = SignedPrices(step["at"], tuple(_list_prices(world, step)))

        def read(changed: dict[str, str], signed: SignedPrices = signed) -> State:
            recording.learn(changed)
            return recording.perform(read_gmx_v2(contracts, signed, owners, markets), signed.at)

        before, after = read(step["before"]), read(step["after"])
        kind, owner, terms = step["deed"]
        order = _to_order(terms) if kind == "order" else None
        market, token, is_long = terms[1:4] if order else terms
        yield Deed(
            owner=to_address(owner),
            order=order,
            position=Position(to_address(market), to_address(token), is_long),
            before=before,
            at=step["at"],
            end=step["end"],
            logs=tuple(_list_logs(step.get("logs", []))),
            after=after,
        )


def get_emitter(world: dict[str, Any]) -> Address:
    return GmxContracts(*to_addresses(world["contracts"])).event_emitter


def _list_prices(world: dict[str, Any], step: dict[str, Any]) -> Iterator[OraclePrice]:
    for symbol, (address, decimals) in world["tokens"].items():
        yield OraclePrice(Token(1337, to_address(address), symbol, decimals), *step["prices"][symbol])


def _to_order(terms: list[Any]) -> GmxOrder:
    kind, market, token, is_long, size, collateral, price, minimum, swap = terms
    position = Position(to_address(market), to_address(token), is_long)
    return GmxOrder(
        kind=OrderType(kind),
        position=position,
        size_delta_usd=size,
        collateral_amount=collateral,
        execution_fee_wei=10**16,
        terms=Terms(price, minimum_output=minimum),
        decrease_swap=DecreaseSwap(swap),
    )


def _list_logs(rows: list[Any]) -> Iterator[Log]:
    for index, (address, topics, data) in enumerate(rows):
        yield Log(to_address(address), tuple(map(bytes.fromhex, topics)), bytes.fromhex(data), index)
