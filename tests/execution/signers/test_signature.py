"""No signature is believed: catalogue entries 80 (high-s) and 81 (short r or s)."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.errors import SignerError
from onchain_exec.execution.signers import Signature, require_signed_by

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
digests = st.binary(min_size=32, max_size=32)
keys = st.integers(1, 2**255).map(lambda n: n.to_bytes(32))


def sign(key: bytes, digest: bytes) -> Signature:
    signed = Account.unsafe_sign_hash(digest, key)
    return Signature(signed.r, signed.s, signed.v - 27)


@given(keys, digests)
def test_require_signed_by_with_the_owners_signature_passes(key: bytes, digest: bytes) -> None:
    require_signed_by(to_address(Account.from_key(key).address), digest, sign(key, digest))


@given(keys, keys, digests, digests)
def test_require_signed_by_with_another_key_or_digest_raises(
    key: bytes, other: bytes, digest: bytes, wrong: bytes
) -> None:
    owner = to_address(Account.from_key(key).address)
    if other != key:
        with pytest.raises(SignerError):
            require_signed_by(owner, digest, sign(other, digest))
    if wrong != digest:
        with pytest.raises(SignerError):
            require_signed_by(owner, digest, sign(key, wrong))


@given(keys, digests)
def test_require_signed_by_with_high_s_raises(key: bytes, digest: bytes) -> None:
    good = sign(key, digest)
    high = Signature(good.r, ORDER - good.s, 1 - good.y_parity)
    with pytest.raises(SignerError, match="high-s"):
        require_signed_by(to_address(Account.from_key(key).address), digest, high)


@pytest.mark.parametrize(
    "signature",
    [Signature(0, 1, 0), Signature(1, 0, 0), Signature(ORDER, 1, 0), Signature(1, 1, 27), Signature(5, 1, 0)],
)
def test_require_signed_by_with_numbers_out_of_range_raises(signature: Signature) -> None:
    with pytest.raises(SignerError):
        require_signed_by(to_address(b"\x01" * 20), b"\x07" * 32, signature)


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 1))
def test_signature_from_bytes_of_its_bytes_is_itself(r: int, s: int, y_parity: int) -> None:
    signature = Signature(r, s, y_parity)
    assert Signature.from_bytes(bytes(signature)) == signature
    assert len(bytes(signature)) == 65
