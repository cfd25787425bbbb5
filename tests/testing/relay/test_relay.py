"""The test relay: as honest as a relay can be, and every way in which it is not. Catalogue entries 61
(an orphaned block shows its bundles), 62 (unbundling), 63 (never included), 65 (a cancel too late), 67
("nonce too low"), 70 (an acknowledgement proves nothing)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from relay_chain import REVERTS, get_mined, get_public, sign_transfer

from onchain_exec.chain import LocalChain
from onchain_exec.chain.relays import Bundle, PrivateTx, Relay, RelayIdentity, SendConditions, SharedBundle
from onchain_exec.core import to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError
from onchain_exec.testing.relay import LocalRelay, Whim

ONCE = to_address("0x" + "55" * 20)
"""A contract that can be called once."""
SLOT_HOLDER = to_address("0x" + "77" * 20)


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(extra=("--no-mining", "--order", "fifo")) as started:
        started.request("anvil_setCode", REVERTS, "0x60006000fd")
        yield started


@pytest.fixture
def builder(chain: LocalChain) -> Iterator[LocalRelay]:
    with LocalRelay.start(chain.url) as running:
        yield running


@pytest.fixture
async def relay(builder: LocalRelay) -> AsyncIterator[Relay]:
    async with Relay(builder.url, RelayIdentity()) as connected:
        yield connected


def get_hash(raw: bytes) -> str:
    return "0x" + keccak(raw).hex()


async def test_bundle_is_mined_in_its_order_at_its_block_and_seen_by_nobody_before(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    public, first, second = (sign_transfer(chain, *key) for key in ((2, 0), (1, 0), (0, 0)))
    chain.request("eth_sendRawTransaction", "0x" + public.hex())
    await relay.send_bundle(Bundle((first, second), 2))
    assert get_public(chain) == {get_hash(public)}
    builder.build()
    assert get_mined(chain) == [get_hash(public)]  # block 1 is not the one that was asked for
    builder.build()
    assert get_mined(chain) == [get_hash(first), get_hash(second)]


@pytest.mark.parametrize("may_revert", [False, True])
async def test_bundle_with_a_reverting_transaction_is_mined_only_if_it_may_revert(
    chain: LocalChain, builder: LocalRelay, relay: Relay, may_revert: bool
) -> None:
    good, bad = sign_transfer(chain, 0, 0), sign_transfer(chain, 1, 0, REVERTS)
    allowed = (get_hash(bad),) if may_revert else ()
    await relay.send_bundle(Bundle((good, bad), 1, allowed))
    builder.build()
    assert get_mined(chain) == ([get_hash(good), get_hash(bad)] if may_revert else [])


async def test_bundle_outside_its_times_or_with_a_gap_in_its_nonces_is_not_mined(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    now = int(chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    await relay.send_bundle(Bundle((sign_transfer(chain, 0, 0),), 1, max_timestamp=now))
    await relay.send_bundle(Bundle((sign_transfer(chain, 1, 0),), 1, min_timestamp=now + 1_000))
    await relay.send_bundle(Bundle((sign_transfer(chain, 2, 1),), 1))
    builder.build()
    assert get_mined(chain) == []


@pytest.mark.parametrize("rival", [(0, 0, "0x" + "33" * 20), (1, 0, ONCE)], ids=["nonce", "state"])
async def test_bundle_that_another_of_its_block_spoils_is_not_mined(
    chain: LocalChain, builder: LocalRelay, relay: Relay, rival: tuple[int, int, str]
) -> None:
    chain.request("anvil_setCode", ONCE, "0x60005415600b57600080fd5b600160005500")
    first, second = sign_transfer(chain, 0, 0, ONCE), sign_transfer(chain, *rival)
    for raw in (first, second):
        await relay.send_bundle(Bundle((raw,), 1))
    builder.build()
    assert get_mined(chain) == [get_hash(first)]


async def test_bundle_replaced_or_cancelled_is_not_mined(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    old, new, gone = (sign_transfer(chain, account, 0) for account in range(3))
    await relay.send_bundle(Bundle((old,), 1, replacement_id="a"))
    await relay.send_bundle(Bundle((new,), 1, replacement_id="a"))
    await relay.send_bundle(Bundle((gone,), 1, replacement_id="b"))
    await relay.cancel_bundle("b")
    builder.build()
    assert get_mined(chain) == [get_hash(new)]


async def test_call_bundle_tells_gas_reverts_and_what_the_builder_gets(
    chain: LocalChain, relay: Relay
) -> None:
    good, bad = sign_transfer(chain, 0, 0), sign_transfer(chain, 1, 0, REVERTS)
    tried = await relay.call_bundle(Bundle((good, bad), 1))
    assert [tx.tx_hash for tx in tried.transactions] == [get_hash(good), get_hash(bad)]
    assert tried.transactions[0].gas_used == 21_000
    assert tried.transactions[1].revert
    assert not tried.success
    assert tried.gas_used == sum(tx.gas_used for tx in tried.transactions)
    assert tried.coinbase_wei == tried.gas_used * 10**9
    with pytest.raises(NodeRefusedError, match="nonce too high"):
        await relay.call_bundle(Bundle((sign_transfer(chain, 0, 7),), 1))


async def test_private_transaction_is_mined_until_its_last_block_and_can_be_cancelled(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    kept, late, gone = sign_transfer(chain, 0, 0), sign_transfer(chain, 1, 1), sign_transfer(chain, 2, 0)
    assert await relay.send_private(PrivateTx(kept)) == get_hash(kept)
    await relay.send_private(PrivateTx(late, max_block_number=1))  # its nonce comes too late for block 1
    await relay.send_private(PrivateTx(gone))
    assert await relay.cancel_private(get_hash(gone))
    assert not await relay.cancel_private(get_hash(gone))
    builder.build()
    assert get_mined(chain) == [get_hash(kept)]
    chain.request("eth_sendRawTransaction", "0x" + sign_transfer(chain, 1, 0).hex())
    builder.build()
    builder.build()
    assert get_mined(chain) == []


async def test_shared_bundle_is_simulated_and_mined(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    raw = sign_transfer(chain, 0, 0)
    shared = SharedBundle((raw,), 1, 2)
    assert (await relay.simulate_shared(shared, 0))["success"] is True
    assert await relay.send_shared(shared)
    builder.build()
    assert get_mined(chain) == [get_hash(raw)]


@pytest.mark.parametrize("holds", [False, True])
async def test_conditional_transaction_is_mined_only_while_its_slots_stand(
    chain: LocalChain, builder: LocalRelay, relay: Relay, holds: bool
) -> None:
    raw = sign_transfer(chain, 0, 0)
    await relay.send_conditional(raw, SendConditions(known_slots={SLOT_HOLDER: {1: 0}}))
    chain.request("anvil_setStorageAt", SLOT_HOLDER, "0x1", f"0x{int(not holds):064x}")
    builder.build()
    assert get_mined(chain) == ([get_hash(raw)] if holds else [])


@pytest.mark.parametrize(
    ("whim", "mined_in"),
    [
        (None, [0, 1]),
        (Whim.IGNORE, None),
        (Whim.LATE, [0, 1]),
        (Whim.UNBUNDLE, [0]),
        (Whim.KEEP_CANCELLED, [0, 1]),
    ],
)
async def test_whims_after_an_acknowledgement(
    chain: LocalChain, builder: LocalRelay, relay: Relay, whim: Whim | None, mined_in: list[int] | None
) -> None:
    raws = sign_transfer(chain, 0, 0), sign_transfer(chain, 1, 0)
    if whim:
        builder.behave(whim)
    await relay.send_bundle(Bundle(raws, 1, replacement_id="a"))
    if whim is Whim.KEEP_CANCELLED:
        await relay.cancel_bundle("a")
    builder.build()
    if whim is Whim.LATE:
        assert get_mined(chain) == []
        builder.build()
    assert get_mined(chain) == [get_hash(raws[index]) for index in mined_in or ()]


async def test_leak_puts_what_is_private_into_the_public_pool(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    raw = sign_transfer(chain, 0, 0)
    builder.behave(Whim.LEAK)
    await relay.send_private(PrivateTx(raw))
    assert get_public(chain) == {get_hash(raw)}


async def test_refusal_and_silence_are_told_apart(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    raw = sign_transfer(chain, 0, 0)
    builder.behave(Whim.WRONG_NONCE)
    with pytest.raises(NodeRefusedError, match="nonce too low"):
        await relay.send_private(PrivateTx(raw))
    builder.behave(Whim.DOWN)
    with pytest.raises(NodeUnreachableError, match="503"):
        await relay.send_private(PrivateTx(raw))


async def test_orphan_takes_the_block_back_and_shows_what_was_private(
    chain: LocalChain, builder: LocalRelay, relay: Relay
) -> None:
    raw = sign_transfer(chain, 0, 0)
    await relay.send_private(PrivateTx(raw))
    mined = builder.build()
    assert builder.orphan().number == mined.number
    assert get_mined(chain) == []
    assert get_public(chain) == {get_hash(raw)}


@pytest.mark.parametrize("header", ["", "0x12:0x34", "signature of another body"])
async def test_request_that_is_not_signed_is_refused(builder: LocalRelay, header: str) -> None:
    if "another" in header:
        header = RelayIdentity().sign(b"{}")
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_sendBundle","params":[]}'
    async with (
        aiohttp.ClientSession() as session,
        session.post(builder.url, data=body, headers={"X-Flashbots-Signature": header}) as response,
    ):
        assert response.status == 403
        assert "signature" in (await response.json())["error"]["message"]
    assert builder.asked == []


async def test_asked_names_the_searcher(chain: LocalChain, builder: LocalRelay) -> None:
    identity = RelayIdentity()
    async with Relay(builder.url, identity) as relay:
        await relay.cancel_private("0x00")
        with pytest.raises(NodeRefusedError, match="does not exist"):
            await relay.request("eth_chainId")
        with pytest.raises(NodeRefusedError, match="invalid params"):
            await relay.request("eth_sendBundle", ({},))
    assert {asked.searcher for asked in builder.asked} == {identity.address}


def test_start_in_front_of_no_node_raises_what_keeps_it() -> None:
    with pytest.raises(NodeUnreachableError):
        LocalRelay.start("http://127.0.0.1:9")
