"""An access list (EIP-2930), where the transaction is cheaper with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from onchain_exec.chain import Access, Node
from onchain_exec.core import Address
from onchain_exec.errors import NodeRefusedError, RevertError
from onchain_exec.execution.costs.gas import GasRules, L1Fee
from onchain_exec.execution.plan import SimulatedTx
from onchain_exec.execution.simulation.simulate import simulate

_ADDRESS_GAS: Final = 2_400
_SAVED_GAS: Final = 100
"""What a slot, or an account that is cold, costs less if it is paid for before: 1,900 and 100 instead of
2,100, 2,400 and 100 instead of 2,600 (EIP-2929, EIP-2930)."""


async def list_accesses(node: Node, simulated: SimulatedTx, rules: GasRules) -> SimulatedTx:
    """Return the transaction with the access list by which its simulation takes less gas, the list's own
    cost included; as it was, if there is none.

    What must be mined before it hides what it will touch, and on a rollup the list's bytes cost more than
    they save: there it stays without. Legacy transactions carry no list.
    """
    plan = simulated.plan
    if plan.depends_on or plan.fees.legacy or rules.l1_fee is not L1Fee.NONE:
        return simulated
    try:
        found = await node.find_accesses(plan.at_limit(simulated.gas_limit), plan.block)
    except (NodeRefusedError, RevertError):
        return simulated
    accesses = tuple(list_worthwhile(found, (plan.sender, plan.to)))
    if not accesses:
        return simulated
    listed = await simulate(node, replace(plan, accesses=accesses), rules)
    return listed if listed.gas_used < simulated.gas_used else simulated


def list_worthwhile(accesses: Iterable[Access], warm: Iterable[Address]) -> Iterator[Access]:
    """Yield the entries that save more than they cost. Those of accounts that are ``warm`` in any case
    (sender and target) pay for the account again, so that only many slots outweigh it."""
    known = frozenset(warm)
    for access in accesses:
        if access.address not in known or _SAVED_GAS * len(access.slots) > _ADDRESS_GAS:
            yield access
