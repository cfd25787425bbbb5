"""Reads on a real chain: pinned to a block while the chain moves on, and refused when it is gone."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from eth_account import Account
from fault_server import FaultServer, as_json, result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onchain_exec.chain import HttpRpc, LocalChain, LogFilter, Node, Reply, Request, StateOverride, TxCall
from onchain_exec.core import Answer, BlockRef, Call, Reading, Snapshot, all_of, to_address
from onchain_exec.errors import (
    BlockNotFoundError,
    NodeRefusedError,
    NodeUnreachableError,
    RevertError,
    WrongChainError,
)

WATCHED = to_address("0x" + "77" * 20)
BALANCE_OF_WATCHED = Call(None, bytes.fromhex("73" + WATCHED[2:] + "3160005260206000f3"))
"""Creation code that returns the watched account's balance."""

REVERT_WITH_2A = bytes.fromhex("602a60005260206000fd")
INVALID = b"\xfe"
EMITTER = to_address("0x" + "ee" * 20)
EMIT = bytes.fromhex("600760005260bb60aa60206000a200")
"""Runtime code that emits LOG2 of one word (7) with the topics 0xaa and 0xbb."""


class OldRpc:
    """A node from before EIP-1898: it names blocks by number or tag only."""

    def __init__(self, url: str) -> None:
        self._rpc = HttpRpc(url)
        self.where = self._rpc.where
        self.batches = 0

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return await self._rpc.request(method, params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        self.batches += 1
        message = "invalid argument 1: json: cannot unmarshal object into Go value of type string"
        if any(isinstance(parameter, dict) for _, params in requests for parameter in params[1:2]):
            return tuple(NodeRefusedError(method, -32602, message) for method, _ in requests)
        return await self._rpc.batch(requests)

    async def close(self) -> None:
        await self._rpc.close()


@pytest.fixture(params=["EIP-1898", "number and hash check"])
async def any_node(request: pytest.FixtureRequest, chain: LocalChain) -> AsyncIterator[Node]:
    rpc = HttpRpc(chain.url) if request.param == "EIP-1898" else OldRpc(chain.url)
    node = await Node.connect(rpc)
    yield node
    await node.close()


def _pay_watched(chain: LocalChain, amount: int) -> str:
    sender = chain.accounts[0].address
    return chain.request("eth_sendTransaction", {"from": sender, "to": WATCHED, "value": hex(amount)})


async def _read(node: Node, call: Call, block: BlockRef) -> Answer:
    return (await node.read_calls([call], block)).answers[0]


async def test_read_calls_at_a_pinned_block_while_the_chain_moves_on_returns_the_old_state(
    any_node: Node, chain: LocalChain
) -> None:
    _pay_watched(chain, 5)
    chain.mine()
    block = await any_node.get_block()
    before = await _read(any_node, BALANCE_OF_WATCHED, block)
    _pay_watched(chain, 11)
    chain.mine(3)
    assert await _read(any_node, BALANCE_OF_WATCHED, block) == before
    after = await _read(any_node, BALANCE_OF_WATCHED, await any_node.get_block())
    assert int.from_bytes(after.data) - int.from_bytes(before.data) == 11


async def test_read_calls_when_a_reorg_dropped_the_block_raises(any_node: Node, chain: LocalChain) -> None:
    chain.mine(2)
    block = await any_node.get_block()
    assert (await _read(any_node, BALANCE_OF_WATCHED, block)).success
    chain.reorg(1)
    with pytest.raises(BlockNotFoundError, match=str(block.number)):
        await any_node.read_calls([BALANCE_OF_WATCHED], block)
    with pytest.raises(BlockNotFoundError):
        await any_node.get_balance(WATCHED, block)


async def test_read_calls_when_the_node_lags_raises(any_node: Node) -> None:
    head = await any_node.get_block()
    ahead = BlockRef(head.chain_id, head.number + 9, "0x" + "ab" * 32, head.timestamp, 0, 0)
    with pytest.raises(BlockNotFoundError):
        await any_node.read_calls([BALANCE_OF_WATCHED], ahead)


async def test_read_calls_without_eip_1898_asks_by_hash_only_once(chain: LocalChain) -> None:
    rpc = OldRpc(chain.url)
    node = await Node.connect(rpc)
    block = await node.get_block()
    for _ in range(5):
        await node.read_calls([BALANCE_OF_WATCHED], block)
    assert rpc.batches == 6
    await node.close()


async def test_read_calls_tells_reverts_halts_and_results_apart(any_node: Node, chain: LocalChain) -> None:
    block = await any_node.get_block()
    calls = (
        Call(None, REVERT_WITH_2A),
        Call(None, INVALID),
        Call(WATCHED, b""),
        Call(WATCHED, b"", code=REVERT_WITH_2A),
        Call(WATCHED, b"", sender=chain.accounts[1].address, code=bytes.fromhex("3360005260206000f3")),
        Call(
            WATCHED,
            b"",
            value_wei=3,
            sender=chain.accounts[1].address,
            code=bytes.fromhex("3460005260206000f3"),
        ),
    )
    assert (await any_node.read_calls(calls, block)).answers == (
        Answer(False, (0x2A).to_bytes(32)),
        Answer(False, b""),
        Answer(True, b""),
        Answer(False, (0x2A).to_bytes(32)),
        Answer(True, int(chain.accounts[1].address, 16).to_bytes(32)),
        Answer(True, (3).to_bytes(32)),
    )


async def test_read_calls_when_the_node_refuses_one_raises(node: Node) -> None:
    too_dear = Call(WATCHED, b"", value_wei=10**30, sender=WATCHED)
    with pytest.raises(NodeRefusedError, match=r"[Ii]nsufficient funds"):
        await node.read_calls([BALANCE_OF_WATCHED, too_dear], await node.get_block())


async def test_read_calls_of_nothing_returns_nothing(node: Node) -> None:
    block = await node.get_block()
    assert await node.read_calls([], block) == Snapshot(block, ())


def _echo(word: int) -> Call:
    return Call(None, bytes.fromhex("7f" + f"{word:064x}" + "60005260206000f3"))


def _sum_of(rounds: list[int]) -> Reading[int]:
    """Read each number in a round of its own and return their sum."""
    total = 0
    for number in rounds:
        snapshot = yield (_echo(number), _echo(1))
        total += int.from_bytes(snapshot.answers[0].data)
    return total


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 2**64), max_size=4), max_size=6))
async def test_perform_all_of_returns_what_each_reading_gives(
    chain: LocalChain, shape: list[list[int]]
) -> None:
    async with HttpRpc(chain.url) as rpc:
        node = Node(rpc, 1337)
        found = await node.perform(all_of([_sum_of(rounds) for rounds in shape]), await node.get_block())
    assert found == tuple(sum(rounds) for rounds in shape)


async def test_connect_when_the_chain_is_another_raises_and_closes(chain: LocalChain) -> None:
    """Catalogue 38."""
    with pytest.raises(WrongChainError) as caught:
        await Node.connect(chain.url, 1)
    assert (caught.value.found_chain_id, caught.value.needed_chain_id) == (1337, 1)


@pytest.mark.parametrize("value", [None, "latest", 1337, {}, ["0x1"], ""])
async def test_connect_when_the_chain_id_is_no_quantity_raises(server: FaultServer, value: Any) -> None:
    server.answer = lambda request: as_json(result(request, value))
    with pytest.raises(NodeUnreachableError, match="eth_chainId"):
        await Node.connect(server.url)


@pytest.mark.parametrize("value", [7, [], {}, {"number": "0x1"}, "0x1", {"number": None, "hash": None}])
async def test_get_block_when_the_answer_is_no_block_raises(server: FaultServer, value: Any) -> None:
    server.answer = lambda request: as_json(result(request, value))
    async with HttpRpc(server.url) as rpc:
        with pytest.raises(NodeUnreachableError, match="eth_getBlockByNumber"):
            await Node(rpc, 1).get_block()


async def test_get_block_by_number_tag_and_hash_returns_the_same(node: Node, chain: LocalChain) -> None:
    chain.mine()
    latest = await node.get_block("latest")
    assert await node.get_block(latest.number) == await node.get_block(latest.hash) == latest
    for unknown in (latest.number + 1, "0x" + "ab" * 32):
        with pytest.raises(BlockNotFoundError):
            await node.get_block(unknown)


async def test_account_reads_at_a_block_and_at_the_head(any_node: Node, chain: LocalChain) -> None:
    account = chain.accounts[3].address
    before = await any_node.get_block()
    chain.request("eth_sendTransaction", {"from": account, "to": WATCHED, "value": "0x64"})
    chain.mine()
    chain.set_code(WATCHED, b"\x60\x00")
    nonce = await any_node.get_nonce(account, before)
    assert await any_node.get_nonce(account) == await any_node.get_nonce(account, "pending") == nonce + 1
    assert await any_node.get_balance(WATCHED) - await any_node.get_balance(WATCHED, before) == 100
    assert await any_node.get_code(WATCHED) == b"\x60\x00"
    assert await any_node.get_code(account) == b""


async def test_send_raw_transaction_then_receipt_and_transaction(node: Node, chain: LocalChain) -> None:
    sender = chain.accounts[4]
    chain.set_code(EMITTER, EMIT)
    fields = {"chainId": 1337, "nonce": 0, "to": EMITTER, "value": 0, "gas": 100_000, "data": "0x"}
    fees = {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}
    signed = Account.sign_transaction(fields | fees, sender.key)
    tx_hash = "0x" + signed.hash.hex()
    assert await node.get_receipt(tx_hash) is None
    assert await node.get_transaction(tx_hash) is None

    assert await node.send_raw_transaction(signed.raw_transaction) == tx_hash
    chain.mine()
    receipt, seen = await node.get_receipt(tx_hash), await node.get_transaction(tx_hash)

    assert receipt is not None
    assert seen is not None
    assert receipt.success
    assert (receipt.sender, receipt.to) == (seen.sender, seen.to) == (sender.address, EMITTER)
    assert (seen.nonce, seen.block_hash) == (0, receipt.block_hash)
    spent = await node.get_balance(sender.address, "earliest") - await node.get_balance(sender.address)
    assert receipt.cost_wei == spent
    (log,) = receipt.logs
    assert (log.topics, log.data) == (((0xAA).to_bytes(32), (0xBB).to_bytes(32)), (7).to_bytes(32))
    block = await node.get_block(receipt.block_hash)
    wanted = LogFilter((EMITTER,), ((), ((0xBB).to_bytes(32), b"\0" * 32)))
    assert (
        await node.get_logs(wanted, block) == await node.get_logs(wanted, (0, block.number)) == receipt.logs
    )
    assert await node.get_logs(LogFilter((WATCHED,)), block) == ()
    assert await node.get_logs(LogFilter((), (((0xBB).to_bytes(32),),)), block) == ()

    chain.reorg(2)
    assert await node.get_receipt(tx_hash) is None
    with pytest.raises(BlockNotFoundError):
        await node.get_logs(wanted, block)
    with pytest.raises(BlockNotFoundError):
        await node.require_canonical(block)


async def test_get_receipt_of_an_orphaned_block_returns_none(server: FaultServer, chain: LocalChain) -> None:
    """Catalogue 52: a node that serves the receipt of a block that is not canonical."""
    tx_hash = _pay_watched(chain, 1)
    chain.mine()
    receipt = chain.request("eth_getTransactionReceipt", tx_hash)
    block = chain.request("eth_getBlockByHash", receipt["blockHash"], False)
    answers = {"eth_getTransactionReceipt": receipt, "eth_getBlockByNumber": block}
    server.answer = lambda request: as_json(result(request, answers[request["method"]]))
    async with HttpRpc(server.url) as rpc:
        node = Node(rpc, 1337)
        assert await node.get_receipt(tx_hash) is not None
        answers["eth_getBlockByNumber"] = block | {"hash": "0x" + "ab" * 32}
        assert await node.get_receipt(tx_hash) is None
        answers["eth_getBlockByNumber"] = None
        assert await node.get_receipt(tx_hash) is None
        answers["eth_getTransactionReceipt"] = receipt | {"blockHash": None, "blockNumber": None}
        assert await node.get_receipt(tx_hash) is None


async def test_get_receipt_while_the_node_indexes_returns_none(server: FaultServer) -> None:
    """Catalogue 31."""
    error = {"code": -32000, "message": "transaction indexing is in progress"}
    server.answer = lambda request: as_json({"jsonrpc": "2.0", "id": request["id"], "error": error})
    async with HttpRpc(server.url) as rpc:
        assert await Node(rpc, 1).get_receipt("0x" + "ab" * 32) is None


async def test_send_raw_transaction_when_refused_raises_the_nodes_words(
    node: Node, chain: LocalChain
) -> None:
    fields = {"chainId": 1337, "nonce": 0, "to": WATCHED, "value": 0, "gas": 21_000, "gasPrice": 10**11}
    raw = bytes(Account.sign_transaction(fields, chain.accounts[5].key).raw_transaction)
    await node.send_raw_transaction(raw)
    with pytest.raises(NodeRefusedError, match=r"already imported|nonce too low") as caught:
        await node.send_raw_transaction(raw)
    assert caught.value.rpc_code == -32003


async def test_call_and_estimate_gas_return_or_raise_the_decoded_revert(
    any_node: Node, chain: LocalChain
) -> None:
    sender, block = chain.accounts[0].address, await any_node.get_block()
    returns = StateOverride(WATCHED, code=bytes.fromhex("60005460005260206000f3"), slots=((0, 99),))
    assert await any_node.call(TxCall(sender, WATCHED, b""), block, [returns]) == (99).to_bytes(32)
    assert await any_node.estimate_gas(TxCall(sender, chain.accounts[1].address, b""), block) == 21_000
    text = bytes.fromhex("08c379a0") + (32).to_bytes(32) + (3).to_bytes(32) + b"SPL".ljust(32, b"\0")
    store = b"".join(
        b"\x7f" + text.ljust(128, b"\0")[at : at + 32] + b"\x60" + bytes([at]) + b"\x52"
        for at in (0, 32, 64, 96)
    )
    refuses = StateOverride(WATCHED, code=store + bytes.fromhex("60646000fd"))
    for ask in (any_node.call, any_node.estimate_gas):
        with pytest.raises(RevertError, match="SPL") as caught:
            await ask(TxCall(sender, WATCHED, b""), block, [refuses])
        assert caught.value.arguments == ("SPL",)
    with pytest.raises(NodeRefusedError, match=r"[Ii]nsufficient"):
        await any_node.call(TxCall(WATCHED, sender, b"", value_wei=10**30), block)


async def test_fee_history_ends_with_the_next_base_fee(node: Node, chain: LocalChain) -> None:
    chain.mine(6)
    history = await node.fee_history(5, (10, 50))
    head = await node.get_block()
    assert history.base_fees_wei[-2] == head.base_fee_wei
    assert history.oldest_block == head.number - 4
    assert len(history.rewards_wei) == len(history.gas_used_ratios) == 5
    chain.mine()
    assert (await node.get_block()).base_fee_wei == history.next_base_fee_wei


async def test_reads_at_a_block_name_its_hash_and_require_it_canonical(server: FaultServer) -> None:
    """geth serves the state of an orphaned block unless it is told not to; anvil forgets the block."""
    server.answer = lambda request: as_json(result(request))
    block = BlockRef(1, 7, "0x" + "ab" * 32, 0, 0, 0)
    async with HttpRpc(server.url) as rpc:
        await Node(rpc, 1).get_balance(WATCHED, block)
    pin = {"blockHash": block.hash, "requireCanonical": True}
    assert [request["params"] for request in server.requests] == [[WATCHED, pin]]
