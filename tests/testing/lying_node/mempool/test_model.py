"""The model in front of a real anvil: where geth and anvil differ (EXECUTION 2.3 a to h), both are run."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from eth_account import Account
from websockets.asyncio.client import connect

from lying_node.raw_client import Reply, ask, encode, post, sign
from onchain_exec.chain import LocalChain
from onchain_exec.core import to_address
from onchain_exec.errors import ConfigError, InputError, NodeRefusedError
from onchain_exec.testing.lying_node import LyingNode, MempoolModel, ResetAfter

GWEI = 10**9
SEND = "eth_sendRawTransaction"
LOGGER = "0x" + "10" * 20
LOG_ONE = bytes.fromhex("60075f5fa1")  # log1(0, 0, 7)


@pytest.fixture
def pool() -> MempoolModel:
    return MempoolModel()


@pytest.fixture
def geth(chain: LocalChain, pool: MempoolModel) -> Iterator[LyingNode]:
    with LyingNode.start(chain.url, mempool=pool) as started:
        yield started


def fees(fee_gwei: float, tip_gwei: float, **more: Any) -> dict[str, Any]:
    return {"maxFeePerGas": int(fee_gwei * GWEI), "maxPriorityFeePerGas": int(tip_gwei * GWEI)} | more


def words(reply: Reply) -> str:
    code, message = reply.error
    assert code == -32000
    return str(message)


def accepts(chain: LocalChain, raw: str) -> bool:
    """Say whether anvil itself takes it."""
    try:
        chain.request(SEND, raw)
    except NodeRefusedError:
        return False
    return True


def receipt(geth: LyingNode, tx_hash: str) -> Any:
    return ask(geth.port, "eth_getTransactionReceipt", tx_hash).result


def test_replacement_needs_a_tenth_more_on_both(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """a: anvil takes 9 % more on the fee alone, and refuses a higher tip alone; catalogue 8."""
    chain.request("evm_setAutomine", False)
    assert accepts(chain, sign(chain, 1, **fees(100, 1))[0])
    assert accepts(chain, sign(chain, 1, value=2, **fees(109, 1))[0])
    chain.request("evm_setAutomine", True)

    ask(geth.port, SEND, sign(chain, **fees(100, 1))[0])
    for fee, tip in ((109, 1), (109, 1.2), (120, 1.09), (100, 2), (109.999999999, 1.1), (110, 1.099999999)):
        refused = ask(geth.port, SEND, sign(chain, value=2, **fees(fee, tip))[0])
        assert words(refused) == "replacement transaction underpriced"
    raw, tx_hash = sign(chain, value=2, **fees(110, 1.1))
    assert ask(geth.port, SEND, raw).result == tx_hash
    assert [tx.tx_hash for tx in pool.get_pending()] == [tx_hash]


def test_send_under_the_base_fee_is_accepted_and_waits(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """b: anvil refuses it; catalogue 41."""
    raw, tx_hash = sign(chain, **fees(0.5, 0.5))
    assert not accepts(chain, raw)
    assert ask(geth.port, SEND, raw).result == tx_hash
    pool.mine()
    assert receipt(geth, tx_hash) is None
    pool.set_base_fee(GWEI // 4)
    pool.mine()
    assert receipt(geth, tx_hash)["status"] == "0x1"


def test_base_fee_that_rises_leaves_what_waits(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """c: anvil deletes it at the next mined block."""
    chain.request("evm_setAutomine", False)
    _, lost = (raw, tx_hash) = sign(chain, 1, **fees(2, 1))
    chain.request(SEND, raw)
    chain.request("anvil_setNextBlockBaseFeePerGas", hex(40 * GWEI))
    chain.mine()
    assert chain.request("eth_getTransactionByHash", lost) is None
    chain.request("evm_setAutomine", True)

    raw, tx_hash = sign(chain, **fees(20, 1))
    pool.set_base_fee(2 * GWEI)
    ask(geth.port, SEND, raw)
    pool.set_base_fee(40 * GWEI)
    pool.mine(2)
    assert ask(geth.port, "eth_getTransactionByHash", tx_hash).result["blockHash"] is None
    pool.set_base_fee(15 * GWEI)
    pool.mine()
    assert receipt(geth, tx_hash) is not None


@pytest.mark.parametrize("depth", [1, 2, 3, 7])
def test_reorg_returns_the_orphaned_to_the_pool(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel, depth: int
) -> None:
    """d: anvil forgets them; catalogue 2: the account's nonce falls back."""
    raw, tx_hash = sign(chain, 1)
    chain.request("eth_sendRawTransactionSync", raw)
    chain.settle()
    chain.reorg(1)
    assert chain.request("eth_getTransactionByHash", tx_hash) is None

    sent = [sign(chain, nonce=nonce) for nonce in range(depth)]
    for raw, _ in sent:
        ask(geth.port, SEND, raw)
        pool.mine()
    account = chain.accounts[0].address
    pool.reorg(depth, drop=[sent[0][1]])
    assert ask(geth.port, "eth_getTransactionCount", account, "latest").result == "0x0"
    assert ask(geth.port, "eth_getTransactionByHash", sent[0][1]).result is None
    assert [tx.tx_hash for tx in pool.get_queued()] == [tx_hash for _, tx_hash in sent[1:]]
    assert ask(geth.port, SEND, sent[0][0]).result == sent[0][1]
    assert ask(geth.port, "eth_getTransactionCount", account, "pending").result == hex(depth)
    pool.mine()
    assert all(receipt(geth, tx_hash) for _, tx_hash in sent)


def test_reorg_includes_what_it_is_told_in_that_order(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """Catalogue 53: other order, a stranger's transaction first, another outcome."""
    mined = [sign(chain, account) for account in range(3)]
    for raw, _ in mined:
        ask(geth.port, SEND, raw)
    pool.mine()
    stranger, stranger_hash = sign(chain, 5)
    waiting, waiting_hash = sign(chain, 6)
    ask(geth.port, SEND, waiting)
    told = [bytes.fromhex(stranger[2:]), mined[2][1], mined[0][1], waiting_hash]
    pool.reorg(1, reinclude=told)
    block = ask(geth.port, "eth_getBlockByNumber", "latest", False).result
    assert block["transactions"] == [stranger_hash, mined[2][1], mined[0][1], waiting_hash]
    assert [tx.tx_hash for tx in pool.get_pending()] == [mined[1][1]]


def test_reorg_that_cannot_be_is_refused(geth: LyingNode, pool: MempoolModel) -> None:
    pool.mine(2)
    for depth in (0, 3):
        with pytest.raises(InputError, match="height 2"):
            pool.reorg(depth)
    with pytest.raises(InputError, match="neither orphaned nor pending"):
        pool.reorg(1, reinclude=["0x" + "11" * 32])


async def test_reorg_tells_subscribers_and_filters_of_removed_logs(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """e: anvil tells nobody; catalogue 51."""
    chain.set_code(to_address(LOGGER), LOG_ONE)
    watched = ask(geth.port, "eth_newFilter", {"address": LOGGER}).result
    other = ask(geth.port, "eth_newFilter", {"address": "0x" + "22" * 20}).result
    async with connect(geth.ws_url, proxy=None) as socket:
        for request in (("logs", {"address": LOGGER}), ("logs", {"address": "0x" + "22" * 20})):
            await socket.send(json.dumps(encode("eth_subscribe", *request)))
            await socket.recv()
        hashes = []
        for nonce in range(2):
            raw, tx_hash = sign(chain, nonce=nonce, to=LOGGER, value=0, gas=60_000)
            ask(geth.port, SEND, raw)
            hashes.append(tx_hash)
            await asyncio.to_thread(pool.mine)
        added = [json.loads(await socket.recv())["params"]["result"] for _ in range(2)]
        await asyncio.to_thread(pool.reorg, 2)
        removed = [json.loads(await socket.recv())["params"]["result"] for _ in range(2)]
    assert [log["transactionHash"] for log in removed] == hashes, "oldest first, as geth does"
    assert [log["removed"] for log in (*added, *removed)] == [False, False, True, True]
    assert [log | {"removed": False} for log in removed] == added
    changes = ask(geth.port, "eth_getFilterChanges", watched).result
    assert [log["removed"] for log in changes][:2] == [True, True]
    assert ask(geth.port, "eth_getFilterChanges", other).result == []


async def test_subscriber_hears_of_what_becomes_executable(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    (first, first_hash), (second, second_hash) = sign(chain), sign(chain, nonce=1)
    async with connect(geth.ws_url, proxy=None) as socket:
        await socket.send(json.dumps(encode("eth_subscribe", "newPendingTransactions")))
        await socket.recv()
        ask(geth.port, SEND, second)
        ask(geth.port, SEND, first)
        heard = [json.loads(await socket.recv())["params"]["result"] for _ in range(2)]
        await asyncio.to_thread(pool.mine)  # tells of nothing: the next to be heard is the third
        third, third_hash = sign(chain, nonce=2)
        ask(geth.port, SEND, third)
        heard.append(json.loads(await socket.recv())["params"]["result"])
    assert heard == [first_hash, second_hash, third_hash]


def test_queue_of_one_account_keeps_64_and_its_run_keeps_all(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """f: anvil keeps 300 gapped ones; each is acknowledged here too, and gone: catalogue 14."""
    batch = [encode(SEND, sign(chain, nonce=nonce)[0]) for nonce in range(2, 102)]
    assert all("result" in message for message in post(geth.port, batch).message)
    assert len(pool.get_queued()) == 64
    batch = [encode(SEND, sign(chain, 1, nonce=nonce)[0]) for nonce in range(100)]
    assert all("result" in message for message in post(geth.port, batch).message)
    assert len(pool.get_pending()) == 100
    assert ask(geth.port, "txpool_status").result == {"pending": "0x64", "queued": "0x40"}


def test_send_that_may_cost_more_than_one_ether_is_refused(chain: LocalChain, geth: LyingNode) -> None:
    """g: anvil takes it."""
    raw, _ = sign(chain, **fees(50_000_000, 1), gas=21_000)
    assert (
        words(ask(geth.port, SEND, raw)) == "tx fee (1050.00 ether) exceeds the configured cap (1.00 ether)"
    )
    assert accepts(chain, raw)


def test_delegated_account_has_one_in_flight(chain: LocalChain, geth: LyingNode, pool: MempoolModel) -> None:
    """h: anvil takes two; catalogue 15. The delegation is a real one (EIP-7702)."""
    account = Account.from_key(chain.accounts[0].key)
    signed = account.sign_authorization({"chainId": 1337, "address": LOGGER, "nonce": 0})
    sponsored = {"type": 4, "gas": 200_000, "authorizationList": [signed]}
    raw, _ = sign(chain, 1, **sponsored)
    ask(geth.port, SEND, raw)
    pool.mine()
    assert ask(geth.port, "eth_getCode", account.address, "latest").result.startswith("0xef0100")
    assert words(ask(geth.port, SEND, sign(chain, nonce=2)[0])) == "gapped-nonce tx from delegated accounts"
    assert ask(geth.port, SEND, sign(chain, nonce=1)[0]).result
    full = "in-flight transaction limit reached for delegated accounts"
    assert words(ask(geth.port, SEND, sign(chain, nonce=2)[0])) == full
    assert ask(geth.port, SEND, sign(chain, nonce=1, **fees(200, 2))[0]).result
    pool.mine()
    assert ask(geth.port, SEND, sign(chain, nonce=2)[0]).result


def test_refusals_are_in_geths_words(chain: LocalChain, geth: LyingNode, pool: MempoolModel) -> None:
    """j; catalogue 39."""
    raw, _ = sign(chain)
    ask(geth.port, SEND, raw)
    assert words(ask(geth.port, SEND, raw)) == "already known"
    pool.mine()
    assert words(ask(geth.port, SEND, raw)) == "nonce too low: next nonce 1, tx nonce 0"
    poor = words(ask(geth.port, SEND, sign(chain, nonce=1, value=10**30)[0]))
    assert poor.startswith("insufficient funds for gas * price + value: balance 9999")
    assert words(ask(geth.port, SEND, sign(chain, nonce=1, gas=20_000)[0])).startswith(
        "intrinsic gas too low"
    )
    assert words(ask(geth.port, SEND, "0x02")).startswith("rlp: ")
    assert words(ask(geth.port, SEND, "0xzz")).startswith("rlp: ")


def test_mine_builds_by_tip_within_the_gas_limit_under_the_base_fee(
    chain: LocalChain, geth: LyingNode, pool: MempoolModel
) -> None:
    """A block is what a builder of geth makes of the pool, transaction by transaction."""
    chance = random.Random(5)
    sent: dict[str, tuple[int, int, int]] = {}
    for account in range(6):
        for nonce in range(chance.randrange(1, 5)):
            tip = chance.randrange(1, 9)
            raw, tx_hash = sign(chain, account, nonce, **fees(tip + chance.randrange(4), tip))
            ask(geth.port, SEND, raw)
            sent[tx_hash] = account, nonce, tip
    chain.request("evm_setBlockGasLimit", hex(8 * 21_000))
    pool.set_base_fee(GWEI)
    pool.mine()
    mined = ask(geth.port, "eth_getBlockByNumber", "latest", False).result["transactions"]
    assert len(mined) == 8
    left = {tx.tx_hash for tx in pool.get_pending()}
    assert left == sent.keys() - set(mined)
    for account in range(6):
        nonces = [sent[tx_hash][1] for tx_hash in mined if sent[tx_hash][0] == account]
        assert nonces == list(range(len(nonces)))
    for tx_hash in mined:
        paid = receipt(geth, tx_hash)
        assert int(paid["effectiveGasPrice"], 16) > GWEI
    chain.request("evm_setBlockGasLimit", hex(30_000_000))


def test_pool_is_shown_as_geth_shows_it(chain: LocalChain, geth: LyingNode, pool: MempoolModel) -> None:
    (raw, tx_hash), (gapped, gapped_hash) = sign(chain), sign(chain, nonce=3)
    ask(geth.port, SEND, raw)
    ask(geth.port, SEND, gapped)
    account = chain.accounts[0].address
    content = ask(geth.port, "txpool_content").result
    assert content["pending"][account]["0"]["hash"] == tx_hash
    assert content["queued"][account]["3"]["hash"] == gapped_hash
    assert ask(geth.port, "txpool_contentFrom", account).result["queued"].keys() == {"3"}
    line = ask(geth.port, "txpool_inspect").result["pending"][account]["0"]
    assert line == f"{chain.accounts[9].address}: 1 wei + 21000 gas × {10**11} wei"
    shown = ask(geth.port, "eth_getTransactionByHash", tx_hash).result
    assert (shown["nonce"], shown["blockHash"], shown["from"]) == ("0x0", None, account.lower())
    assert ask(geth.port, "eth_getRawTransactionByHash", tx_hash).result == raw
    assert ask(geth.port, "eth_getTransactionCount", account, "pending").result == "0x1"
    assert ask(geth.port, "eth_getTransactionCount", account, "latest").result == "0x0"
    pool.drop(tx_hash)
    assert ask(geth.port, "eth_getTransactionCount", account, "pending").result == "0x0"
    mined = ask(geth.port, "anvil_dropTransaction", gapped_hash).result
    assert (mined, ask(geth.port, "txpool_status").result) == (
        gapped_hash,
        {"pending": "0x0", "queued": "0x0"},
    )


def test_pool_follows_blocks_that_others_mine(chain: LocalChain, geth: LyingNode, pool: MempoolModel) -> None:
    """17: the key is used elsewhere; what it overtakes leaves."""
    ask(geth.port, SEND, sign(chain)[0])
    ask(geth.port, SEND, sign(chain, nonce=1)[0])
    chain.request("eth_sendRawTransactionSync", sign(chain, value=5)[0])
    assert [tx.nonce for tx in pool.get_pending()] == [1]
    assert words(ask(geth.port, SEND, sign(chain)[0])) == "nonce too low: next nonce 1, tx nonce 0"


def test_mining_by_rpc_and_on_arrival(chain: LocalChain, geth: LyingNode) -> None:
    raw, tx_hash = sign(chain)
    ask(geth.port, SEND, raw)
    assert receipt(geth, tx_hash) is None
    assert ask(geth.port, "evm_mine").result == "0x0"
    assert receipt(geth, tx_hash)["blockNumber"] == "0x1"
    assert ask(geth.port, "anvil_mine", "0x2").result is None
    ask(geth.port, "evm_setAutomine", True)
    raw, tx_hash = sign(chain, nonce=1)
    assert ask(geth.port, SEND, raw).result == tx_hash
    assert receipt(geth, tx_hash)["blockNumber"] == "0x4"


def test_faults_and_pool_combine(chain: LocalChain, geth: LyingNode, pool: MempoolModel) -> None:
    raw, tx_hash = sign(chain)
    geth.lie(ResetAfter(), SEND, nth=1)
    with pytest.raises(ConnectionResetError):
        ask(geth.port, SEND, raw)
    assert words(ask(geth.port, SEND, raw)) == "already known"
    assert [tx.tx_hash for tx in pool.get_pending()] == [tx_hash]


def test_model_without_a_node_says_so() -> None:
    with pytest.raises(ConfigError, match="not in use"):
        MempoolModel().mine()


def test_close_finishes_the_block_under_way(chain: LocalChain) -> None:
    for _ in range(5):
        model = MempoolModel()
        with LyingNode.start(chain.url, mempool=model) as geth, suppress(TimeoutError):
            ask(geth.port, "anvil_mine", "0x20", timeout_s=0.01)
        assert chain.request("anvil_getAutomine") is True
        with pytest.raises(ConfigError):
            model.mine()
