"""Keys in a signing service that is slow, dies or lies: catalogue entries 80 (high-s), 83 (chain id)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signing_service import KEY, PUBLIC_KEY, serve

from onchain_exec.chain import HttpRpc
from onchain_exec.core import to_address
from onchain_exec.errors import SignerError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import (
    LocalSigner,
    RemoteSigner,
    RpcSigner,
    Signature,
    UnsignedTx,
    require_signed_by,
)
from onchain_exec.execution.signers.messages import make_message
from onchain_exec.execution.signers.transaction import extract_signature

OWNER = LocalSigner(KEY)
TX = UnsignedTx(1, 7, Fees(2, 1), 21_000, to_address(b"\x05" * 20), 3, b"\x01\x02")
LEGACY = UnsignedTx(2**31, 7, Fees(2, 2, legacy=True), 21_000, to_address(b"\x05" * 20), 3, b"")
MESSAGE = make_message(
    "Permit",
    {"name": "Token", "chainId": 1, "verifyingContract": TX.to},
    {"owner": OWNER.address, "spender": TX.to, "value": 1, "nonce": 0, "deadline": 9},
)
FAILURES = {
    "slow": "no usable answer|no answer within",
    "dead": "no usable answer",
    "refuses": "HTTP 404|no such key",
    "html": "not hex|not JSON",
}


@pytest.mark.parametrize("tx", [TX, LEGACY], ids=["type 2", "legacy"])
async def test_remote_signer_gives_the_keys_signature(tx: UnsignedTx) -> None:
    async with serve() as service:
        signer = RemoteSigner(service.url, PUBLIC_KEY)
        assert signer.address == OWNER.address
        assert await signer.sign_transaction(tx) == await OWNER.sign_transaction(tx)
        assert await signer.sign_typed_data(MESSAGE) == await OWNER.sign_typed_data(MESSAGE)


@pytest.mark.parametrize("tx", [TX, LEGACY], ids=["type 2", "legacy"])
async def test_rpc_signer_gives_the_keys_signature(tx: UnsignedTx) -> None:
    async with serve() as service:
        signer = RpcSigner(service.url, OWNER.address)
        assert await signer.sign_transaction(tx) == await OWNER.sign_transaction(tx)
        assert await signer.sign_typed_data(MESSAGE) == await OWNER.sign_typed_data(MESSAGE)
        await signer.close()


@pytest.mark.parametrize(("fault", "says"), (FAILURES | {"noise": "no signature"}).items())
async def test_remote_signer_that_fails_raises(fault: str, says: str) -> None:
    async with serve(fault) as service:
        with pytest.raises(SignerError, match=says):
            await RemoteSigner(service.url, PUBLIC_KEY, timeout_s=0.2).sign_transaction(TX)


@pytest.mark.parametrize(
    ("fault", "says"),
    (FAILURES | dict.fromkeys(["other chain", "other nonce"], "another transaction")).items(),
)
async def test_rpc_signer_that_fails_raises(fault: str, says: str) -> None:
    async with serve(fault) as service:
        signer = RpcSigner(HttpRpc(service.url, timeout_s=0.2), OWNER.address)
        with pytest.raises(SignerError, match=says):
            await signer.sign_transaction(TX)
        await signer.close()


@pytest.mark.parametrize("fault", ["high-s", "wrong key"])
async def test_signature_of_a_service_that_lies_is_refused_by_its_recovery(fault: str) -> None:
    async with serve(fault) as service:
        rpc = RpcSigner(service.url, OWNER.address)
        for signer in (RemoteSigner(service.url, PUBLIC_KEY), rpc):
            signature = await signer.sign_transaction(TX)
            with pytest.raises(SignerError, match=r"high-s|another account"):
                require_signed_by(OWNER.address, TX.signing_hash, signature)
        await rpc.close()


async def test_rpc_signer_with_authorisations_does_not_ask() -> None:
    item = await OWNER.sign_authorisation(1, TX.to, 0)
    tx = UnsignedTx(1, 7, Fees(2, 1), 21_000, TX.to, 3, b"", (item,))
    with pytest.raises(SignerError, match="authorisations"):
        await RpcSigner("http://127.0.0.1:1", OWNER.address).sign_transaction(tx)


@pytest.mark.parametrize("key", ["", "0x12", "0x" + "zz" * 64])
def test_remote_signer_of_no_public_key_raises(key: str) -> None:
    with pytest.raises(SignerError):
        RemoteSigner("http://127.0.0.1:1", key)


signatures = st.builds(Signature, st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 1))


@given(signatures, st.sampled_from([TX, LEGACY]), st.integers(0, 200), st.integers(0, 255))
def test_extract_signature_takes_the_same_transaction_and_no_other(
    signature: Signature, tx: UnsignedTx, at: int, byte: int
) -> None:
    raw = bytearray(tx.encode(signature))
    assert extract_signature(tx, bytes(raw)) == signature
    raw[at % len(raw)] = byte
    try:
        changed = extract_signature(tx, bytes(raw))
    except SignerError:
        return
    assert tx.encode(changed) == bytes(raw)  # only the signature may differ


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x02\xc0", b"\xf8"])
def test_extract_signature_of_no_transaction_raises(raw: bytes) -> None:
    with pytest.raises(SignerError, match="another transaction"):
        extract_signature(TX, raw)
