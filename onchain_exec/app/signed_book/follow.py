"""The book brought up to the chain, block by block: fills, cancelled lanes, and reorgs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from onchain_exec.chain import HeadEvent, HeadFollower, LogFilter, Node
from onchain_exec.clearing.settle import Domain, Lane
from onchain_exec.clearing.settle.contract import CANCELLED, CHARGED, FILLED, LANE_OF
from onchain_exec.clearing.settle.events import apply_logs, decode_fills
from onchain_exec.clearing.settle.order_book import BookedFill, RefusalCode
from onchain_exec.clearing.settle.verification import Verified, read_verified
from onchain_exec.core import Address, BlockRef, Call, Log
from onchain_exec.errors import JournalError, NodeError, StateError
from onchain_exec.oms.signed_book import SignedBook
from onchain_exec.oms.signed_book.writing import SETTLED_BLOCKS

log = logging.getLogger(__name__)

_AGAIN_BLOCKS: Final = 25
_READ_AT_ONCE: Final = 500
_SEEN: Final = (RefusalCode.NOT_SIGNED, RefusalCode.BALANCE_SHORT, RefusalCode.ALLOWANCE_SHORT)
"""What can be read of the chain again; who else refuses an order says so again."""


async def follow_chain(node: Node, book: SignedBook, *, poll_s: float = 1.0) -> None:
    """Keep the book up to the chain until cancelled. It begins with the lanes as they are, so nothing that
    happened while nobody followed is missed; what a node or the database fails at is tried again."""
    follower: HeadFollower | None = None
    event: HeadEvent | None = None
    while True:
        try:
            follower = follower or await start_following(node, book, poll_s=poll_s)
            if event is None:
                event = await anext(follower)
            await record(node, book, event)
            event = None
        except (NodeError, JournalError) as error:
            log.warning("the book of signed orders waits: %s", error)
            await asyncio.sleep(poll_s)
        except StateError as error:
            log.warning("the book of signed orders reads its lanes anew: %s", error)
            follower = event = None


async def start_following(node: Node, book: SignedBook, *, poll_s: float = 1.0) -> HeadFollower:
    """Bring every lane up to the newest block, and return what follows from there. What ended before the
    `SETTLED_BLOCKS` is not looked at again."""
    head = await node.get_block()
    await _read_lanes(node, book, head.number - SETTLED_BLOCKS, head)
    topics = (FILLED.topic, CHARGED.topic, CANCELLED.topic)
    return HeadFollower(node, head, logs=LogFilter((book.domain.contract,), (topics,)), poll_s=poll_s)


async def record(node: Node, book: SignedBook, event: HeadEvent) -> None:
    """Undo what left the chain, and record what joined it; again is no different from once."""
    await asyncio.to_thread(_record, book, event)
    if event.orphaned:
        await _read_lanes(node, book, event.orphaned[-1].number, await node.get_block())
    if any(block.number % _AGAIN_BLOCKS == 0 for block in event.added):
        await look_again(node, book)


async def look_again(node: Node, book: SignedBook) -> None:
    """Lift what stood in orders' way and is seen to have passed: money that came, a word that was given."""
    block = await node.get_block()
    refused = await asyncio.to_thread(book.list_refused, block.timestamp)
    seen = [kept.signed_order for kept in refused if kept.refusal and kept.refusal.code in _SEEN]
    for first in range(0, len(seen), _READ_AT_ONCE):
        found = await node.perform(read_verified(book.domain, seen[first : first + _READ_AT_ONCE]), block)
        verified = [one.resting.digest for one in found if isinstance(one, Verified)]
        await asyncio.to_thread(book.lift_refusals, verified)


def _record(book: SignedBook, event: HeadEvent) -> None:
    for block in event.orphaned:
        book.drop_fills(block.hash)
    if event.logs:
        book.record_fills(tuple(_find_fills(book, event.logs)))
        book.record_lanes(apply_logs({}, event.logs, book.domain.contract), event.head.number)


def _find_fills(book: SignedBook, logs: Iterable[Log]) -> Iterator[BookedFill]:
    """Yield the fills of orders that the book has."""
    for fill in decode_fills(logs, book.domain.contract):
        kept = book.find_on_lane(fill.owner, fill.lane, fill.seq)
        if kept is not None:
            yield BookedFill(
                digest=kept.signed_order.digest,
                amount_in=fill.amount_in,
                amount_out=fill.amount_out,
                fee=fill.fee,
                tx_hash=fill.log.tx_hash,
                block_number=fill.log.block_number,
                block_hash=fill.log.block_hash,
                log_index=fill.log.index,
            )


async def _read_lanes(node: Node, book: SignedBook, since_block: int, head: BlockRef) -> None:
    """Record how the lanes stand whose orders rest, or were seen to end since that block."""
    lanes = sorted(await asyncio.to_thread(book.list_lanes, since_block))
    for first in range(0, len(lanes), _READ_AT_ONCE):
        part = lanes[first : first + _READ_AT_ONCE]
        snapshot = await node.read_calls(_list_lane_calls(book.domain, part), head)
        standing = {
            lane: Lane(*LANE_OF.decode(answer.data))
            for lane, answer in zip(part, snapshot.answers, strict=True)
        }
        await asyncio.to_thread(book.record_lanes, standing, head.number)


def _list_lane_calls(domain: Domain, lanes: Sequence[tuple[Address, int]]) -> list[Call]:
    return [Call(domain.contract, LANE_OF.encode(owner, number)) for owner, number in lanes]
