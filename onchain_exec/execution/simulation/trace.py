"""A look inside a transaction that is tried: inner calls that starve although it succeeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from onchain_exec.chain import Node, StateOverride, TxCall
from onchain_exec.chain.simulation import encode_overrides, encode_tx
from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.errors import NodeRefusedError
from onchain_exec.execution.plan import TxPlan

_CALLS: Final = {"tracer": "callTracer"}
_CHANGES: Final = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}


def get_funding(plan: TxPlan) -> StateOverride:
    """Return a balance that pays for any gas limit, so that all runs are alike but for the limit, and the
    code that the plan lends its sender."""
    return StateOverride(plan.sender, balance_wei=1 << 128, code=plan.lent_code)


async def has_starved_calls(node: Node, plan: TxPlan, limit: int, plenty: int) -> bool | None:
    """Return whether inner calls run out of gas at ``limit`` that do not with ``plenty``.

    None where the node does not trace (`debug_traceCall`): there only the comparison of runs
    speaks. Calls that a contract starves on purpose fail at any limit, and are not counted.
    """
    try:
        state = await _find_state_after(node, plan, plenty)
        starved = await _find_starved(node, plan, limit, state)
        return bool(starved) and starved != await _find_starved(node, plan, plenty, state)
    except NodeRefusedError:
        return None


async def _find_starved(node: Node, plan: TxPlan, limit: int, state: Sequence[StateOverride]) -> list[str]:
    return list(_list_starved(await _trace(node, plan.at_limit(limit), plan.block, _CALLS, state)))


def _list_starved(frame: Mapping[str, Any]) -> Iterator[str]:
    """Yield the targets of a ``callTracer`` frame's inner calls that ran out of gas."""
    for inner in frame.get("calls", ()):
        # geth and anvil say "out of gas" with and without more words; reth says OutOfGas
        if "outofgas" in inner.get("error", "").lower().replace(" ", ""):
            yield inner.get("to", "")
        yield from _list_starved(inner)


async def _find_state_after(node: Node, plan: TxPlan, plenty: int) -> list[StateOverride]:
    """Return the storage that the plan's dependencies leave behind."""
    slots: dict[Address, dict[int, int]] = {}
    for dependency in plan.depends_on:
        changes = await _trace(
            node, dependency.at_limit(plenty), plan.block, _CHANGES, _as_overrides(plan, slots)
        )
        for side in ("pre", "post"):  # a slot that is cleared is named before, and absent after
            for address, account in changes[side].items():
                for slot, value in account.get("storage", {}).items():
                    after = int(value, 16) if side == "post" else 0
                    slots.setdefault(to_address(address), {})[int(slot, 16)] = after
    return _as_overrides(plan, slots)


def _as_overrides(plan: TxPlan, slots: Mapping[Address, Mapping[int, int]]) -> list[StateOverride]:
    storage = [StateOverride(address, slots=tuple(values.items())) for address, values in slots.items()]
    return [get_funding(plan), *storage]


async def _trace(
    node: Node, tx: TxCall, block: BlockRef, tracer: Mapping[str, Any], state: Sequence[StateOverride]
) -> dict[str, Any]:
    options = {**tracer, "stateOverrides": encode_overrides(state)}
    found: dict[str, Any] = await node.rpc.request(
        "debug_traceCall", (encode_tx(tx), {"blockHash": block.hash}, options)
    )
    return found
