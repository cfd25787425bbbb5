"""What may still be pulled from our accounts, against what the journal's own approvals granted, and against
what was last found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.execution.allowances.approvals import read_approvals
from onchain_exec.execution.plan import Purpose, StandingApproval
from onchain_exec.execution.signers.transaction import decode_unsigned
from onchain_exec.oms.book.views import AllowanceKey, SlotView
from onchain_exec.oms.journal import Journal
from onchain_exec.venues.erc20 import APPROVE

Pair: TypeAlias = tuple[Address, Address]
"""Token and spender."""


class Grant(NamedTuple):
    """The newest canonical approval of ours: base units, and the order that granted them; nothing, and empty,
    where there is none."""

    amount: int = 0
    order_id: str = ""


_APPROVALS: Final = (Purpose.ALLOWANCE, Purpose.REVOKE)


@dataclass(frozen=True, slots=True)
class Standing:
    """An allowance of ``amount`` base units, and what the journal's newest canonical approval granted of it.
    ``needed`` is what orders under way may yet have pulled of it at the most."""

    key: AllowanceKey
    amount: int
    grant: Grant
    needed: int

    def __str__(self) -> str:
        return f"{self.key.spender} may pull {self.amount} of {self.key.token} from {self.key.account}"

    @property
    def todo(self) -> str:
        """What to type to take it back."""
        return f"Take it back with `onchain-exec approvals --revoke {self.key.token}:{self.key.spender}`"


async def find_standing(node: Node, journal: Journal, block: BlockRef) -> tuple[Standing, ...]:
    """Return what stands at ``block`` of all that the journal's accounts ever approved, or were found to have
    approved, one batch an account; what does not stand any more with an amount of 0.

    Raises:
        NodeError: the node fails (BlockNotFoundError: it lacks the block).
    """
    granted: dict[Address, dict[Pair, Grant]] = defaultdict(dict)
    for slot in journal.read_slots():
        if slot.key.chain_id == node.chain_id:
            granted[slot.key.account].update(_list_grants(slot))
    for key in journal.read_allowances(node.chain_id):
        granted[key.account].setdefault((key.token, key.spender), Grant())
    found: dict[AllowanceKey, tuple[int, Grant]] = {}
    for account, grants in granted.items():
        stands = _index(await node.perform(read_approvals(account, grants), block)) if grants else {}
        for pair, grant in grants.items():
            found[AllowanceKey(node.chain_id, account, *pair)] = stands.get(pair, 0), grant
    needed = journal.read_needed(found)
    return tuple(Standing(key, amount, grant, needed[key]) for key, (amount, grant) in found.items())


def _index(approvals: Iterable[StandingApproval]) -> dict[Pair, int]:
    return {(approval.token, approval.spender): approval.amount for approval in approvals}


def _list_grants(slot: SlotView) -> Iterator[tuple[Pair, Grant]]:
    """Yield what the slot's canonical transaction approved. One that reverted approved nothing, and then
    nothing stands."""
    consumer = slot.consumer
    attempt = slot.get_attempt(consumer.tx_hash) if consumer else None
    if attempt and attempt.tx.purpose in _APPROVALS:
        tx = decode_unsigned(attempt.tx.raw)
        if tx.data[:4] == APPROVE.selector:
            spender, amount = APPROVE.decode_arguments(tx.data)
            yield (tx.to, to_address(spender)), Grant(amount, slot.order_id)


def list_excess(standing: Iterable[Standing]) -> Iterator[Standing]:
    """Yield those that exceed what was granted: somebody else approved."""
    return (found for found in standing if found.amount > found.grant.amount)


def list_left(standing: Iterable[Standing]) -> Iterator[Standing]:
    """Yield those that are more than what is under way needs: their order ended after its approval was mined,
    its intent lapsed, or it took less than its bound."""
    return (found for found in standing if found.needed < found.amount <= found.grant.amount)
