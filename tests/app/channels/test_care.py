"""What private bytes need while they wait: who else has them is seen, and another way is chosen in time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from oms.builders import BLOCK, CHAIN_ID, TRADER, make_plan, make_signed, sign_plan
from path_stage import ORDER, Stage, open_stage

from onchain_exec.app.channels import care
from onchain_exec.execution import DurableTx, Purpose
from onchain_exec.execution.channels import Channel, Decision, Stakes
from onchain_exec.oms import SlotKey

SLOT = SlotKey(CHAIN_ID, TRADER, 0)
BUNDLE = Decision(Channel.BUNDLE, (), (), 105, Stakes(0))


class Waiting:
    """Bytes that wait, before a node that shows ``seen``: block hashes (None: its pool) by transaction."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.stage, self.journal = stage, stage.journal
        self.seen: dict[str, str | None] = {}
        patch.setattr(care, "find_offers", lambda _: None)
        patch.setattr(care, "reconsider", lambda *_: BUNDLE)

    def sign(self, *, private: bool) -> DurableTx:
        self.journal.append_channel(ORDER.order_id, Decision(Channel.PRIVATE, (), (), 100, Stakes(0)))
        nonce = self.journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, Purpose.SWAP, 0)
        return self.journal.write_signed(ORDER.order_id, make_signed(ORDER, nonce), private=private)

    def replace(self, stuck: DurableTx, purpose: Purpose) -> DurableTx:
        plan = make_plan(stuck, purpose)
        signed = sign_plan(plan, stuck.nonce, purpose.value.encode())
        return self.journal.write_signed(ORDER.order_id, signed, private=True)

    async def look(self, chain_id: int = CHAIN_ID) -> tuple[int, Channel]:
        """Return how many attempts there were when others had one, and the way the order goes."""

        async def get_transaction(tx_hash: str) -> Any:
            if tx_hash in self.seen:
                return SimpleNamespace(tx_hash=tx_hash, block_hash=self.seen[tx_hash])
            return None

        node: Any = SimpleNamespace(chain_id=chain_id, get_transaction=get_transaction)
        await care.look_after_private(replace(self.stage.context, node=node), BLOCK)
        decision = self.journal.read_order(ORDER.order_id).decision
        assert decision is not None
        return self.journal.read_slot(SLOT).leaked, decision.channel


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return Waiting(open_stage(), monkeypatch)


async def test_look_after_private_chooses_again_and_sees_others_have_it_only_without_a_block(
    waiting: Waiting,
) -> None:
    durable = waiting.sign(private=True)
    waiting.seen = {durable.tx_hash: BLOCK.hash}
    assert await waiting.look(chain_id=1) == (0, Channel.PRIVATE), "it is another chain's"
    assert await waiting.look() == (0, Channel.BUNDLE)
    waiting.seen = {durable.tx_hash: None}
    assert await waiting.look() == (1, Channel.BUNDLE)


async def test_look_after_private_does_not_take_public_bytes_for_a_leak_of_the_private_ones(
    waiting: Waiting,
) -> None:
    public = waiting.sign(private=False)
    waiting.seen = {public.tx_hash: None}
    assert await waiting.look() == (0, Channel.PRIVATE), "nothing is private yet"
    private = waiting.replace(public, Purpose.SWAP)
    assert (await waiting.look())[0] == 0
    waiting.seen[private.tx_hash] = None
    assert (await waiting.look())[0] == 2


async def test_look_after_private_leaves_the_way_of_a_cancel_alone(waiting: Waiting) -> None:
    waiting.replace(waiting.sign(private=True), Purpose.CANCEL)
    assert await waiting.look() == (0, Channel.PRIVATE)
