"""Journalled bytes go the way that their order's channel has it, and no other."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from oms.builders import BLOCK, CHAIN_ID, TRADER, make_plan, make_signed, sign_plan
from path_stage import ORDER, Stage, open_stage

from onchain_exec.app.channels import dispatch
from onchain_exec.app.path.context import Context, Policy
from onchain_exec.chain import Delivery
from onchain_exec.chain.relays import Bundle, SharedBundle
from onchain_exec.errors import HaltedError
from onchain_exec.execution import Accepted, DurableTx, Purpose, Rejected
from onchain_exec.execution.channels import Channel, ChannelPolicy, Decision, Stakes
from onchain_exec.oms import EVERYTHING, SwitchState

ALLOWED = frozenset({Channel.BUNDLE, Channel.SHARED, Channel.PRIVATE})
POLICY = Policy(channels=ChannelPolicy(ALLOWED, hints=("hash", "logs"), refund_percent=77))


class Asked:
    """Relays, and a node, that take everything and keep what they were given."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch, fault: str = "") -> None:
        self.calls: list[tuple[str, Any]] = []
        relays = ("send_raw", "send_bundle", "send_shared", "cancel_private", "cancel_bundle")
        patch.setattr(
            dispatch, "get_relays", lambda _: SimpleNamespace(**{name: self.take(name) for name in relays})
        )
        patch.setattr(dispatch, "list_protected", lambda _: ("http://protected",))

        async def find_fault(*_: Any) -> str:
            return fault

        patch.setattr(dispatch, "find_fault", find_fault)
        stage.policy = POLICY
        node: Any = SimpleNamespace(
            get_block=stage.context.node.get_block, broadcast=self.take("broadcast"), chain_id=CHAIN_ID
        )
        self.context: Context = replace(stage.context, node=node)

    def take(self, name: str) -> Any:
        async def take(given: Any, **options: Any) -> tuple[Delivery, ...]:
            self.calls.append((name, options or given))
            reply = "0xbundle" if "bundle" in name or "shared" in name else self.tx_hash
            return (Delivery("http://relay", reply),)

        return take

    tx_hash = ""

    def sign(self, channel: Channel, *, private: bool = True) -> DurableTx:
        journal = self.context.journal
        journal.append_channel(ORDER.order_id, Decision(channel, (), (), 100, Stakes(0)))
        nonce = journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, Purpose.SWAP, 0)
        durable = journal.write_signed(ORDER.order_id, make_signed(ORDER, nonce), private=private)
        self.tx_hash = durable.tx_hash
        return durable


@pytest.fixture
def stage() -> Stage:
    return open_stage()


@pytest.fixture
def asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(stage, monkeypatch)


async def test_hand_over_of_a_bundle_is_for_the_next_block_until_the_orders_deadline(asked: Asked) -> None:
    durable = asked.sign(Channel.BUNDLE)
    name = dispatch.get_bundle_name(durable)
    assert isinstance(await dispatch.hand_over(asked.context, durable), Accepted)
    wanted = Bundle((durable.raw,), BLOCK.number + 1, max_timestamp=ORDER.expires_at, replacement_id=name)
    assert asked.calls == [("send_bundle", wanted)]


async def test_hand_over_of_what_searchers_see_tells_the_policys_hints_and_is_paid_to_the_sender(
    asked: Asked,
) -> None:
    durable = asked.sign(Channel.SHARED)
    assert isinstance(await dispatch.hand_over(asked.context, durable), Accepted)
    wanted = SharedBundle(
        (durable.raw,), BLOCK.number + 1, hints=("hash", "logs"), refund_percent=77, refund_to=TRADER
    )
    assert asked.calls == [("send_shared", wanted)]


async def test_hand_over_of_a_bundle_that_would_fail_withdraws_the_one_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(stage, monkeypatch, fault="it reverts")
    durable = asked.sign(Channel.BUNDLE)
    assert await dispatch.hand_over(asked.context, durable) == Rejected(durable.tx_hash, "it reverts")
    assert asked.calls == [("cancel_bundle", dispatch.get_bundle_name(durable))]


@pytest.mark.parametrize(
    ("channel", "private", "call"),
    [
        (Channel.PRIVATE, True, "send_raw"),
        (Channel.PROTECTED, True, {"private": True, "only": ("http://protected",)}),
        (Channel.PUBLIC, False, {"private": False, "only": ()}),
        (Channel.PRIVATE, False, {"private": False, "only": ()}),  # an approval that is no secret
    ],
)
async def test_hand_over_sends_private_bytes_to_nobody_else(
    asked: Asked, channel: Channel, private: bool, call: Any
) -> None:
    durable = asked.sign(channel, private=private)
    await dispatch.hand_over(asked.context, durable)
    assert asked.calls == [(call, durable.raw) if isinstance(call, str) else ("broadcast", call)]


async def test_hand_over_of_a_cancel_asks_relays_to_forget_what_it_is_against(asked: Asked) -> None:
    durable = asked.sign(Channel.PRIVATE)
    cancel = asked.context.journal.write_signed(
        ORDER.order_id, sign_plan(make_plan(durable, Purpose.CANCEL), durable.nonce)
    )
    await dispatch.hand_over(asked.context, cancel)
    assert asked.calls[:2] == [
        ("cancel_private", durable.tx_hash),
        ("cancel_bundle", dispatch.get_bundle_name(durable)),
    ]
    assert asked.calls[2:] == [("broadcast", {"private": False, "only": ()})]


async def test_dispatch_of_what_is_killed_sends_nothing(asked: Asked) -> None:
    durable = asked.sign(Channel.PRIVATE)
    asked.context.journal.append_switch(EVERYTHING, SwitchState.KILLED)
    with pytest.raises(HaltedError):
        await dispatch.dispatch(asked.context, durable)
    assert asked.calls == []
