"""What is concluded of an intent from its lane and the log; nothing where a node tells only one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from oms.builders import (
    CHAIN_ID,
    OWNER,
    SETTLE,
    make_block,
    make_intent,
    make_order,
    make_quote,
    sign_intent,
)
from onchain_exec.chain import LogFilter
from onchain_exec.clearing.settle.contract import CANCELLED, FILLED
from onchain_exec.core import Answer, BlockRef, Call, Log, Snapshot, address_bytes
from onchain_exec.errors import HaltedError, JournalError, NodeRefusedError
from onchain_exec.oms import Journal, OrderState, SwitchState
from onchain_exec.oms.breaks import BreakCode
from onchain_exec.oms.intents import correct, find_breaks, read_standings

ORDER = make_order(1, account=OWNER, recipient=OWNER)
HEAD = make_block(110)
TERMS = make_intent(ORDER, deadline_at=HEAD.timestamp)
MONTHS_LATER = BlockRef(CHAIN_ID, 500_000, "0x" + "78" * 32, TERMS.deadline_at + 6_000_000, 1, 30_000_000)
LATE = BlockRef(CHAIN_ID, 111, "0x" + "77" * 32, TERMS.deadline_at + 1, 10**9, 30_000_000)
ROW = make_block(105)


class FakeNode:
    """Has one lane, and tells of it what it is told to."""

    chain_id = CHAIN_ID

    def __init__(self, seq: int = 0, filled: int = 0, logs: Sequence[Log] | NodeRefusedError = ()) -> None:
        self.lane, self.logs = Answer(True, seq.to_bytes(32) + filled.to_bytes(32)), logs

    async def read_calls(self, calls: Sequence[Call], block: BlockRef) -> Snapshot:
        return Snapshot(block, tuple(self.lane for _ in calls))

    async def get_logs(self, wanted: LogFilter, blocks: Any) -> tuple[Log, ...]:
        if isinstance(self.logs, NodeRefusedError):
            raise self.logs
        (topics, *_), (first, last) = wanted.topics, blocks
        if last - first >= 1_000:
            raise NodeRefusedError("eth_getLogs", -32_000, "1,000 blocks at most")
        return tuple(
            log for log in self.logs if log.topics[0] in topics and first <= log.block_number <= last
        )

    async def get_block(self, which: Any = "latest") -> BlockRef:
        return make_block(which)


def filled(seq: int, amount_out: int = 2_000 * 10**6) -> Log:
    owner = address_bytes(OWNER).rjust(32, b"\0")
    standing = TERMS.lane << 192 | seq << 128 | 10**18
    data = standing.to_bytes(32) + (10**18 << 128 | amount_out).to_bytes(32)
    return Log(SETTLE, (FILLED.topic, owner), data, 0, ROW.number, ROW.hash, "0x" + "f1" * 32)


def cancelled(seq: int, lane: int = TERMS.lane, block_number: int = ROW.number) -> Log:
    passed = int.from_bytes(address_bytes(OWNER)) << 96 | lane << 64 | seq
    topics = (CANCELLED.topic, passed.to_bytes(32))
    return Log(SETTLE, topics, b"", 0, block_number, ROW.hash, "0x" + "ca" * 32)


@pytest.fixture
def shown(journal: Journal) -> Journal:
    """A journal with one intent."""
    journal.append_order(ORDER, make_quote(ORDER))
    journal.intents.append_signed(make_quote(ORDER), TERMS, sign_intent(ORDER, TERMS))
    return journal


async def reconcile(
    journal: Journal, node: FakeNode, head: BlockRef = HEAD
) -> tuple[OrderState, set[BreakCode]]:
    """Return how the order stands, and what differs."""
    found = await read_standings(node, journal.intents.read_unsettled(CHAIN_ID), head)  # type: ignore[arg-type]
    correct(journal, found, None)
    return journal.read_order(ORDER.order_id).state, {one.code for one in find_breaks(journal, found)}


@pytest.mark.parametrize(
    ("node", "head", "state"),
    [
        (FakeNode(), HEAD, OrderState.WORKING),
        (FakeNode(), LATE, OrderState.EXPIRED),
        (FakeNode(1, 10**18, [filled(1)]), HEAD, OrderState.FILLED),
        (FakeNode(1, 10**18, [filled(1)]), LATE, OrderState.FILLED),
        (FakeNode(2, 0, [filled(1), cancelled(2)]), HEAD, OrderState.FILLED),
        (FakeNode(2, 0, [cancelled(2)]), HEAD, OrderState.CANCELLED),
        (FakeNode(9, 0, [cancelled(2, lane=TERMS.lane + 1), cancelled(9)]), LATE, OrderState.CANCELLED),
        (FakeNode(5, 1, [filled(5)]), HEAD, OrderState.CANCELLED),
        (FakeNode(2, 0, [filled(1), cancelled(2, block_number=499_999)]), MONTHS_LATER, OrderState.FILLED),
        (FakeNode(2, 0, [cancelled(2, block_number=499_999)]), MONTHS_LATER, OrderState.CANCELLED),
    ],
)
async def test_read_standings_says_how_an_intent_ended(
    shown: Journal, node: FakeNode, head: BlockRef, state: OrderState
) -> None:
    assert await reconcile(shown, node, head) == (state, set())
    before = shown.read_orders()
    assert await reconcile(shown, node, head) == (state, set())
    assert shown.read_orders() == before


@pytest.mark.parametrize(
    "node",
    [
        FakeNode(1, 10**18),
        FakeNode(2, 0),
        FakeNode(2, 0, [cancelled(2, lane=TERMS.lane + 1)]),
        FakeNode(1, 10**18, NodeRefusedError("eth_getLogs", -32_000, "10 blocks at most")),
    ],
)
async def test_read_standings_concludes_nothing_from_a_lane_alone(shown: Journal, node: FakeNode) -> None:
    assert await reconcile(shown, node, LATE) == (OrderState.WORKING, {BreakCode.RECEIPT_MISSING})


async def test_read_standings_where_no_contract_answers_concludes_nothing(shown: Journal) -> None:
    node = FakeNode()
    node.lane = Answer(True, b"")
    assert await reconcile(shown, node, LATE) == (OrderState.WORKING, {BreakCode.RECEIPT_MISSING})


async def test_reconcile_names_a_fill_that_was_recorded_otherwise(shown: Journal) -> None:
    assert await reconcile(shown, FakeNode(1, 10**18, [filled(1)])) == (OrderState.FILLED, set())
    other = FakeNode(1, 10**18, [filled(1, 1_999 * 10**6)])
    assert await reconcile(shown, other) == (OrderState.FILLED, {BreakCode.FILL_DIFFERS})


async def test_reconcile_by_a_node_that_is_behind_takes_nothing_back(shown: Journal) -> None:
    await reconcile(shown, FakeNode(1, 10**18, [filled(1)]))
    behind = make_block(ROW.number - 1)
    assert await reconcile(shown, FakeNode(), behind) == (OrderState.FILLED, {BreakCode.NODE_BEHIND})
    assert await reconcile(shown, FakeNode()) == (OrderState.BUSTED, set())


async def test_append_signed_twice_or_by_another_raises(shown: Journal) -> None:
    with pytest.raises(JournalError):
        shown.intents.append_signed(make_quote(ORDER), TERMS, sign_intent(ORDER, TERMS))
    other = make_order(2, account=OWNER)
    shown.append_order(other, make_quote(other))
    for terms in (make_intent(other, lane=TERMS.lane), make_intent(other)):
        signed = sign_intent(ORDER, terms) if terms.lane != TERMS.lane else sign_intent(other, terms)
        with pytest.raises(JournalError):
            shown.intents.append_signed(make_quote(other), terms, signed)
    assert shown.read_order(other.order_id).state is OrderState.NEW


@pytest.mark.parametrize("venue", ["swaps", "settle"])
def test_append_signed_while_its_venue_is_stopped_writes_nothing(journal: Journal, venue: str) -> None:
    journal.append_order(ORDER, make_quote(ORDER))
    journal.append_switch(f"venue:{venue}", SwitchState.PAUSED, "a drill")
    with pytest.raises(HaltedError, match="a drill"):
        journal.intents.append_signed(make_quote(ORDER), TERMS, sign_intent(ORDER, TERMS))
    assert journal.read_order(ORDER.order_id).intent is None
