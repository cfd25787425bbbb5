"""Bundles offered block after block to relays that keep their word, and to those that do not. Catalogue
entries 62 (unbundling), 63 (never included), 68 (nonces within a bundle), 69 (what was simulated is not what
is mined), 70 (an acknowledgement proves nothing)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from onchain_exec.app.bundles import (
    BundleOutcome,
    BundleTerms,
    Included,
    Missed,
    Unbundled,
    Withdrawn,
    earns,
    find_fault,
    run_bundle,
)
from onchain_exec.chain import CallResult, LocalChain, Node, TxCall
from onchain_exec.chain.relays import Relay, RelayIdentity, Relays
from onchain_exec.core import Address, BlockRef, Log, address_bytes, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError
from onchain_exec.execution import DurableTx, Fees, InProcessRunner, LocalSigner, Purpose, UnsignedTx
from onchain_exec.oms import EVERYTHING, Journal, SwitchState
from onchain_exec.testing.relay import LocalRelay, Whim
from onchain_exec.venues.erc20 import TRANSFER

OWNER, OTHER, TOKEN = (to_address("0x" + digit * 40) for digit in "abc")
SWITCH = to_address("0x" + "66" * 20)
"""Its code succeeds while its slot 0 is 0, and reverts afterwards."""


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(extra=("--no-mining", "--order", "fifo")) as started:
        started.request("anvil_setCode", SWITCH, "0x600054600757005b60006000fd")
        yield started


@pytest.fixture
def builder(chain: LocalChain) -> Iterator[LocalRelay]:
    with LocalRelay.start(chain.url) as running:
        yield running


@pytest.fixture
async def node(chain: LocalChain) -> AsyncIterator[Node]:
    connected = await Node.connect(chain.url)
    yield connected
    await connected.close()


@pytest.fixture
async def relays(builder: LocalRelay) -> AsyncIterator[Relays]:
    async with Relays([Relay(builder.url, RelayIdentity())]) as several:
        yield several


def sign(chain: LocalChain, account: int, *, nonce: int = 0, private: bool = True) -> DurableTx:
    owner = chain.accounts[account]
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": 1337,
        "nonce": nonce,
        "to": SWITCH,
        "value": 0,
        "gas": 60_000,
    }
    fees = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
    raw = bytes(Account.sign_transaction(fields | fees, owner.key)["raw_transaction"])
    tx_hash = "0x" + keccak(raw).hex()
    return DurableTx(f"order-{account}", Purpose.SWAP, 1337, owner.address, nonce, raw, tx_hash, private)


async def lend(chain: LocalChain, account: int) -> DurableTx:
    """Sign a call of the account by itself, through the code of `SWITCH`, which it lends itself."""
    signer = LocalSigner(chain.accounts[account].key)
    tx = UnsignedTx(
        chain_id=1337,
        nonce=0,
        fees=Fees(10**10, 10**9),
        gas_limit=120_000,
        to=signer.address,
        value_wei=0,
        data=b"\x01",
        authorisations=(await signer.sign_authorisation(1337, SWITCH, 1),),
    )
    raw = tx.encode(await signer.sign_transaction(tx))
    tx_hash = "0x" + keccak(raw).hex()
    return DurableTx("order", Purpose.ACTION, 1337, signer.address, 0, raw, tx_hash, private=True)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


async def run(
    relays: Relays,
    offering: Coroutine[None, None, BundleOutcome],
    step: Callable[[], object],
) -> BundleOutcome:
    """Run it, and ``step`` whenever the relay has been asked to send for another block."""
    running = asyncio.create_task(offering)
    stepped = 0
    while not running.done():
        (record,) = relays.records.values()
        if record.acknowledged > stepped:
            stepped = record.acknowledged
            await asyncio.to_thread(step)
        await asyncio.sleep(0.01)
    return await running


async def test_run_bundle_is_included_as_a_whole(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    transactions = [sign(chain, 0), sign(chain, 1)]
    terms = BundleTerms(last_block=3, poll_s=0.01)
    outcome = await run(relays, run_bundle(node, relays, journal, transactions, terms), builder.build)
    assert isinstance(outcome, Included)
    assert [receipt.tx_hash for receipt in outcome.receipts] == [tx.tx_hash for tx in transactions]
    assert len({receipt.block_hash for receipt in outcome.receipts}) == 1


async def test_run_bundle_of_one_account_keeps_the_nonces_in_their_order(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    transactions = [sign(chain, 0), sign(chain, 0, nonce=1), sign(chain, 1)]
    terms = BundleTerms(last_block=3, poll_s=0.01)
    assert "nonce 1" in await find_fault(node, transactions[1::-1], await node.get_block())
    outcome = await run(relays, run_bundle(node, relays, journal, transactions, terms), builder.build)
    assert isinstance(outcome, Included)
    assert [receipt.tx_hash for receipt in outcome.receipts] == [tx.tx_hash for tx in transactions]


async def test_run_bundle_that_is_ignored_is_offered_for_each_block_and_missed(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    builder.behave(Whim.IGNORE)
    terms = BundleTerms(last_block=3, poll_s=0.01)
    assert await run(
        relays, run_bundle(node, relays, journal, [sign(chain, 0)], terms), builder.build
    ) == Missed(3)
    offers = [asked.params[0] for asked in builder.asked if asked.method == "eth_sendBundle"]
    assert [offer["blockNumber"] for offer in offers] == ["0x1", "0x2", "0x3"]
    assert len({offer["replacementUuid"] for offer in offers}) == 1
    assert builder.asked[-1].method == "eth_cancelBundle"


async def test_run_bundle_that_would_revert_in_the_next_block_is_withdrawn(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    builder.behave(Whim.IGNORE)

    def step() -> None:
        builder.behave()
        chain.request("anvil_setStorageAt", SWITCH, "0x0", f"0x{1:064x}")
        builder.build()

    outcome = await run(
        relays,
        run_bundle(node, relays, journal, [sign(chain, 0)], BundleTerms(last_block=9, poll_s=0.01)),
        step,
    )
    assert isinstance(outcome, Withdrawn)
    assert "would revert in block 2" in outcome.reason
    builder.build()
    assert chain.request("eth_getTransactionCount", chain.accounts[0].address, "latest") == "0x0"


async def test_find_fault_asks_both_simulations(chain: LocalChain, node: Node) -> None:
    transactions, head = [sign(chain, 0), sign(chain, 1)], await node.get_block()
    terms = BundleTerms(last_block=1, second=InProcessRunner(node))
    assert await find_fault(node, transactions, head, terms) == ""

    class Other(InProcessRunner):
        async def try_out(self, calls: Sequence[TxCall], block: BlockRef) -> tuple[CallResult, ...]:
            found = await super().try_out(calls, block)
            return (replace(found[0], logs=(Log(SWITCH, (), b"", 0),)), *found[1:])

    other = BundleTerms(last_block=1, second=Other(node))
    assert "do not agree" in await find_fault(node, transactions, head, other)


@pytest.mark.parametrize(("least", "wanted"), [(7, True), (8, False), (-1, True)])
def test_earns_counts_what_an_account_ends_with(least: int, wanted: bool) -> None:
    def move(sender: Address, receiver: Address, amount: int) -> CallResult:
        words = (bytes(12) + address_bytes(one) for one in (sender, receiver))
        return CallResult(0, b"", (Log(TOKEN, (TRANSFER.topic, *words), amount.to_bytes(32), 0),), None)

    results = [move(OTHER, OWNER, 10), move(OWNER, OTHER, 3)]
    assert earns(OWNER, TOKEN, least)(results) is wanted


async def test_run_bundle_that_is_killed_is_withdrawn_and_offered_no_more(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    builder.behave(Whim.IGNORE)

    def step() -> None:
        journal.append_switch(EVERYTHING, SwitchState.KILLED, "a test")
        builder.build()

    terms = BundleTerms(last_block=9, poll_s=0.01)
    outcome = await run(relays, run_bundle(node, relays, journal, [sign(chain, 0)], terms), step)
    assert isinstance(outcome, Withdrawn)
    assert "all is KILLED" in outcome.reason
    asked = [asked.method for asked in builder.asked]
    assert asked.count("eth_sendBundle") == 1
    assert asked[-1] == "eth_cancelBundle"


async def test_find_fault_runs_the_code_that_a_transaction_lends_its_account(
    chain: LocalChain, node: Node
) -> None:
    """EIP-7702: without it a call of the account by itself does nothing, and so never fails. Mined, it takes
    two nonces."""
    lending, later = await lend(chain, 0), sign(chain, 0, nonce=2)
    head = await node.get_block()
    assert await find_fault(node, [lending, later], head) == ""
    assert "nonce 1, and 2 is next" in await find_fault(node, [lending, sign(chain, 0, nonce=1)], head)
    chain.request("anvil_setStorageAt", lending.sender, "0x" + "00" * 32, "0x" + "00" * 31 + "01")
    assert f"{lending.tx_hash} would revert" in await find_fault(node, [lending], head)


async def test_run_bundle_whose_effects_are_not_wanted_is_never_sent(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    terms = BundleTerms(last_block=9, is_wanted=lambda results: results[0].gas_used < 21_000)
    outcome = await run_bundle(node, relays, journal, [sign(chain, 0)], terms)
    assert isinstance(outcome, Withdrawn)
    assert "not those wanted" in outcome.reason
    assert [asked.method for asked in builder.asked] == ["eth_cancelBundle"]


async def test_run_bundle_taken_apart_says_what_is_missing(
    chain: LocalChain, builder: LocalRelay, node: Node, relays: Relays, journal: Journal
) -> None:
    builder.behave(Whim.UNBUNDLE)
    first, second = sign(chain, 0), sign(chain, 1)
    terms = BundleTerms(last_block=9, poll_s=0.01)
    outcome = await run(relays, run_bundle(node, relays, journal, [first, second], terms), builder.build)
    assert isinstance(outcome, Unbundled)
    assert [receipt.tx_hash for receipt in outcome.receipts] == [first.tx_hash]
    assert outcome.missing == (second.tx_hash,)


async def test_run_bundle_of_public_bytes_raises(
    chain: LocalChain, node: Node, relays: Relays, journal: Journal
) -> None:
    with pytest.raises(InputError, match="public"):
        await run_bundle(node, relays, journal, [sign(chain, 0, private=False)], BundleTerms(last_block=1))
