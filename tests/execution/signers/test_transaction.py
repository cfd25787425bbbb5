"""Our encoder against eth-account's, byte for byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.chain import Access
from onchain_exec.core import to_address
from onchain_exec.errors import InputError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import LocalSigner, UnsignedTx
from onchain_exec.execution.signers.transaction import decode_fees, decode_unsigned

words = st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1))
keys = st.integers(1, 2**255).map(lambda n: n.to_bytes(32))
datas = st.one_of(st.binary(max_size=3), st.binary(min_size=50, max_size=60), st.binary(max_size=700))
nonces = st.integers(0, 2**64 - 2)
chain_ids = st.one_of(st.sampled_from([1, 10, 137, 8453, 42161]), st.integers(1, 2**50))


accesses = st.builds(
    Access,
    st.binary(min_size=20, max_size=20).map(to_address),
    st.lists(words, max_size=3).map(tuple),
)


@st.composite
def fees(draw: st.DrawFn) -> Fees:
    fee = draw(words)
    if draw(st.booleans()):
        return Fees(fee, fee, legacy=True)
    return Fees(fee, draw(st.integers(0, fee)))


@st.composite
def transactions(draw: st.DrawFn) -> UnsignedTx:
    to = to_address(draw(st.binary(min_size=20, max_size=20)))
    gas = draw(st.integers(0, 2**63))
    paid = draw(fees())
    listed = () if paid.legacy else tuple(draw(st.lists(accesses, max_size=3)))
    return UnsignedTx(draw(chain_ids), draw(nonces), paid, gas, to, draw(words), draw(datas), accesses=listed)


def as_eth_account(tx: UnsignedTx) -> dict[str, object]:
    fields: dict[str, object] = {
        "chainId": tx.chain_id,
        "nonce": tx.nonce,
        "gas": tx.gas_limit,
        "to": tx.to,
        "value": tx.value_wei,
        "data": tx.data,
    }
    if tx.fees.legacy:
        return fields | {"gasPrice": tx.fees.max_fee_wei}
    return fields | {
        "type": 2,
        "maxFeePerGas": tx.fees.max_fee_wei,
        "maxPriorityFeePerGas": tx.fees.max_priority_fee_wei,
        "accessList": [access.to_json() for access in tx.accesses],
    }


@given(transactions(), keys)
async def test_encode_of_any_transaction_equals_eth_account(tx: UnsignedTx, key: bytes) -> None:
    expected = Account.sign_transaction(as_eth_account(tx), key)
    signature = await LocalSigner(key).sign_transaction(tx)
    assert tx.encode(signature) == bytes(expected["raw_transaction"])


@given(transactions(), keys)
async def test_decode_unsigned_of_encoded_bytes_returns_the_transaction(tx: UnsignedTx, key: bytes) -> None:
    assert decode_unsigned(tx.encode(await LocalSigner(key).sign_transaction(tx))) == tx


@given(transactions(), keys)
async def test_decode_fees_of_encoded_bytes_returns_them(tx: UnsignedTx, key: bytes) -> None:
    raw = tx.encode(await LocalSigner(key).sign_transaction(tx))
    assert decode_fees(raw) == tx.fees


@given(transactions(), keys, st.lists(st.tuples(keys, chain_ids, nonces), min_size=1, max_size=3))
async def test_encode_with_authorisations_equals_eth_account(
    tx: UnsignedTx, key: bytes, owners: list[tuple[bytes, int, int]]
) -> None:
    tx = replace(tx, fees=Fees(tx.fees.max_fee_wei, tx.fees.max_priority_fee_wei))
    ours, theirs = [], []
    for owner, chain_id, nonce in owners:
        ours.append(await LocalSigner(owner).sign_authorisation(chain_id, tx.to, nonce))
        theirs.append(
            Account.sign_authorization({"chainId": chain_id, "address": tx.to, "nonce": nonce}, owner)
        )
    tx = replace(tx, authorisations=tuple(ours))
    fields = as_eth_account(tx) | {"type": 4, "authorizationList": theirs}
    raw = tx.encode(await LocalSigner(key).sign_transaction(tx))
    assert raw == bytes(Account.sign_transaction(fields, key)["raw_transaction"])
    assert decode_fees(raw) == tx.fees
    assert decode_unsigned(raw) == tx


async def test_unsigned_tx_with_authorisations_and_a_legacy_price_raises() -> None:
    owner = LocalSigner(b"\x01" * 32)
    item = await owner.sign_authorisation(1, owner.address, 0)
    with pytest.raises(InputError, match="legacy"):
        UnsignedTx(1, 0, Fees(1, 1, legacy=True), 0, owner.address, 0, b"", (item,))


@pytest.mark.parametrize(
    "raw", [b"", b"\x02", b"\x01\xc0", b"\x02\x80", b"\xc0", b"\x02\xc4\xb8\xff\x00\x00"]
)
def test_decode_fees_of_other_bytes_raises(raw: bytes) -> None:
    with pytest.raises(InputError, match="not a transaction we make"):
        decode_fees(raw)
