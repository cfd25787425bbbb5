"""Send and confirm through a node that lies, geth's mempool behind it: one execution, whatever it says.

Failure catalogue: A 1, 3, 4, 8, 10, 11, 13, 14, 15; B 18, 19, 20, 22, 24, 25, 28; C 30, 31, 34, 38,
39, 40; D 41; E 51, 52, 53.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from stand_ins import KEY, sign_transfer

from onchain_exec.chain import HttpRpc, LocalChain, Node
from onchain_exec.core import to_address
from onchain_exec.errors import WrongChainError
from onchain_exec.execution import (
    Accepted,
    AlreadyKnown,
    Ambiguous,
    DurableTx,
    Fees,
    Mined,
    Outcome,
    Rejected,
    SendOutcome,
    StillUnknown,
    Superseded,
    bump_fees,
    confirm,
    send,
)
from onchain_exec.testing.lying_node import (
    RATE_LIMITS,
    WORDS,
    AnswerWith,
    Dialect,
    Duplicate,
    Fault,
    Hang,
    LateReceipts,
    Limits,
    LyingNode,
    MempoolModel,
    NeverBroadcast,
    OrphanedReceipts,
    Reason,
    Refusal,
    Refuse,
    ResetAfter,
    ResetBefore,
    ServerError,
    StaleHead,
    TooManyRequests,
    Truncated,
    WrongChainId,
)

SEND = "eth_sendRawTransaction"
PAID = to_address(b"\x9a" * 20)
GWEI = 10**9
TIMEOUT_S = 1.5


@dataclass(frozen=True)
class Case:
    """A fault of a send: what `send` makes of it, and whether the node took the bytes."""

    fault: Fault
    outcome: type[SendOutcome]
    taken: bool


UNDERPRICED, TOO_LOW = Reason.REPLACEMENT_UNDERPRICED, Reason.NONCE_TOO_LOW
CASES = {
    "18 reset before": Case(ResetBefore(), Ambiguous, False),
    "18 reset after": Case(ResetAfter(), Ambiguous, True),
    "18 hang before": Case(Hang(30), Ambiguous, False),
    "18 hang after": Case(Hang(30, forward=True), Ambiguous, True),
    "25 truncated": Case(Truncated(), Ambiguous, True),
    "25 bad gateway": Case(ServerError(502), Ambiguous, False),
    "25 gateway timeout after": Case(ServerError(504, forward=True), Ambiguous, True),
    "34 too many requests": Case(TooManyRequests(1), Ambiguous, False),
    "25 another hash": Case(AnswerWith("0x" + "11" * 32), Ambiguous, False),
    "39 unknown words, taken": Case(Refuse(Refusal(-32000, "internal error"), forward=True), Ambiguous, True),
    "19 duplicate": Case(Duplicate(), AlreadyKnown, True),
    "19 duplicate, first answer": Case(Duplicate(answer="first"), Accepted, True),
    "24 never broadcast": Case(NeverBroadcast(), Accepted, False),
    **{f"34 {name} in 200": Case(Refuse(limit), Ambiguous, False) for name, limit in RATE_LIMITS.items()},
    **{
        f"{number} {client.value} says {reason.name}, taken": Case(
            Refuse(words[reason], forward=True), AlreadyKnown, True
        )
        for client, words in WORDS.items()
        for number, reason in ((40, UNDERPRICED), (22, TOO_LOW))
    },
}


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(accounts=1, extra=("--order", "fifo")) as started:
        yield started


@pytest.fixture
def pool() -> MempoolModel:
    return MempoolModel()


@pytest.fixture
def lying(chain: LocalChain, pool: MempoolModel) -> Iterator[LyingNode]:
    with LyingNode.start(chain.url, seed=1, mempool=pool) as started:
        yield started


@pytest.fixture
async def node(lying: LyingNode) -> AsyncIterator[Node]:
    connected = await Node.connect(HttpRpc(lying.url, timeout_s=TIMEOUT_S))
    yield connected
    await connected.close()


def transfer(nonce: int = 0, **fields: Any) -> DurableTx:
    return sign_transfer(nonce, 1337, to=PAID, **fields)


async def look(node: Node, durable: DurableTx, confirmations: int = 1) -> Outcome:
    return await confirm(node, durable, confirmations, timeout_s=0)


def count_executed(chain: LocalChain) -> int:
    return int(chain.request("eth_getBalance", PAID, "latest"), 16)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_send_through_a_fault_then_the_same_bytes_again_executes_once(
    chain: LocalChain, node: Node, lying: LyingNode, pool: MempoolModel, case: Case
) -> None:
    durable = transfer()
    rule = lying.lie(case.fault, SEND)
    outcome = await send(node, durable)
    assert isinstance(outcome, case.outcome)
    assert len(lying.transcript.of(SEND)) == 1, "20: nothing is repeated behind the caller's back"
    assert bool(pool.get_pending()) is case.taken
    assert await look(node, durable) == StillUnknown(durable.tx_hash)

    lying.clear(rule)
    again = await send(node, durable)
    assert isinstance(again, AlreadyKnown if case.taken else Accepted)
    pool.mine()
    assert isinstance(await look(node, durable), Mined)
    assert isinstance(await send(node, durable), AlreadyKnown)
    pool.mine()
    assert (count_executed(chain), await node.get_nonce(durable.sender)) == (1, 1)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_send_through_a_fault_and_mined_meanwhile_is_found_by_its_hash(
    chain: LocalChain, node: Node, lying: LyingNode, pool: MempoolModel, case: Case
) -> None:
    """22: a mined transaction meets "nonce too low" when it is sent again."""
    durable = transfer()
    with lying.lying(case.fault, SEND):
        await send(node, durable)
    pool.mine()
    again = await send(node, durable)
    assert isinstance(again, AlreadyKnown if case.taken else Accepted)
    pool.mine()
    assert isinstance(await look(node, durable), Mined)
    assert count_executed(chain) == 1


@pytest.mark.parametrize("client", WORDS, ids=lambda client: client.value)
async def test_send_of_what_another_took_is_rejected_in_every_dialect(
    node: Node, lying: LyingNode, pool: MempoolModel, client: Any
) -> None:
    """39: whatever the words, the slot is seen as taken, and by whom."""
    taker, late = transfer(0), transfer(0, value=2)
    await send(node, taker)
    pool.mine()
    lying.lie(Dialect(client), SEND)
    outcome = await send(node, late)
    assert isinstance(outcome, Rejected)
    assert outcome.nonce_consumed
    assert await look(node, late) == Superseded(taker.tx_hash, 0)


async def test_failed_send_leaves_no_gap(
    chain: LocalChain, node: Node, lying: LyingNode, pool: MempoolModel
) -> None:
    """1: the nonce of a send that failed is filled by the same bytes; those behind it follow."""
    first, second = transfer(0), transfer(1)
    with lying.lying(TooManyRequests(), SEND):
        await send(node, first)
    await send(node, second)
    pool.mine()
    assert (count_executed(chain), len(pool.get_queued())) == (0, 1)
    await send(node, first)
    pool.mine()
    assert (count_executed(chain), len(pool.get_queued())) == (2, 0)


async def test_nonce_of_a_stale_node_is_never_executed_twice(
    chain: LocalChain, node: Node, lying: LyingNode, pool: MempoolModel
) -> None:
    """3, 4: a lagging replica gives a nonce that is taken; the send on it is refused, and told so."""
    await send(node, transfer(0))
    pool.mine()
    lying.lie(StaleHead(1))
    assert await node.get_nonce(transfer().sender) == 0
    outcome = await send(node, transfer(0, value=7))
    assert isinstance(outcome, Rejected)
    assert outcome.nonce_consumed
    assert count_executed(chain) == 1


async def test_replacement_by_bump_fees_passes_geths_rule(node: Node, pool: MempoolModel) -> None:
    """8: both fields rise by the tenth that geth wants, and 1 % less would have been refused."""
    old = Fees(20 * GWEI + 7, GWEI + 3)
    stuck = transfer(0, maxFeePerGas=old.max_fee_wei, maxPriorityFeePerGas=old.max_priority_fee_wei)
    assert isinstance(await send(node, stuck), Accepted)
    for fee, tip in ((1.09, 1.2), (1.2, 1.09), (1.2, 1.0)):
        weak = transfer(
            0,
            value=2,
            maxFeePerGas=int(old.max_fee_wei * fee),
            maxPriorityFeePerGas=int(old.max_priority_fee_wei * tip),
        )
        assert isinstance(await send(node, weak), Rejected)
    new = bump_fees(old, Fees(1, 1))
    strong = transfer(0, value=2, maxFeePerGas=new.max_fee_wei, maxPriorityFeePerGas=new.max_priority_fee_wei)
    assert isinstance(await send(node, strong), Accepted)
    assert [tx.tx_hash for tx in pool.get_pending()] == [strong.tx_hash]


@pytest.mark.parametrize("cancel_wins", [True, False])
async def test_cancel_and_original_execute_one_of_them(
    chain: LocalChain, node: Node, pool: MempoolModel, cancel_wins: bool
) -> None:
    """10: a cancel that loses its race is superseded by the original, and the other way round."""
    original = transfer(0)
    cancel = sign_transfer(0, 1337, value=0, maxFeePerGas=2 * 10**11, maxPriorityFeePerGas=2 * GWEI)
    await send(node, original)
    await send(node, cancel)
    pool.mine()
    if not cancel_wins:
        pool.reorg(1, drop=[cancel.tx_hash], reinclude=[original.raw])
    winner, loser = (cancel, original) if cancel_wins else (original, cancel)
    assert isinstance(await look(node, winner), Mined)
    assert await look(node, loser) == Superseded(winner.tx_hash, 0)
    assert count_executed(chain) == (not cancel_wins)


async def test_transaction_held_back_is_mined_when_it_surfaces(
    chain: LocalChain, node: Node, lying: LyingNode, pool: MempoolModel
) -> None:
    """11: acknowledged, unseen for long, then mined: its slot was never given to anything else."""
    durable = transfer()
    with lying.lying(NeverBroadcast(), SEND):
        await send(node, durable)
    pool.mine(20)
    assert await look(node, durable) == StillUnknown(durable.tx_hash)
    pool.reorg(1, reinclude=[durable.raw])
    assert isinstance(await look(node, durable), Mined)
    assert isinstance(await send(node, durable), AlreadyKnown)
    assert count_executed(chain) == 1


async def test_transaction_dropped_below_a_live_one_is_sent_again(
    chain: LocalChain, node: Node, pool: MempoolModel
) -> None:
    """13: the gap that a pool's drop opens is closed by the same bytes."""
    first, second = transfer(0), transfer(1)
    await send(node, first)
    await send(node, second)
    pool.drop(first.tx_hash)
    pool.mine()
    assert await look(node, first) == StillUnknown(first.tx_hash)
    assert count_executed(chain) == 0
    assert isinstance(await send(node, first), Accepted)
    pool.mine()
    assert count_executed(chain) == 2


async def test_transaction_evicted_silently_stays_unknown(chain: LocalChain) -> None:
    """14: accepted, and gone at once, since the account's queue is full."""
    pool = MempoolModel(Limits(account_queue=2))
    with LyingNode.start(chain.url, mempool=pool) as lying:
        node = await Node.connect(lying.url)
        for nonce in (5, 6, 7):
            assert isinstance(await send(node, transfer(nonce)), Accepted)
        lost = transfer(7)
        assert await node.get_transaction(lost.tx_hash) is None
        assert await look(node, lost) == StillUnknown(lost.tx_hash)
        await node.close()


async def test_second_send_of_a_delegated_account_is_ambiguous_and_passes_later(
    chain: LocalChain, node: Node, pool: MempoolModel
) -> None:
    """15: one in flight (EIP-7702); the refusal does not settle anything, the same bytes pass after."""
    first, second = transfer(0), transfer(1)
    chain.set_code(first.sender, bytes.fromhex("ef0100" + "c0" * 20))
    assert isinstance(await send(node, first), Accepted)
    assert isinstance(await send(node, second), Ambiguous)
    pool.mine()
    assert isinstance(await send(node, second), Accepted)
    pool.mine()
    assert count_executed(chain) == 2


VIEWS = {
    "28 late receipts": LateReceipts(3),
    "30 head behind the block": StaleHead(1),
    "52 receipt of an orphaned block": OrphanedReceipts(),
    "31 receipts are null": AnswerWith(None),
    "18 resets": ResetAfter(),
    "18 hangs": Hang(30),
    "25 truncated": Truncated(),
    "25 bad gateway": ServerError(502),
    "34 limited": Refuse(RATE_LIMITS["infura"]),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
async def test_confirm_of_a_mined_transaction_that_is_not_shown_is_unknown_until_it_is(
    node: Node, lying: LyingNode, pool: MempoolModel, view: Fault
) -> None:
    """28: nothing is concluded, least of all that another took the slot."""
    durable = transfer()
    await send(node, durable)
    pool.mine()
    method = "eth_getTransactionReceipt" if isinstance(view, AnswerWith) else "*"
    with lying.lying(view, method):
        assert await look(node, durable) == StillUnknown(durable.tx_hash)
    assert isinstance(await look(node, durable), Mined)
    assert len(lying.transcript.of(SEND)) == 1


async def test_confirm_of_a_receipt_that_outlived_its_block_is_unknown(
    node: Node, lying: LyingNode, pool: MempoolModel
) -> None:
    """51, 52: the node goes on serving the receipt after a reorg dropped the transaction."""
    durable = transfer()
    await send(node, durable)
    pool.mine()
    receipt = await node.rpc.request("eth_getTransactionReceipt", [durable.tx_hash])
    pool.reorg(1, drop=[durable.tx_hash])
    lying.lie(AnswerWith(receipt), "eth_getTransactionReceipt")
    assert await look(node, durable) == StillUnknown(durable.tx_hash)


@pytest.mark.parametrize("dropped", [True, False])
@pytest.mark.parametrize("depth", [1, 3, 7])
async def test_mined_then_orphaned_is_unknown_and_mined_once_more(
    chain: LocalChain, node: Node, pool: MempoolModel, depth: int, dropped: bool
) -> None:
    """51, 53: geth's pool takes it back; what it lost, the same bytes bring back."""
    durable = transfer()
    await send(node, durable)
    pool.mine(depth)
    assert isinstance(await look(node, durable, depth), Mined)
    pool.reorg(depth, drop=[durable.tx_hash] if dropped else [])
    assert await look(node, durable) == StillUnknown(durable.tx_hash)
    assert isinstance(await send(node, durable), Accepted if dropped else AlreadyKnown)
    pool.mine()
    assert isinstance(await look(node, durable), Mined)
    assert count_executed(chain) == 1


async def test_orphaned_by_a_stranger_on_the_same_nonce_is_superseded(
    chain: LocalChain, node: Node, pool: MempoolModel
) -> None:
    """53: the new branch holds another transaction of our account."""
    durable, other = transfer(0), sign_transfer(0, 1337, value=0)
    await send(node, durable)
    pool.mine(2)
    pool.reorg(2, reinclude=[other.raw])
    assert await look(node, durable, 2) == Superseded(other.tx_hash, 0)
    assert (count_executed(chain), pool.get_pending()) == (0, ())


async def test_base_fee_above_the_cap_leaves_it_waiting(
    chain: LocalChain, node: Node, pool: MempoolModel
) -> None:
    """41: a spike strands the transaction, which is neither lost nor refused, and mines after it."""
    durable = transfer(maxFeePerGas=5 * GWEI)
    await send(node, durable)
    pool.set_base_fee(40 * GWEI)
    pool.mine(3)
    assert await look(node, durable) == StillUnknown(durable.tx_hash)
    assert isinstance(await send(node, durable), AlreadyKnown)
    pool.set_base_fee(GWEI)
    pool.mine()
    assert isinstance(await look(node, durable), Mined)
    assert count_executed(chain) == 1


async def test_connect_to_another_chain_is_refused(lying: LyingNode) -> None:
    """38: the URL serves another chain than the one asked for."""
    lying.lie(WrongChainId(1))
    with pytest.raises(WrongChainError):
        await Node.connect(lying.url, 1337)


def test_sender_is_the_key_of_the_stand_ins(chain: LocalChain) -> None:
    assert bytes.fromhex(chain.accounts[0].key[2:]) == KEY
