"""Raw bytes of every type, against eth-account."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.errors import InputError
from onchain_exec.testing.lying_node import decode_transaction

SIGNER = Account.from_key(b"\7" * 32)
OTHER = Account.from_key(b"\x09" * 32)
TO = to_address(b"\x0a" * 20)
uints = st.integers(0, 2**64 - 2)
fees = st.integers(1, 2**90)


@given(
    kind=st.sampled_from([0, 1, 2, 4]),
    chain_id=st.integers(1, 2**40),
    nonce=uints,
    tip=fees,
    fee=fees,
    gas=uints,
    value=uints,
    data=st.binary(max_size=300),
    creates=st.booleans(),
)
def test_decode_transaction_gives_what_eth_account_signed(
    kind: int, chain_id: int, nonce: int, tip: int, fee: int, gas: int, value: int, data: bytes, creates: bool
) -> None:
    tx: dict[str, Any] = {"chainId": chain_id, "nonce": nonce, "gas": gas, "value": value, "data": data}
    creates = creates and kind != 4
    if not creates:
        tx["to"] = TO
    tx |= {"gasPrice": fee} if kind < 2 else {"maxFeePerGas": fee, "maxPriorityFeePerGas": tip}
    if kind:
        tx |= {"type": kind, "accessList": [{"address": TO, "storageKeys": ["0x" + "01" * 32]}]}
    if kind == 4:
        tx["authorizationList"] = [
            OTHER.sign_authorization({"chainId": chain_id, "address": TO, "nonce": nonce})
        ]
    signed = SIGNER.sign_transaction(tx)
    found = decode_transaction(bytes(signed.raw_transaction))
    assert (found.tx_hash, found.sender) == ("0x" + signed.hash.hex(), SIGNER.address)
    assert (found.kind, found.chain_id, found.nonce, found.gas_limit) == (kind, chain_id, nonce, gas)
    assert (found.fee_cap_wei, found.tip_cap_wei) == (fee, tip if kind > 1 else fee)
    assert (found.to, found.value_wei, found.data) == (None if creates else TO, value, data)
    assert found.authorities == ((OTHER.address,) if kind == 4 else ())
    assert found.cost_wei == gas * fee + value


def test_decode_transaction_without_a_chain_id_is_unprotected() -> None:
    tx = {"nonce": 0, "gas": 21_000, "gasPrice": 1, "to": TO, "value": 1}
    signed = SIGNER.sign_transaction(tx)
    found = decode_transaction(bytes(signed.raw_transaction))
    assert (found.sender, found.protected) == (SIGNER.address, False)


def test_decode_transaction_of_blobs_counts_them() -> None:
    tx = {
        "type": 3,
        "chainId": 1337,
        "nonce": 2,
        "to": TO,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 9,
        "maxPriorityFeePerGas": 3,
        "maxFeePerBlobGas": 5,
        "blobVersionedHashes": ["0x01" + "22" * 31, "0x01" + "33" * 31],
    }
    signed = SIGNER.sign_transaction(tx)
    found = decode_transaction(bytes(signed.raw_transaction))
    assert (found.tx_hash, found.sender) == ("0x" + signed.hash.hex(), SIGNER.address)
    assert (found.blobs, found.blob_fee_cap_wei) == (2, 5)
    assert found.cost_wei == 21_000 * 9 + 1 + 2 * 131_072 * 5


@given(st.binary(max_size=200))
def test_decode_transaction_of_other_bytes_raises(raw: bytes) -> None:
    with pytest.raises(InputError):
        decode_transaction(raw)
