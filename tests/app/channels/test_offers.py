"""The channels that there are follow from the endpoints, and what is missing is named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from oms.builders import CHAIN_ID, KEEPER, TRADER, WETH

from onchain_exec.app.channels.offers import find_offers
from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.path.context import Context, Policy
from onchain_exec.chain.opening import open_rpc
from onchain_exec.execution import Capability
from onchain_exec.execution.channels import Channel, Offers, TrackRecord
from onchain_exec.testing.simulated import Fate, MemoryJournal

RELAYED = {Channel.PRIVATE, Channel.BUNDLE, Channel.SHARED}


async def find(
    urls: str, *, has_book: bool = False, private_only: bool = False, record: Any = None
) -> Offers:
    rpc: Any = open_rpc(urls, CHAIN_ID)
    node: Any = SimpleNamespace(rpc=rpc, chain_id=CHAIN_ID)
    journal: Any = MemoryJournal(Fate(0), lambda: 0).open()
    if record:
        journal = SimpleNamespace(read_records=lambda: {"public": record, "public@a node": TrackRecord(7)})
    signer: Any = SimpleNamespace(address=TRADER, capabilities={Capability.TYPED_DATA})
    profile = ChainProfile(CHAIN_ID, "", "", WETH, {}, {"onchain_exec": {"settle": KEEPER}})
    policy, book = Policy(private_only=private_only), object() if has_book else None
    try:
        return find_offers(
            Context(node, profile, journal, policy, signer, lambda: 0, lambda *_: None, intent_book=book)  # type: ignore[arg-type]
        )
    finally:
        await rpc.close()


@pytest.mark.parametrize(
    ("urls", "there"),
    [
        ("http://a", {Channel.PUBLIC, Channel.INTENT}),
        ("http://a private+http://b", {Channel.PUBLIC, Channel.INTENT, Channel.PROTECTED}),
        ("http://a relay+http://b", {Channel.PUBLIC, Channel.INTENT, *RELAYED}),
        ("read+http://a private+http://b", {Channel.PROTECTED}),
        ("read+http://a relay+http://b private+http://c", {Channel.PROTECTED, *RELAYED}),
    ],
)
async def test_find_offers_are_what_the_endpoints_take(urls: str, there: set[Channel]) -> None:
    offers = await find(urls, has_book=True)
    assert set(offers.records) == there
    assert set(offers.missing) == {Channel.PUBLIC, Channel.PROTECTED, Channel.INTENT, *RELAYED} - there
    assert all(offers.missing.values())


async def test_find_offers_without_a_book_says_so() -> None:
    offers = await find("http://a")
    assert set(offers.records) == {Channel.PUBLIC}
    assert "intent_book" in offers.missing[Channel.INTENT]


async def test_find_offers_carry_the_promise_and_what_the_chain_has_shown() -> None:
    record = TrackRecord(waited_blocks=3, included=2)
    offers = await find("http://a private+http://b", private_only=True, record=record)
    assert offers.private_only
    assert offers.records == {Channel.PUBLIC: record, Channel.PROTECTED: TrackRecord()}
    assert not (await find("http://a")).private_only
