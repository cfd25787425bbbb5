"""Who made a batch revert: each transfer of it tried alone, from the contract that would make it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from onchain_exec.app.solver.place import SolverPlace
from onchain_exec.clearing.settle import SettleFill
from onchain_exec.clearing.settle.order_book import Refusal, RefusalCode
from onchain_exec.core import Call, Reading, Snapshot
from onchain_exec.core.abi import Function
from onchain_exec.errors import RevertError

_OF_POOLS: Final = frozenset({"AmountOutTooLow", "AmountInExceeded", "CallbackMissing", "UnexpectedCallback"})
_TRANSFER: Final = Function("transfer(address,uint256)", "(bool)")
_TRANSFER_FROM: Final = Function("transferFrom(address,address,uint256)", "(bool)")


def read_culprits(
    place: SolverPlace, fills: Sequence[SettleFill], error: RevertError
) -> Reading[tuple[Refusal, ...]]:
    """Read which orders a batch that reverts with ``error`` cannot be settled with: those whose owner the
    error names, else those whose tokens cannot be pulled or whose receiver cannot be paid, else all. A pool
    that gives less than it should is no owner's fault: none."""
    if error.name in _OF_POOLS:
        return ()
    told = {str(argument).lower() for argument in error.arguments}
    named = [fill for fill in fills if fill.order.owner.lower() in told]
    trials = [(fill, call) for fill in fills for call in _list_trials(place, fill, fills)]
    snapshot: Snapshot = yield tuple(call for _, call in trials)
    refused = {
        fill.order: fill
        for (fill, _), answer in zip(trials, snapshot.answers, strict=True)
        if not answer.success or (answer.data and int.from_bytes(answer.data[:32]) != 1)
    }
    found = named or list(refused.values()) or fills
    return tuple(
        Refusal(
            place.domain.get_digest(fill.order),
            RefusalCode.REVERTS,
            str(error),
            "a batch that settles",
            snapshot.block.number,
        )
        for fill in found
    )


def _list_trials(place: SolverPlace, fill: SettleFill, fills: Sequence[SettleFill]) -> Iterator[Call]:
    """Yield the pull, and a payment of the same token to the receiver from an owner who sells it."""
    order, contract = fill.order, place.domain.contract
    pull = _TRANSFER_FROM.encode(order.owner, contract, fill.amount_in)
    yield Call(order.token_in, pull, sender=contract)
    payer = next((other.order for other in fills if other.order.token_in == order.token_out), None)
    if payer is not None:
        yield Call(order.token_out, _TRANSFER.encode(order.pays_to, 1), sender=payer.owner)
