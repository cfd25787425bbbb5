"""What counts as done: catalogue entries 22, 28, 31, 51 to 53, 58."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from eth_account import Account
from stand_ins import KEY, ScriptedRpc, sign_transfer

from onchain_exec.chain import LocalChain, Node
from onchain_exec.core import to_address
from onchain_exec.errors import NodeUnreachableError
from onchain_exec.execution import (
    Accepted,
    DurableTx,
    Mined,
    Outcome,
    Reverted,
    StillUnknown,
    Superseded,
    confirm,
    send,
)
from onchain_exec.testing.lying_node import LyingNode
from onchain_exec.testing.lying_node.faults import AnswerWith
from onchain_exec.testing.simulated import run_virtually

CONTRACT = to_address(b"\xc0" * 20)
REVERT_WITH_STF = bytes.fromhex("6308c379a05f52602060205260036040526253544660e81b6060526064601cfd")
"""mstore(0, selector of Error(string)), its offset, its length, "STF", revert(28, 100)."""


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start() as started:
        started.request("evm_setAutomine", False)
        yield started


@pytest.fixture
async def node(chain: LocalChain) -> AsyncIterator[Node]:
    connected = await Node.connect(chain.url)
    yield connected
    await connected.close()


def transfer(chain: LocalChain, nonce: int = 0, **fields: Any) -> DurableTx:
    return sign_transfer(nonce, chain.chain_id, **fields)


async def look(node: Node, durable: DurableTx, confirmations: int = 1) -> Outcome:
    return await confirm(node, durable, confirmations, timeout_s=0)


async def test_confirm_of_a_mined_transaction_counts_blocks(chain: LocalChain, node: Node) -> None:
    durable = transfer(chain)
    assert isinstance(await send(node, durable), Accepted)
    assert await look(node, durable) == StillUnknown(durable.tx_hash)
    for depth in range(1, 5):
        chain.mine()
        outcome = await look(node, durable, confirmations=2)
        assert isinstance(outcome, StillUnknown if depth < 2 else Mined)
    assert isinstance(outcome, Mined)
    assert outcome.confirmations == 4
    assert outcome.receipt.tx_hash == durable.tx_hash
    assert outcome.receipt.cost_wei == 21_000 * outcome.receipt.effective_gas_price_wei


async def test_confirm_waits_until_it_is_mined(chain: LocalChain, node: Node) -> None:
    durable = transfer(chain)
    await send(node, durable)
    chain.request("evm_setIntervalMining", 1)
    try:
        outcome = await confirm(node, durable, 1, timeout_s=60, poll_s=0.05)
    finally:
        chain.request("evm_setIntervalMining", 0)
    assert isinstance(outcome, Mined)


async def test_confirm_after_a_reorg_that_dropped_it_is_unknown_again(chain: LocalChain, node: Node) -> None:
    durable = transfer(chain)
    await send(node, durable)
    chain.mine(2)
    assert isinstance(await look(node, durable, 2), Mined)
    chain.reorg(2)
    assert await look(node, durable) == StillUnknown(durable.tx_hash)
    assert isinstance(await send(node, durable), Accepted)  # the same bytes, once more
    chain.mine(2)
    assert isinstance(await look(node, durable, 2), Mined)


async def test_confirm_of_a_transaction_that_the_pool_dropped_is_unknown_until_it_is_sent_again(
    chain: LocalChain, node: Node
) -> None:
    durable = transfer(chain)
    await send(node, durable)
    chain.request("anvil_dropTransaction", durable.tx_hash)
    assert await node.get_transaction(durable.tx_hash) is None
    chain.mine(2)
    assert await look(node, durable, 2) == StillUnknown(durable.tx_hash)
    assert isinstance(await send(node, durable), Accepted)  # the same bytes: the slot is still theirs
    chain.mine()
    assert isinstance(await look(node, durable), Mined)


async def test_confirm_of_a_receipt_whose_block_is_orphaned_is_unknown(chain: LocalChain, node: Node) -> None:
    durable = transfer(chain)
    await send(node, durable)
    chain.mine()
    orphaned = chain.request("eth_getTransactionReceipt", durable.tx_hash)
    chain.reorg(1)
    rpc = ScriptedRpc(
        eth_getTransactionReceipt=lambda tx_hash: orphaned,
        eth_getBlockByNumber=lambda *params: chain.request("eth_getBlockByNumber", *params),
        eth_getTransactionCount=lambda *params: chain.request("eth_getTransactionCount", *params),
    )
    assert await look(rpc.node(), durable) == StillUnknown(durable.tx_hash)


@pytest.mark.parametrize("blocks_before", [0, 1, 5, 11])
@pytest.mark.parametrize("blocks_after", [0, 1, 6])
async def test_confirm_of_a_slot_taken_by_another_names_it(
    chain: LocalChain, node: Node, blocks_before: int, blocks_after: int
) -> None:
    durable, other = transfer(chain, 1, value=2), transfer(chain, 1)
    await send(node, transfer(chain, 0))
    chain.mine(1 + blocks_before)
    await send(node, other)
    chain.mine()
    await send(node, transfer(chain, 2))
    chain.mine(1 + blocks_after)
    for confirmations in range(1, 3 + blocks_after):
        assert await look(node, durable, confirmations) == Superseded(other.tx_hash, 1)
    for confirmations in (3 + blocks_after, 50):  # or deeper than the chain is high
        assert await look(node, durable, confirmations) == StillUnknown(durable.tx_hash)


async def test_confirm_of_a_slot_taken_by_another_names_none_of_the_accounts_others_in_the_block(
    chain: LocalChain, node: Node
) -> None:
    durable, other = transfer(chain, 1, value=2), transfer(chain, 1)
    for sent in (transfer(chain, 0), other, transfer(chain, 2)):
        await send(node, sent)
    chain.mine()
    assert await look(node, durable) == Superseded(other.tx_hash, 1)


async def test_confirm_of_a_count_that_no_transaction_explains_is_unknown(
    chain: LocalChain, node: Node
) -> None:
    durable = transfer(chain)
    chain.request("anvil_setNonce", durable.sender, "0x1")
    chain.mine()
    assert await look(node, durable) == StillUnknown(durable.tx_hash)


@pytest.mark.parametrize("chain_id", [0, 1337])
async def test_confirm_of_a_slot_taken_by_an_authorisation_names_its_transaction(
    chain: LocalChain, node: Node, chain_id: int
) -> None:
    durable = transfer(chain)
    sponsor, stranger = (Account.from_key(account.key) for account in chain.accounts[1:3])
    owner = Account.from_key(KEY)
    listed = (
        [(stranger, chain_id, 0), (owner, chain_id, 1), (owner, 5, 0)],  # of others, or void here
        [(owner, chain_id, 0), (stranger, chain_id, 9)],
    )
    for nonce, wishes in enumerate(listed):
        signed = [
            account.sign_authorization({"chainId": where, "address": CONTRACT, "nonce": at})
            for account, where, at in wishes
        ]
        sponsored = sponsor.sign_transaction(
            {
                "chainId": 1337,
                "nonce": nonce,
                "to": CONTRACT,
                "value": 0,
                "gas": 200_000,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 10**9,
                "authorizationList": signed,
            }
        )
        await node.send_raw_transaction(bytes(sponsored.raw_transaction))
    chain.mine()
    assert await look(node, durable) == Superseded("0x" + sponsored.hash.hex(), 0)


async def test_confirm_while_the_receipt_lags_is_unknown_not_superseded(
    chain: LocalChain, node: Node
) -> None:
    durable = transfer(chain)
    await send(node, durable)
    chain.mine()
    through = {
        method: (lambda *params, method=method: chain.request(method, *params))
        for method in ("eth_getBlockByNumber", "eth_getBlockByHash", "eth_getTransactionCount")
    }
    rpc = ScriptedRpc(eth_getTransactionReceipt=lambda tx_hash: None, **through)
    assert await look(rpc.node(), durable) == StillUnknown(durable.tx_hash)
    assert "eth_getBlockByHash" in rpc.asked


async def test_confirm_of_a_reverted_transaction_tells_the_reason(chain: LocalChain, node: Node) -> None:
    chain.set_code(CONTRACT, REVERT_WITH_STF)
    durable = transfer(chain, to=CONTRACT, gas=100_000, value=0)
    await send(node, durable)
    chain.mine()
    assert isinstance(await look(node, durable, 2), StillUnknown)  # no sooner than a success
    outcome = await look(node, durable)
    assert isinstance(outcome, Reverted)
    assert "Error(STF)" in str(outcome.reason)


async def test_confirm_of_a_reverted_transaction_that_the_node_forgot_tells_the_reason(
    chain: LocalChain,
) -> None:
    chain.set_code(CONTRACT, REVERT_WITH_STF)
    durable = transfer(chain, to=CONTRACT, gas=100_000, value=0)
    with LyingNode.start(chain.url) as forgetful:
        node = await Node.connect(forgetful.url)
        await send(node, durable)
        chain.mine()
        forgetful.lie(AnswerWith(None), "eth_getTransactionByHash")
        outcome = await look(node, durable)
        await node.close()
    assert isinstance(outcome, Reverted)
    assert "Error(STF)" in str(outcome.reason)


async def test_confirm_of_a_revert_that_does_not_repeat_says_so(chain: LocalChain, node: Node) -> None:
    chain.set_code(CONTRACT, REVERT_WITH_STF)
    durable = transfer(chain, to=CONTRACT, gas=100_000, value=0)
    await send(node, durable)
    chain.mine()
    chain.set_code(CONTRACT, b"")
    receipt = chain.request("eth_getTransactionReceipt", durable.tx_hash)

    def answer(method: str) -> Callable[..., Any]:
        return lambda *params: chain.request(method, *params)

    rpc = ScriptedRpc(
        eth_getTransactionReceipt=lambda tx_hash: receipt,
        eth_getBlockByNumber=answer("eth_getBlockByNumber"),
        eth_call=lambda *params: "0x",
    )
    outcome = await look(rpc.node(), durable)
    assert isinstance(outcome, Reverted)
    assert outcome.reason.startswith("not found")


def test_confirm_on_a_node_that_fails_is_unknown_and_sends_nothing() -> None:
    durable = sign_transfer()

    def fail(*params: Any) -> Any:
        raise NodeUnreachableError("gone")

    rpc = ScriptedRpc(eth_getBlockByNumber=fail)
    waiting = confirm(rpc.node(), durable, 1, timeout_s=5, poll_s=2)
    assert run_virtually(waiting) == StillUnknown(durable.tx_hash)
    assert rpc.asked.count("eth_getBlockByNumber") == 3
    assert "eth_sendRawTransaction" not in rpc.asked
