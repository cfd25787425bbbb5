"""What the Settle contract tells: fills, fees and cancellations, from a receipt's logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from onchain_exec.clearing.settle.contract import CANCELLED, CHARGED, FILLED
from onchain_exec.clearing.settle.lane import Lane
from onchain_exec.core import Address, Log, to_address

_MASK_32, _MASK_64, _MASK_128 = (1 << 32) - 1, (1 << 64) - 1, (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class Filled:
    """An order was filled by ``amount_in`` for ``amount_out``; ``fee`` of the token bought went to the
    matcher. ``standing`` is its lane after that, ``log`` is what tells it."""

    owner: Address
    lane: int
    standing: Lane
    amount_in: int
    amount_out: int
    log: Log
    fee: int = 0

    @property
    def seq(self) -> int:
        """The order's number on its lane."""
        return self.standing.seq


def decode_fills(logs: Iterable[Log], contract: Address) -> tuple[Filled, ...]:
    """Return the fills among a receipt's logs, in order, each with its fee."""
    fills: list[Filled] = []
    for log in logs:
        if log.address != contract or not log.topics:
            continue
        if log.topics[0] == FILLED.topic:
            (owner,), (standing, amounts) = FILLED.decode(log.topics, log.data)
            lane, after = _split(standing)
            fills.append(Filled(to_address(owner), lane, after, amounts >> 128, amounts & _MASK_128, log))
        elif log.topics[0] == CHARGED.topic:  # the fee of the fill just told
            _, (_, fee) = CHARGED.decode(log.topics, log.data)
            fills[-1] = replace(fills[-1], fee=fee)
    return tuple(fills)


def apply_logs(
    lanes: Mapping[tuple[Address, int], Lane], logs: Iterable[Log], contract: Address
) -> dict[tuple[Address, int], Lane]:
    """Return every lane after these logs, in the chain's order: the contract's lanes are a pure function of
    its log."""
    after = dict(lanes)
    for log in logs:
        if log.address != contract or not log.topics:
            continue
        if log.topics[0] == FILLED.topic:
            (owner,), (standing, _) = FILLED.decode(log.topics, log.data)
            number, lane = _split(standing)
            after[to_address(owner), number] = lane
        elif log.topics[0] == CANCELLED.topic:
            (passed,), _ = CANCELLED.decode(log.topics, log.data)
            owner = to_address((passed >> 96).to_bytes(20))
            after[owner, (passed >> 64) & _MASK_32] = Lane(passed & _MASK_64)
    return after


def _split(standing: int) -> tuple[int, Lane]:
    return standing >> 192, Lane((standing >> 128) & _MASK_64, standing & _MASK_128)
