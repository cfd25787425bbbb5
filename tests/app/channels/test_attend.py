"""What waits is offered again, by its newest bytes, where its channel is for one block or has changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from oms.builders import BLOCK, CHAIN_ID, TRADER, make_block, make_plan, make_signed, sign_plan
from path_stage import ORDER, open_stage

from onchain_exec.app.channels import attend as attending
from onchain_exec.execution import DurableTx, Purpose
from onchain_exec.execution.channels import Channel, Decision, Stakes
from onchain_exec.testing.simulated import run_virtually


def choose(channel: Channel, block: int = 100) -> Decision:
    return Decision(channel, (), (), block, Stakes(0))


@pytest.mark.parametrize(
    ("before", "after", "is_offered"),
    [
        (Channel.BUNDLE, None, True),
        (Channel.SHARED, None, True),
        (Channel.PRIVATE, None, False),
        (Channel.PRIVATE, Channel.PROTECTED, True),
    ],
)
async def test_attend_offers_the_newest_bytes_at_a_new_block_where_that_is_needed(
    monkeypatch: pytest.MonkeyPatch, before: Channel, after: Channel | None, is_offered: bool
) -> None:
    stage, sent, heads = open_stage(), list[DurableTx](), [100, 101, 102]
    journal = stage.journal
    journal.append_channel(ORDER.order_id, choose(before))
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, Purpose.SWAP, 0)
    first = journal.write_signed(ORDER.order_id, make_signed(ORDER, nonce), private=True)
    dearer = journal.write_signed(ORDER.order_id, sign_plan(make_plan(first), nonce, b"dearer"))

    async def get_block() -> Any:
        return make_block(heads[0])

    async def get_nonce(_: Any, head: Any) -> int:
        del heads[0]
        return int(head.number == 102)

    async def look_after(_: Any, head: Any) -> None:
        if after and head.number == 101:
            journal.append_channel(ORDER.order_id, choose(after, 101))

    async def dispatch(_: Any, durable: DurableTx) -> None:
        sent.append(durable)

    monkeypatch.setattr(attending, "POLL_S", 0)
    monkeypatch.setattr(attending, "look_after_private", look_after)
    monkeypatch.setattr(attending, "dispatch", dispatch)
    node: Any = SimpleNamespace(get_block=get_block, get_nonce=get_nonce)
    assert await attending.attend(replace(stage.context, node=node), dearer, BLOCK) > 0
    assert sent == ([dearer] if is_offered else [])


@pytest.mark.parametrize("clock", ["ours", "the chain's"])
@pytest.mark.parametrize("block_after_s", [3, 8])
def test_outlasts_is_false_once_the_orders_time_has_passed_by_the_later_clock(
    clock: str, block_after_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait_beyond(*_: Any) -> None:
        await asyncio.sleep(block_after_s)

    async def wait() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await attending.outlasts(replace(open_stage().context, now=lambda: now), ORDER, head)
        return found, loop.time() - began

    monkeypatch.setattr(attending, "wait_beyond", wait_beyond)
    late, early = ORDER.expires_at - 5, ORDER.expires_at - 500
    now, at = (late, early) if clock == "ours" else (early, late)
    head = replace(BLOCK, timestamp=at)
    assert run_virtually(wait()) == (block_after_s == 3, min(block_after_s, 5))
