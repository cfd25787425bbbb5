"""How the chain has intents end. The book that shows them is not asked: the lane says all of it, and the log
who and what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from onchain_exec.chain import LogFilter, Node
from onchain_exec.clearing.settle import Lane
from onchain_exec.clearing.settle.contract import CANCELLED, FILLED, LANE_OF
from onchain_exec.clearing.settle.events import Filled, apply_logs, decode_fills
from onchain_exec.core import Answer, BlockRef, Call, Order, address_bytes
from onchain_exec.errors import InputError, NodeRefusedError
from onchain_exec.oms.book.events import Event
from onchain_exec.oms.book.intent_terms import SEQ
from onchain_exec.oms.book.intents import make_lapse
from onchain_exec.oms.book.states import Fate
from onchain_exec.oms.book.views import Consumer, IntentEnd, IntentView, OrderView
from onchain_exec.oms.breaks import Break, BreakCode, Unclear
from onchain_exec.oms.journal import Journal
from onchain_exec.venues.answer import decode_answer

Standing: TypeAlias = IntentEnd | Unclear | None
"""How an intent ended; None: it can still be filled."""

_REORG_BLOCKS: Final = 128
"""A fill may stand so many blocks below the one at which its intent was signed: none was replaced deeper."""

_READ_AT_ONCE: Final = 500
"""So many blocks are searched for logs in one request: nodes refuse many more."""


async def read_standings(
    node: Node, views: Sequence[OrderView], head: BlockRef
) -> tuple[tuple[OrderView, Standing], ...]:
    """Return how each order's intent stands at ``head``, which must still be canonical when this is done.

    Raises:
        NodeError: the node fails.
    """
    asked = [(view, view.order, view.intent) for view in views if view.order and view.intent]
    calls = [
        Call(intent.terms.contract, LANE_OF.encode(order.account, intent.terms.lane))
        for _, order, intent in asked
    ]
    answers = (await node.read_calls(calls, head)).answers if calls else ()
    found = []
    for (view, order, intent), answer in zip(asked, answers, strict=True):
        found.append((view, await _find_standing(node, order, intent, answer, head)))
    return tuple(found)


def correct(
    journal: Journal, found: Sequence[tuple[OrderView, Standing]], finalized: BlockRef | None
) -> tuple[Event, ...]:
    """Append what the journal has otherwise, and what is final by now; return what was new."""
    new: list[Event] = []
    for view, standing in found:
        if isinstance(standing, Unclear):
            continue
        seen = view.intent.end if view.intent else None
        new += journal.intents.append_end(view.order_id, seen, standing)
        if standing and finalized and standing.consumer.block_number <= finalized.number:
            new += journal.intents.append_final(view.order_id)
    return tuple(new)


def find_breaks(journal: Journal, found: Sequence[tuple[OrderView, Standing]]) -> Iterator[Break]:
    """Yield what still differs after the correction."""
    for view, standing in found:
        if isinstance(standing, Unclear):
            yield standing.found
            continue
        intent = journal.read_order(view.order_id).intent
        ended = intent.end if intent else None
        if standing and ended and ended != standing:
            told, recorded = standing.consumer, ended.consumer
            yield Break(
                BreakCode.FILL_DIFFERS,
                view.order_id,
                f"the chain moved {told.amount_in} in and {told.amount_out} out",
                f"{recorded.amount_in} in and {recorded.amount_out} out, as recorded",
                "The node that recorded it served other logs: correct the books by hand",
            )


async def _find_standing(
    node: Node, order: Order, intent: IntentView, answer: Answer, head: BlockRef
) -> Standing:
    ended, terms = intent.end, intent.terms
    try:
        lane = Lane(*decode_answer(LANE_OF, terms.contract, answer))
    except InputError as error:
        needed = "the Settle contract that the intent was signed for"
        return Unclear.of(BreakCode.RECEIPT_MISSING, order.order_id, error.found, needed)
    if ended and head.number < ended.consumer.block_number:
        found = f"the node's head is {head.number}, its end was seen in {ended.consumer.block_number}"
        return Unclear.of(BreakCode.NODE_BEHIND, order.order_id, found, "a node that is not behind")
    if lane == Lane():
        if ended and ended.fate is Fate.LAPSED and await _stands(node, ended):
            return ended
        return make_lapse(head) if head.timestamp > terms.deadline_at else None
    try:
        return await _find_end(node, order, intent, lane, head)
    except NodeRefusedError as error:  # it searches fewer blocks for logs: the rest need not wait for that
        needed = f"a node that searches {_READ_AT_ONCE} blocks for logs at once"
        return Unclear.of(BreakCode.RECEIPT_MISSING, order.order_id, error.found, needed)


async def _stands(node: Node, ended: IntentEnd) -> bool:
    return (await node.get_block(ended.consumer.block_number)).hash == ended.consumer.block_hash


async def _find_end(node: Node, order: Order, intent: IntentView, lane: Lane, head: BlockRef) -> Standing:
    """Return who filled the intent or, if nobody did, who passed its lane. A lane that was cancelled after
    the fill looks as one that was cancelled instead of it: only the log tells them apart. It is read from
    where the intent was signed onwards: mostly its end stands there, however long ago that was."""
    contract = intent.terms.contract
    for first in range(max(intent.terms.since_block - _REORG_BLOCKS, 0), head.number + 1, _READ_AT_ONCE):
        blocks = first, min(first + _READ_AT_ONCE - 1, head.number)
        if ended := await _find_end_within(node, order, intent, blocks):
            return ended
    found = f"lane {intent.terms.lane} stands at {lane}, and no log of {contract} tells why"
    return Unclear.of(BreakCode.RECEIPT_MISSING, order.order_id, found, "the log of a fill or cancellation")


async def _find_end_within(
    node: Node, order: Order, intent: IntentView, blocks: tuple[int, int]
) -> IntentEnd | None:
    """Return the end that the log of these heights tells, first and last included, if it does."""
    contract, owner = intent.terms.contract, address_bytes(order.account).rjust(32, b"\0")
    fills = decode_fills(
        await node.get_logs(LogFilter((contract,), ((FILLED.topic,), (owner,))), blocks), contract
    )
    ours = [fill for fill in fills if fill.lane == intent.terms.lane]
    for fill in ours:
        if fill.seq == SEQ:
            return IntentEnd(Fate.FILLED, _consumer(fill))
    if ours:
        return IntentEnd(Fate.WITHDRAWN, _consumer(ours[0], moved=False))
    for log in await node.get_logs(LogFilter((contract,), ((CANCELLED.topic,),)), blocks):
        passed = apply_logs({}, (log,), contract).get((order.account, intent.terms.lane))
        if passed is not None and passed.seq > SEQ:
            return IntentEnd(Fate.WITHDRAWN, Consumer(log.tx_hash, log.block_number, log.block_hash))
    return None


def _consumer(fill: Filled, *, moved: bool = True) -> Consumer:
    log, amounts = fill.log, (fill.amount_in, fill.amount_out) if moved else (0, 0)
    return Consumer(log.tx_hash, log.block_number, log.block_hash, *amounts)
