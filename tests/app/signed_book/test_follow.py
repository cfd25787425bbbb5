"""The book follows the chain: fills, cancelled lanes, what happened while nobody looked, and reorgs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from app.signed_book.settle_chain import WETH, SettleChain

from onchain_exec.app.signed_book import follow_chain
from onchain_exec.app.signed_book.follow import look_again, record, start_following
from onchain_exec.chain import Node
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.clearing.settle import Lane, SettleOrder
from onchain_exec.clearing.settle.order_book import Refusal, RefusalCode
from onchain_exec.core.abi import Function
from onchain_exec.errors import NodeUnreachableError
from onchain_exec.oms.signed_book import RestState, SignedBook

TRANSFER = Function("transfer(address,uint256)", "(bool)")


def rest(chain: SettleChain, book: SignedBook, order: SettleOrder) -> bytes:
    """Put an order into the book as of the newest block, unverified."""
    resting = chain.resting(order)
    book.add(resting, Lane(), int(chain.chain.request("eth_blockNumber"), 16))
    return resting.digest


def state(chain: SettleChain, book: SignedBook, digest: bytes) -> RestState:
    found = book.find(digest)
    assert found is not None
    return found.get_state(chain.now)


async def test_record_fills_and_cancellations_reach_their_orders(
    settle_chain: SettleChain, book: SignedBook, node: Node
) -> None:
    filled, part, cancelled, open_ = (settle_chain.order(maker=number) for number in range(4))
    digests = [rest(settle_chain, book, order) for order in (filled, part, cancelled, open_)]
    follower = await start_following(node, book, poll_s=0.01)
    settle_chain.take(filled, WETH)
    settle_chain.take(part, WETH // 4)
    settle_chain.take(settle_chain.order(maker=3), 1)  # of an order that the book has not
    settle_chain.cancel(cancelled)
    event = await anext(follower)
    for _ in range(2):
        await record(node, book, event)
    assert [state(settle_chain, book, digest) for digest in digests] == [
        RestState.FILLED,
        RestState.PARTLY_FILLED,
        RestState.CANCELLED,
        RestState.OPEN,
    ]
    (fill,) = book.list_fills(digests[1])
    assert (fill.amount_in, fill.amount_out) == (WETH // 4, 500 * 10**6)
    assert (
        settle_chain.chain.request("eth_getTransactionReceipt", fill.tx_hash)["blockHash"] == fill.block_hash
    )
    assert len(book.list_open(settle_chain.now)) == 2


async def test_start_following_what_happened_unseen_is_read_from_the_lanes(
    settle_chain: SettleChain, book: SignedBook, node: Node
) -> None:
    orders = [settle_chain.order(maker=number) for number in range(3)]
    digests = [rest(settle_chain, book, order) for order in orders]
    settle_chain.take(orders[0], WETH)
    settle_chain.take(orders[1], WETH // 4)
    settle_chain.cancel(orders[2])
    await start_following(node, book)
    assert [state(settle_chain, book, digest) for digest in digests] == [
        RestState.FILLED,
        RestState.PARTLY_FILLED,
        RestState.CANCELLED,
    ]


async def test_record_reorg_takes_back_what_left_the_chain(
    settle_chain: SettleChain, book: SignedBook, node: Node
) -> None:
    orders = [settle_chain.order(maker=number) for number in range(3)]
    digests = [rest(settle_chain, book, order) for order in orders]
    settle_chain.take(orders[0], 1)
    follower = await start_following(node, book, poll_s=0.01)
    settle_chain.take(orders[0], WETH - 1)
    settle_chain.take(orders[1], WETH // 4)
    settle_chain.cancel(orders[2])
    await record(node, book, await anext(follower))
    assert book.list_open(settle_chain.now) == (settle_chain.resting(orders[1]),)
    settle_chain.chain.reorg(3)
    settle_chain.take(orders[1], WETH // 2)
    event = await anext(follower)
    assert len(event.orphaned) == 3
    for _ in range(2):
        await record(node, book, event)
    assert [state(settle_chain, book, digest) for digest in digests] == [
        RestState.PARTLY_FILLED,
        RestState.PARTLY_FILLED,
        RestState.OPEN,
    ]
    kept = [book.find(digest) for digest in digests]
    assert [found.filled for found in kept if found] == [1, WETH // 2, 0]
    assert [len(book.list_fills(digest)) for digest in digests] == [0, 1, 0]


async def test_look_again_lifts_what_has_passed_and_nothing_else(
    settle_chain: SettleChain, book: SignedBook, node: Node
) -> None:
    paid, poor, unsaid = (
        settle_chain.order(),
        settle_chain.order(amount_in=10**30),
        settle_chain.order(maker=1),
    )
    codes = (RefusalCode.BALANCE_SHORT, RefusalCode.BALANCE_SHORT, RefusalCode.REVERTS)
    digests = [rest(settle_chain, book, order) for order in (paid, poor, unsaid)]
    settle_chain.evm.call(poor.owner, poor.token_in, TRANSFER.encode(settle_chain.trader.address, 99 * WETH))
    book.record_refusals(
        [Refusal(digest, code, "", "", 1) for digest, code in zip(digests, codes, strict=True)]
    )
    await look_again(node, book)
    assert [state(settle_chain, book, digest) for digest in digests] == [
        RestState.OPEN,
        RestState.OPEN,  # a part of it can be paid for
        RestState.REFUSED,
    ]
    book.record_refusals([Refusal(digests[0], codes[0], "", "", 1)])
    settle_chain.evm.call(paid.owner, paid.token_in, TRANSFER.encode(settle_chain.trader.address, WETH))
    await look_again(node, book)
    assert state(settle_chain, book, digests[0]) is RestState.REFUSED


async def test_follow_chain_goes_on_after_its_node_failed(
    settle_chain: SettleChain, book: SignedBook, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = settle_chain.order()
    digest = rest(settle_chain, book, order)
    ask, failures = node.rpc.batch, iter([NodeUnreachableError("gone"), NodeUnreachableError("gone again")])

    async def fail_at_logs(requests: Sequence[Request]) -> tuple[Reply, ...]:
        if requests[0][0] == "eth_getLogs" and (failure := next(failures, None)):
            raise failure
        return await ask(requests)

    monkeypatch.setattr(node.rpc, "batch", fail_at_logs)
    following = asyncio.create_task(follow_chain(node, book, poll_s=0.01))
    async with asyncio.timeout(60):
        for expected in (RestState.PARTLY_FILLED, RestState.FILLED):
            settle_chain.take(order, WETH // 2)
            while state(settle_chain, book, digest) is not expected:
                await asyncio.sleep(0.01)
    following.cancel()
    assert next(failures, None) is None
