"""What may still be pulled from our accounts, against what the journal's own approvals granted, and against
what was last found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.execution.allowances.approvals import read_approvals
from onchain_exec.execution.plan import Purpose, StandingApproval
from onchain_exec.execution.signers.transaction import decode_unsigned
from onchain_exec.oms.book.views import AllowanceKey, SlotView
from onchain_exec.oms.journal import Journal
from onchain_exec.venues.erc20 import APPROVE

Grants: TypeAlias = dict[tuple[Address, Address], int]
"""Base units by (token, spender)."""

_APPROVALS: Final = (Purpose.ALLOWANCE, Purpose.REVOKE)


@dataclass(frozen=True, slots=True)
class Standing:
    """An allowance of ``amount`` base units, of which the newest canonical approval in the journal granted
    ``granted``. ``is_needed``: something of the account is under way."""

    key: AllowanceKey
    amount: int
    granted: int
    is_needed: bool

    def __str__(self) -> str:
        return f"{self.key.spender} may pull {self.amount} of {self.key.token} from {self.key.account}"


async def find_standing(node: Node, journal: Journal, block: BlockRef) -> tuple[Standing, ...]:
    """Return what stands at ``block`` of all that the journal's accounts ever approved, or were found to have
    approved, one batch an account; what does not stand any more with an amount of 0.

    Raises:
        NodeError: the node fails (BlockNotFoundError: it lacks the block).
    """
    granted: dict[Address, Grants] = defaultdict(dict)
    for slot in journal.read_slots():
        if slot.key.chain_id == node.chain_id:
            granted[slot.key.account].update(_list_grants(slot))
    for key in journal.read_allowances(node.chain_id):
        granted[key.account].setdefault((key.token, key.spender), 0)
    open_work = journal.read_open()
    busy = {slot.key.account for slot in open_work.slots} | {
        view.terms.account for view in open_work.orders if view.terms
    }
    found = [
        (account, _index(await node.perform(read_approvals(account, grants), block)), grants)
        for account, grants in granted.items()
        if grants
    ]
    return tuple(
        Standing(
            AllowanceKey(node.chain_id, account, *pair), stands.get(pair, 0), grants[pair], account in busy
        )
        for account, stands, grants in found
        for pair in grants
    )


def _index(approvals: Iterable[StandingApproval]) -> Grants:
    return {(approval.token, approval.spender): approval.amount for approval in approvals}


def _list_grants(slot: SlotView) -> Iterator[tuple[tuple[Address, Address], int]]:
    """Yield what the slot's canonical transaction approved. One that reverted approved nothing, and then
    nothing stands."""
    consumer = slot.consumer
    attempt = slot.get_attempt(consumer.tx_hash) if consumer else None
    if attempt and attempt.tx.purpose in _APPROVALS:
        tx = decode_unsigned(attempt.tx.raw)
        if tx.data[:4] == APPROVE.selector:
            spender, amount = APPROVE.decode_arguments(tx.data)
            yield (tx.to, to_address(spender)), amount


def list_excess(standing: Iterable[Standing]) -> Iterator[Standing]:
    """Yield those that exceed what was granted: somebody else approved."""
    return (found for found in standing if found.amount > found.granted)


def list_left(standing: Iterable[Standing]) -> Iterator[Standing]:
    """Yield those that nothing under way needs."""
    return (found for found in standing if 0 < found.amount <= found.granted and not found.is_needed)
