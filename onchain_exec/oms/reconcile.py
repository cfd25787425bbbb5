"""Compare the journal with the chain and append what it missed. Reads only; running it twice appends
nothing new."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, Receipt
from onchain_exec.errors import BlockNotFoundError, FinalityError, NodeRefusedError
from onchain_exec.execution.delivery.confirm import look
from onchain_exec.execution.delivery.outcome import Mined, Outcome, Reverted, StillUnknown, Superseded
from onchain_exec.execution.plan import lends_code
from onchain_exec.oms.allowances import Standing, find_standing, list_excess, list_left
from onchain_exec.oms.book.events import Event
from onchain_exec.oms.book.fill import get_moved_amounts
from onchain_exec.oms.book.states import OPEN, SlotState
from onchain_exec.oms.book.views import OrderView, SlotKey, SlotView
from onchain_exec.oms.breaks import Break, BreakCode, Unclear
from onchain_exec.oms.intents import correct, find_breaks, read_standings
from onchain_exec.oms.journal import Journal
from onchain_exec.oms.movements import find_unexplained


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The journal after comparison at ``block``: every order, what still differs, what was appended."""

    block: BlockRef
    orders: tuple[OrderView, ...]
    breaks: tuple[Break, ...]
    corrections: tuple[Event, ...]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "block": {"number": self.block.number, "hash": self.block.hash},
            "orders": [order.to_json() for order in self.orders],
            "breaks": [found.to_json() for found in self.breaks],
            "corrections": [event.event_id for event in self.corrections],
        }


@dataclass(frozen=True, slots=True)
class Vacant:
    """No canonical transaction consumes the nonce."""


Finding: TypeAlias = Mined | Reverted | Superseded | Vacant | Unclear


async def reconcile(
    node: Node,
    journal: Journal,
    block: BlockRef | None = None,
    since: BlockRef | None = None,
    *,
    allowances: bool = True,
) -> Reconciliation:
    """Look up every slot, and every intent, of the node's chain that is not closed, and append what the
    journal missed.

    A fill that it missed is recorded, one that a reorg took away is busted, a nonce that a stranger
    took ends its order, and slots whose consumer is finalised are closed. ``block`` (None: the
    head) must still be canonical when all is read, or nothing is appended. With ``since``, an earlier
    block, what the balances did between the two must be what the journal says, too. With
    ``allowances``, what others may pull is recorded, and named where no approval of the journal granted it
    or nothing needs it.

    Raises:
        NodeError: the node fails (BlockNotFoundError: a reorg passed meanwhile; run it again).
        FinalityError: a final block is gone. Nothing is appended: stop trading.
    """
    head = block or await node.get_block()
    await _require_finality(node, journal, head)
    slots = [slot for slot in journal.read_unsettled() if slot.key.chain_id == node.chain_id]
    finalized = await find_finalized(node)
    final_nonces = await _read_final_nonces(node, sorted({slot.key.account for slot in slots}), finalized)
    tops = journal.read_tops(node.chain_id)
    view = await _read_view(node, slots, sorted(tops), head)
    findings = [(slot, await _find(node, slot, view)) for slot in slots]
    standings = await read_standings(node, journal.intents.read_unsettled(node.chain_id), head)
    await node.require_canonical(head)
    corrections: list[Event] = []
    breaks: list[Break] = []
    for slot, finding in findings:
        is_final = slot.key.nonce < final_nonces.get(slot.key.account, 0)
        corrections += _correct(journal, slot, finding, is_final=is_final)
        breaks += _compare(journal, journal.read_slot(slot.key), finding)
    corrections += correct(journal, standings, finalized)
    breaks += find_breaks(journal, standings)
    breaks += _find_strangers(journal, tops, view)
    breaks += _find_gaps(journal, node.chain_id)
    if allowances:
        standing = await find_standing(node, journal, head)
        corrections += journal.append_allowances({found.key: found.amount for found in standing})
        breaks += [_excessive(found) for found in list_excess(standing)]
        breaks += [_left(found) for found in list_left(standing)]
    if since:
        unexplained = await find_unexplained(node, journal, since, head)
        breaks += [_unexplained(*found, since, head) for found in unexplained]
    return Reconciliation(head, journal.read_orders(), tuple(breaks), tuple(corrections))


async def _require_finality(node: Node, journal: Journal, head: BlockRef) -> None:
    """Raise FinalityError if the block of our newest final transaction is gone; older ones may be, too."""
    final = journal.find_newest_final(node.chain_id)
    if final is None or final.block_number > head.number:
        return
    found = await node.get_block(final.block_number)
    if found.hash != final.block_hash:
        raise FinalityError(
            f"block {final.block_number} is {found.hash} now, and {final.block_hash} of "
            f"{final.tx_hash or 'an intent that lapsed'} was final",
            needed="a chain that keeps what it finalised",
            todo="Stop, compare several nodes, and settle the books by hand",
        )


@dataclass(frozen=True, slots=True)
class View:
    """What the chain holds at its head: canonical receipts of our attempts by hash, nonces by account."""

    head: BlockRef
    receipts: dict[str, Receipt]
    nonces: dict[Address, int]


async def _read_view(
    node: Node, slots: Sequence[SlotView], accounts: Sequence[Address], head: BlockRef
) -> View:
    hashes = [attempt.tx.tx_hash for slot in slots for attempt in slot.attempts]
    nonces = await node.get_nonces(accounts, head)
    receipts = zip(hashes, await node.get_receipts(hashes), strict=True)
    return View(
        head,
        {tx_hash: receipt for tx_hash, receipt in receipts if receipt},
        dict(zip(accounts, nonces, strict=True)),
    )


async def find_finalized(node: Node) -> BlockRef | None:
    """Return the newest finalised block, or None where the chain has none, or the node does not tell it."""
    try:
        return await node.get_block("finalized")
    except (NodeRefusedError, BlockNotFoundError):
        return None


async def _read_final_nonces(
    node: Node, accounts: Sequence[Address], finalized: BlockRef | None
) -> dict[Address, int]:
    """Return how many nonces of each account are consumed for good; nothing where the chain has no
    finalised block, or the node no longer its state."""
    if finalized is None:
        return {}
    try:
        return dict(zip(accounts, await node.get_nonces(accounts, finalized), strict=True))
    except (NodeRefusedError, BlockNotFoundError):
        return {}


async def _find(node: Node, slot: SlotView, view: View) -> Finding:
    outcome = await _look_up(node, slot, view)
    if outcome is not None and not isinstance(outcome, StillUnknown):
        return outcome
    consumer, head = slot.consumer, view.head
    if consumer is None or slot.state is SlotState.FOREIGN:
        return Vacant()
    if head.number < consumer.block_number:
        found = f"the node's head is {head.number}, the transaction was seen in {consumer.block_number}"
        return Unclear.of(BreakCode.NODE_BEHIND, slot.order_id, found, "a node that is not behind")
    if (await node.get_block(consumer.block_number)).hash == consumer.block_hash:
        found = f"no receipt of {consumer.tx_hash}, though its block {consumer.block_number} stands"
        return Unclear.of(BreakCode.RECEIPT_MISSING, slot.order_id, found, "a receipt")
    return Vacant()


async def _look_up(node: Node, slot: SlotView, view: View) -> Outcome | None:
    """Return who consumes the slot. Only what the view does not tell is asked for: who a stranger is, and
    why a swap reverted."""
    _, account, nonce = slot.key
    for attempt in slot.attempts:
        if receipt := view.receipts.get(attempt.tx.tx_hash):
            depth = view.head.number - receipt.block_number + 1
            if depth >= 1 and (receipt.success or _is_recorded(slot, receipt)):
                return Mined(receipt, depth) if receipt.success else Reverted(receipt, depth, "")
            return await look(node, attempt.tx, 1)
    if view.nonces[account] <= nonce:
        return None
    if not slot.attempts:
        return Superseded("", nonce)
    outcome = await look(node, slot.attempts[0].tx, 1)
    if isinstance(outcome, Superseded) and (ours := slot.get_attempt(outcome.tx_hash)):
        return await look(node, ours.tx, 1)
    return outcome


def _is_recorded(slot: SlotView, receipt: Receipt) -> bool:
    consumer = slot.consumer
    known = consumer and (consumer.tx_hash, consumer.block_hash)
    return known == (receipt.tx_hash, receipt.block_hash)


def _correct(journal: Journal, slot: SlotView, finding: Finding, *, is_final: bool) -> tuple[Event, ...]:
    match finding:
        case Mined(receipt, confirmations):
            new = journal.append_receipt(slot, receipt, confirmations)
        case Reverted(receipt, confirmations, reason):
            new = journal.append_receipt(slot, receipt, confirmations, reason)
        case Superseded(tx_hash):
            new = journal.append_foreign(slot, tx_hash)
        case Vacant():
            return journal.append_orphaned(slot)
        case Unclear():
            return ()
        case never:
            assert_never(never)
    return (*new, *journal.append_final(slot.key)) if is_final else new


def _compare(journal: Journal, slot: SlotView, finding: Finding) -> Iterator[Break]:
    """Yield what still differs after the correction."""
    if isinstance(finding, Unclear):
        yield finding.found
    elif isinstance(finding, Superseded) and slot.state is not SlotState.FINAL:
        yield Break(
            BreakCode.FOREIGN_NONCE,
            slot.order_id,
            f"nonce {slot.key.nonce} of {slot.key.account} was taken by {finding.tx_hash or 'a stranger'}",
            "an account that only this journal uses",
            "Find out who else holds the key; give the order again if it is still wanted",
        )
    elif isinstance(finding, Mined) and slot.consumer and _is_recorded(slot, finding.receipt):
        view = journal.read_order(slot.order_id)
        recorded = slot.consumer.amount_in, slot.consumer.amount_out
        moved = get_moved_amounts(view.order, finding.receipt) if view.fill and view.order else recorded
        if moved != recorded:
            yield Break(
                BreakCode.FILL_DIFFERS,
                slot.order_id,
                f"the chain moved {moved[0]} in and {moved[1]} out",
                f"{recorded[0]} in and {recorded[1]} out, as recorded",
                "The node that recorded it served incomplete logs: correct the books by hand",
            )


def _find_strangers(journal: Journal, tops: Mapping[Address, int], view: View) -> Iterator[Break]:
    """Yield accounts whose nonce at the head is past every one that the journal gave out, or lent code by."""
    for account, given in tops.items():
        found = view.nonces[account]
        newest = SlotKey(view.head.chain_id, account, given - 1)
        top = given + _lent_code(journal.read_slot(newest)) if found > given else given
        if found > top:
            yield Break(
                BreakCode.FOREIGN_NONCE,
                "",
                f"{account} is at nonce {found} in block {view.head.number}",
                f"at most {top}: an account that only this journal uses",
                "Find out who else holds the key, and move the funds if nobody should",
            )


def _lent_code(slot: SlotView) -> bool:
    """Return whether the slot's consumer lent its account code (EIP-7702): that takes the nonce after it."""
    attempt = slot.get_attempt(slot.consumer.tx_hash) if slot.consumer else None
    return attempt is not None and lends_code(attempt.tx.raw)


def _find_gaps(journal: Journal, chain_id: int) -> Iterator[Break]:
    """Yield nonces that were reserved and left, or that lending code left out, below others that wait."""
    slots = [slot for slot in journal.read_unsettled() if slot.key.chain_id == chain_id]
    waiting: dict[Address, list[int]] = defaultdict(list)
    for slot in slots:
        if slot.state in OPEN:
            waiting[slot.key.account].append(slot.key.nonce)
    for account, nonces in waiting.items():
        below = SlotKey(chain_id, account, nonces[0]).previous
        if journal.is_left_out(below):
            yield _gap(below, "", nonces, "was left out: code that was to be lent is not")
    for slot in slots:
        nonces = waiting.get(slot.key.account, [])
        if not slot.attempts and nonces and nonces[-1] > slot.key.nonce and journal.is_abandoned(slot):
            yield _gap(slot.key, slot.order_id, nonces, "was reserved and never signed")


def _gap(key: SlotKey, order_id: str, nonces: Sequence[int], why: str) -> Break:
    blocked = len(nonces) - bisect(nonces, key.nonce)
    return Break(
        BreakCode.NONCE_GAP,
        order_id,
        f"nonce {key.nonce} of {key.account} {why}",
        f"a transaction: {blocked} later ones wait for it",
        "Give any order on this account: it takes the lowest free nonce",
    )


def _unexplained(
    account: Address, token: str, moved: int, recorded: int, since: BlockRef, until: BlockRef
) -> Break:
    return Break(
        BreakCode.BALANCE_DIFFERS,
        "",
        f"{account} moved {moved} of {token or 'wei'} between blocks {since.number} and {until.number}",
        f"{recorded}, by the journal",
        "If you did not move it: find out who else holds the key, or may pull from the account",
    )


def _excessive(found: Standing) -> Break:
    return Break(
        BreakCode.ALLOWANCE_DIFFERS,
        "",
        str(found),
        f"at most {found.grant.amount}, by the journal's newest approval",
        f"Find out who else holds the key. {found.todo}",
    )


def _left(found: Standing) -> Break:
    return Break(
        BreakCode.ALLOWANCE_LEFT,
        found.grant.order_id,
        str(found),
        f"at most {found.needed}: what orders under way may need",
        found.todo,
    )
