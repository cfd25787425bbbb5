"""Keys in AWS KMS, on moto: catalogue entries 80 (high-s), 81 (short r or s), 82 (no recovery id),
86 (the stand-in hashes the digest again)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.errors import MissingToolError, SignerError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import Capability, LocalSigner, Signature, UnsignedTx, require_signed_by
from onchain_exec.execution.signers.kms import KmsClient, KmsSigner
from onchain_exec.execution.signers.messages import make_message
from onchain_exec.execution.signers.typed_data import hash_typed_data

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TO = to_address(b"\x05" * 20)
MESSAGE = make_message(
    "Permit",
    {"chainId": 1, "verifyingContract": TO},
    {"owner": TO, "spender": TO, "value": 1, "nonce": 0, "deadline": 9},
)


def make_tx(nonce: int) -> UnsignedTx:
    return UnsignedTx(1, nonce, Fees(2, 1), 21_000, TO, 0, b"")


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """KMS's stand-in, made to sign a digest as KMS does: as it is."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto")

    def sign_digest(self: Any, message: bytes, signing_algorithm: str) -> bytes:
        signed: bytes = self.private_key.sign(message, ec.ECDSA(Prehashed(hashes.SHA256())))
        return signed

    monkeypatch.setattr("moto.kms.utils.ECDSAPrivateKey.sign", sign_digest)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with moto.mock_aws():
        yield boto3.client("kms")


def create_key(kms: Any, spec: str = "ECC_SECG_P256K1") -> str:
    key_id: str = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    return key_id


async def test_kms_signer_signs_low_s_with_its_parity_every_time(kms: Any) -> None:
    signer = await KmsSigner.connect(create_key(kms))
    parities = set()
    for nonce in range(40):
        tx = make_tx(nonce)
        signature = await signer.sign_transaction(tx)
        require_signed_by(signer.address, tx.signing_hash, signature)
        parities.add(signature.y_parity)
    assert parities == {0, 1}
    assert Capability.DETERMINISTIC not in signer.capabilities
    assert signer.address in repr(signer)


async def test_kms_signer_signs_typed_data(kms: Any) -> None:
    signer = await KmsSigner.connect(create_key(kms), kms)
    require_signed_by(signer.address, hash_typed_data(MESSAGE), await signer.sign_typed_data(MESSAGE))


async def test_kms_signer_of_another_curve_raises(kms: Any) -> None:
    with pytest.raises(SignerError, match="another curve"):
        await KmsSigner.connect(create_key(kms, "ECC_NIST_P256"))


async def test_kms_signer_of_no_key_raises(kms: Any) -> None:
    with pytest.raises(SignerError, match="NotFoundException"):
        await KmsSigner.connect("alias/none")


async def test_kms_signer_that_dies_raises(kms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(**arguments: Any) -> None:
        raise exceptions.EndpointConnectionError(endpoint_url="kms")

    exceptions = pytest.importorskip("botocore.exceptions")
    signer = await KmsSigner.connect(create_key(kms), kms)
    monkeypatch.setattr(kms, "sign", die)
    with pytest.raises(SignerError, match="nothing was sent"):
        await signer.sign_transaction(make_tx(0))


async def test_kms_signer_where_the_digest_is_hashed_again_raises(kms: Any, monkeypatch: Any) -> None:
    signer = await KmsSigner.connect(create_key(kms))
    monkeypatch.undo()  # moto as it is
    with pytest.raises(SignerError, match="not hashed again"):
        await signer.sign_transaction(make_tx(0))


async def test_kms_signer_without_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingToolError, match="pip install boto3"):
        await KmsSigner.connect("key")


class LyingKms:
    """Answers with whatever it was given."""

    def __init__(self, der: bytes) -> None:
        self.der = der

    def get_public_key(self, **arguments: Any) -> Mapping[str, Any]:
        raise AssertionError

    def sign(self, **arguments: Any) -> Mapping[str, Any]:
        return {"Signature": self.der}


def encode_der(r: int, s: int) -> bytes:
    parts = b""
    for value in (r, s):
        body = value.to_bytes(value.bit_length() // 8 + 1)  # a zero byte where the first bit is set
        parts += bytes((0x02, len(body))) + body
    return bytes((0x30, len(parts))) + parts


@pytest.mark.parametrize(
    "der",
    [b"", b"\x30", b"\x30\x00", b"\x31\x06\x02\x01\x01\x02\x01\x01", b"\x30\x07\x02\x01\x01\x02\x01\x01\x00"],
)
async def test_kms_signer_given_other_bytes_than_der_raises(der: bytes) -> None:
    pytest.importorskip("boto3")
    client: KmsClient = LyingKms(der)
    with pytest.raises(SignerError, match="no signature"):
        await KmsSigner("key", TO, client).sign_transaction(make_tx(0))


async def test_kms_signer_given_another_keys_signature_raises() -> None:
    pytest.importorskip("boto3")
    tx = make_tx(0)
    other = await LocalSigner(b"\x02" * 32).sign_transaction(tx)
    with pytest.raises(SignerError, match="another account"):
        await KmsSigner("key", TO, LyingKms(encode_der(other.r, other.s))).sign_transaction(tx)


@given(st.integers(1, 2**255), st.binary(min_size=32, max_size=32), st.booleans())
def test_signature_from_der_is_the_low_s_signature_of_any_key(key: int, digest: bytes, high: bool) -> None:
    private = PrivateKey(key.to_bytes(32))
    low = Signature.from_bytes(private.sign_recoverable(digest, hasher=None))
    signer = LocalSigner(key.to_bytes(32)).address
    der = encode_der(low.r, ORDER - low.s if high else low.s)
    assert Signature.from_der(der, digest, signer) == low


def test_signature_from_der_with_a_short_number_is_read_whole() -> None:
    private, signer, found = PrivateKey(b"\x03" * 32), LocalSigner(b"\x03" * 32).address, set()
    for number in range(2_000):
        digest = number.to_bytes(32)
        low = Signature.from_bytes(private.sign_recoverable(digest, hasher=None))
        short = {name for name in ("r", "s") if getattr(low, name) < 1 << 248}
        if short:
            assert Signature.from_der(encode_der(low.r, low.s), digest, signer) == low
            found |= short
    assert found == {"r", "s"}
