"""Our requests and their signatures against those of the public client, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.chain.relays import Bundle, PrivateTx, RelayIdentity, SendConditions, SharedBundle
from onchain_exec.core import to_address
from onchain_exec.errors import InputError
from onchain_exec.testing.relay.relay import find_searcher

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "flashbots_client_requests.json").read_text())
REQUESTS = {json.loads(item["body"])["method"]: item for item in GOLDEN["requests"]}
OWNER = to_address("0x" + "22" * 20)


def get_params(method: str) -> Any:
    (params,) = json.loads(REQUESTS[method]["body"])["params"]
    return params


def get_transactions(method: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(raw[2:]) for raw in get_params(method)["txs"])


@pytest.mark.parametrize("method", REQUESTS)
def test_relay_identity_sign_of_the_public_clients_body_gives_its_header(method: str) -> None:
    identity = RelayIdentity(bytes.fromhex(GOLDEN["key"]))
    assert identity.sign(REQUESTS[method]["body"].encode()) == REQUESTS[method]["header"]
    assert GOLDEN["key"] not in repr(identity)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_relay_identity_sign_is_of_one_body_only(body: bytes, other: bytes) -> None:
    identity = RelayIdentity()
    header = identity.sign(body)
    assert find_searcher(body, header) == identity.address
    assert (find_searcher(other, header) == identity.address) is (body == other)


def test_bundle_to_json_is_the_public_clients_to_the_byte() -> None:
    theirs = get_params("eth_sendBundle")
    ours = Bundle(
        get_transactions("eth_sendBundle"),
        int(theirs["blockNumber"], 16),
        tuple(theirs["revertingTxHashes"]),
        theirs["minTimestamp"],
        theirs["maxTimestamp"],
        theirs["replacementUuid"],
    )
    assert msgspec.json.encode(ours.to_json()) == msgspec.json.encode(theirs)


def test_bundle_to_call_json_is_the_public_clients_to_the_byte() -> None:
    theirs = get_params("eth_callBundle")
    ours = Bundle(get_transactions("eth_callBundle"), int(theirs["blockNumber"], 16))
    assert msgspec.json.encode(ours.to_call_json(0, theirs["timestamp"])) == msgspec.json.encode(theirs)


def test_private_tx_to_json_is_the_public_clients_but_for_a_number_that_it_leaves_plain() -> None:
    theirs = get_params("eth_sendPrivateTransaction")
    ours = PrivateTx(bytes.fromhex(theirs["tx"][2:]), theirs["maxBlockNumber"])
    documented = theirs | {"maxBlockNumber": hex(theirs["maxBlockNumber"])}
    assert msgspec.json.encode(ours.to_json()) == msgspec.json.encode(documented)


def test_what_is_not_asked_for_is_not_in_the_json() -> None:
    assert Bundle((b"\x02",), 16).to_json() == {"txs": ["0x02"], "blockNumber": "0x10"}
    assert PrivateTx(b"\x02").to_json() == {"tx": "0x02"}
    assert SendConditions().to_json() == {}


def test_shared_bundle_to_json_names_hints_and_refund() -> None:
    shared = SharedBundle(
        ("0x" + "ab" * 32, b"\x02"), 16, 18, hints=("hash",), refund_percent=90, refund_to=OWNER
    )
    assert shared.to_json() == {
        "version": "v0.1",
        "inclusion": {"block": "0x10", "maxBlock": "0x12"},
        "body": [{"hash": "0x" + "ab" * 32}, {"tx": "0x02", "canRevert": False}],
        "validity": {
            "refund": [{"bodyIdx": 0, "percent": 90}],
            "refundConfig": [{"address": OWNER, "percent": 100}],
        },
        "privacy": {"hints": ["hash"]},
    }


def test_send_conditions_to_json_are_hex_with_whole_words() -> None:
    conditions = SendConditions(1, 2, 3, 4, {OWNER: {5: 6}})
    assert conditions.to_json() == {
        "blockNumberMin": "0x1",
        "blockNumberMax": "0x2",
        "timestampMin": "0x3",
        "timestampMax": "0x4",
        "knownAccounts": {OWNER: {"0x" + "0" * 63 + "5": "0x" + "0" * 63 + "6"}},
    }


@pytest.mark.parametrize(("transactions", "block"), [((), 1), ((b"\x02",), 0)])
def test_bundle_without_transactions_or_block_raises(transactions: tuple[bytes, ...], block: int) -> None:
    with pytest.raises(InputError, match="bundle"):
        Bundle(transactions, block)
