"""One broadcast, one outcome: catalogue entries 18 to 20, 22, 24, 34, 39, 40."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_ins import ScriptedRpc, sign_transfer

import onchain_exec
from onchain_exec.chain import LocalChain, Node
from onchain_exec.errors import ConfigError, NodeRefusedError, NodeUnreachableError, RateLimitedError
from onchain_exec.execution import Accepted, AlreadyKnown, Ambiguous, DurableTx, Rejected, SendOutcome, send
from onchain_exec.execution.delivery.send import merge_outcomes

DURABLE = sign_transfer()
POOLED = {
    "hash": DURABLE.tx_hash,
    "from": DURABLE.sender,
    "to": DURABLE.sender,
    "nonce": "0x0",
    "value": "0x1",
    "input": "0x",
    "blockNumber": None,
    "blockHash": None,
}


def refuse(text: str, code: int = -32000) -> Callable[..., Any]:
    def answer(*params: Any) -> Any:
        raise NodeRefusedError("eth_sendRawTransaction", code, text)

    return answer


def fail(error: Exception) -> Callable[..., Any]:
    def answer(*params: Any) -> Any:
        raise error

    return answer


async def try_send(
    answer: Callable[..., Any], look_up: Callable[..., Any] = lambda tx_hash: None
) -> tuple[SendOutcome, ScriptedRpc]:
    rpc = ScriptedRpc(eth_sendRawTransaction=answer, eth_getTransactionByHash=look_up)
    outcome = await send(rpc.node(), DURABLE)
    assert rpc.asked.count("eth_sendRawTransaction") == 1
    return outcome, rpc


async def test_send_of_journalled_bytes_hands_over_exactly_them() -> None:
    sent: list[str] = []
    outcome, rpc = await try_send(lambda raw: sent.append(raw) or DURABLE.tx_hash.upper().replace("0X", "0x"))
    assert outcome == Accepted(DURABLE.tx_hash)
    assert sent == ["0x" + DURABLE.raw.hex()]
    assert rpc.asked == ["eth_sendRawTransaction"]


@pytest.mark.parametrize(
    "error",
    [
        NodeUnreachableError("the connection was reset after the request was written"),
        RateLimitedError("HTTP 429"),
    ],
)
async def test_send_without_an_answer_is_ambiguous(error: Exception) -> None:
    outcome, _ = await try_send(fail(error))
    assert isinstance(outcome, Ambiguous)


@pytest.mark.parametrize(
    "text", ["unknown transaction type", "internal error", "nonce too high", "txpool is full"]
)
async def test_send_refused_in_words_that_do_not_settle_it_is_ambiguous(text: str) -> None:
    outcome, rpc = await try_send(refuse(text))
    assert isinstance(outcome, Ambiguous)
    assert text in outcome.reason
    assert rpc.asked == ["eth_sendRawTransaction"]


@pytest.mark.parametrize("text", ["already known", "known transaction: 0x12", "AlreadyKnown"])
async def test_send_of_known_bytes_is_already_known(text: str) -> None:
    outcome, _ = await try_send(refuse(text))
    assert outcome == AlreadyKnown(DURABLE.tx_hash)


async def test_send_acknowledged_with_another_hash_is_ambiguous() -> None:
    outcome, _ = await try_send(lambda raw: "0x" + "11" * 32)
    assert isinstance(outcome, Ambiguous)


@pytest.mark.parametrize(
    ("text", "consumed"), [("nonce too low", True), ("intrinsic gas too low", False), ("underpriced", False)]
)
async def test_send_refused_and_not_found_is_rejected(text: str, consumed: bool) -> None:
    outcome, _ = await try_send(refuse(text))
    assert isinstance(outcome, Rejected)
    assert outcome.nonce_consumed is consumed
    assert text in outcome.reason


@pytest.mark.parametrize("text", ["nonce too low", "replacement transaction underpriced"])
async def test_send_refused_but_found_is_already_known(text: str) -> None:
    outcome, _ = await try_send(refuse(text), lambda tx_hash: POOLED)
    assert outcome == AlreadyKnown(DURABLE.tx_hash)


async def test_send_refused_and_the_look_up_fails_is_ambiguous() -> None:
    outcome, _ = await try_send(refuse("nonce too low"), fail(NodeUnreachableError("gone")))
    assert isinstance(outcome, Ambiguous)


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    """A chain that mines when it is told: anvil acknowledges a transaction before it mines it."""
    with LocalChain.start() as started:
        started.request("evm_setAutomine", False)
        yield started


def sign_next(chain: LocalChain, **fields: int) -> DurableTx:
    """Return a transfer in the next free slot, whatever another test has sent."""
    sent: str = chain.request("eth_getTransactionCount", DURABLE.sender, "latest")
    return sign_transfer(int(sent, 16), chain.chain_id, **fields)


async def send_to(chain: LocalChain, durable: DurableTx) -> SendOutcome:
    node = await Node.connect(chain.url)
    try:
        return await send(node, durable)
    finally:
        await node.close()


async def test_send_to_anvil_again_and_after_mining_is_already_known(chain: LocalChain) -> None:
    durable = sign_next(chain)
    assert await send_to(chain, durable) == Accepted(durable.tx_hash)
    assert await send_to(chain, durable) == AlreadyKnown(durable.tx_hash)
    chain.mine()
    assert await send_to(chain, durable) == AlreadyKnown(durable.tx_hash)


async def test_send_to_anvil_in_a_taken_slot_is_rejected_with_nonce_consumed(chain: LocalChain) -> None:
    first, other = sign_next(chain), sign_next(chain, value=2)
    assert isinstance(await send_to(chain, first), Accepted)
    chain.mine()
    outcome = await send_to(chain, other)
    assert isinstance(outcome, Rejected)
    assert outcome.nonce_consumed


@pytest.mark.parametrize(
    "fields",
    [
        {"gas": 20_000},
        {"value": 10**30},
        {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1},
        {"chainId": 5},
        {"gas": 10**9},
    ],
)
async def test_send_to_anvil_of_what_cannot_be_mined_is_rejected(
    chain: LocalChain, fields: dict[str, int]
) -> None:
    outcome = await send_to(chain, sign_next(chain, **fields))
    assert isinstance(outcome, Rejected)
    assert not outcome.nonce_consumed


HASH = DURABLE.tx_hash
TAKEN, KNOWN = Accepted(HASH), AlreadyKnown(HASH)
REFUSED, UNSURE = Rejected(HASH, "nonce too low", nonce_consumed=True), Ambiguous(HASH, "no answer")


@pytest.mark.parametrize(
    ("outcomes", "merged"),
    [
        ([REFUSED, TAKEN, UNSURE], Accepted(HASH, ("nonce too low",))),
        ([UNSURE, REFUSED, KNOWN], AlreadyKnown(HASH, ("nonce too low",))),
        ([KNOWN, TAKEN], TAKEN),
        ([REFUSED, UNSURE], Ambiguous(HASH, "nonce too low; no answer")),
        ([REFUSED, Rejected(HASH, "underpriced")], Rejected(HASH, "nonce too low; underpriced", True)),
    ],
)
def test_merge_outcomes_of_several_endpoints_never_lets_an_error_win_over_a_success(
    outcomes: list[SendOutcome], merged: SendOutcome
) -> None:
    """Catalogue entry 26; a success beside a refusal is reported."""
    assert merge_outcomes(outcomes) == merged


async def test_send_of_private_bytes_to_a_public_node_raises_and_sends_nothing() -> None:
    rpc = ScriptedRpc(eth_sendRawTransaction=lambda raw: DURABLE.tx_hash)
    with pytest.raises(ConfigError, match="private"):
        await send(rpc.node(), replace(DURABLE, private=True))
    assert rpc.asked == []


def test_package_never_lets_a_node_sign() -> None:
    """Catalogue entry 16: a node that signs counts nonces of its own, and burns them."""
    package = Path(onchain_exec.__file__).parent
    local = ("app/sandbox", "chain/local", "testing")  # chains of our own, with unlocked accounts
    sources = (
        path for path in package.rglob("*.py") if not path.relative_to(package).as_posix().startswith(local)
    )
    assert not [path for path in sources if "eth_sendTransaction" in path.read_text("utf-8")]
