"""A signature, and the check that it is ours before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass

from coincurve import PublicKey
from eth_hash.auto import keccak

from onchain_exec.core import Address, address_bytes
from onchain_exec.errors import SignerError

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Number of points of secp256k1."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A secp256k1 signature; ``y_parity`` is 0 or 1."""

    r: int
    s: int
    y_parity: int

    @classmethod
    def from_bytes(cls, packed: bytes) -> Signature:
        """Return the signature of 65 bytes r, s, parity (0 or 1)."""
        return cls(int.from_bytes(packed[:32]), int.from_bytes(packed[32:64]), packed[64])

    def __bytes__(self) -> bytes:
        return self.r.to_bytes(32) + self.s.to_bytes(32) + bytes((self.y_parity,))


def require_signed_by(signer: Address, digest: bytes, signature: Signature) -> None:
    """Return if ``signature`` of the 32-byte ``digest`` was made by ``signer``'s key.

    Raises:
        SignerError: out of range, high-s (EIP-2 makes nodes refuse it), or another key's, which is
            also what a signature over other fields (another chain, another nonce) looks like.
    """
    if not (0 < signature.r < _ORDER and 0 < signature.s < _ORDER and signature.y_parity in (0, 1)):
        raise SignerError(
            "the signer returned numbers that are no signature",
            needed="r and s in 1 to the curve's order, parity 0 or 1",
        )
    if signature.s > _ORDER // 2:
        raise SignerError(
            "the signer returned a high-s signature",
            needed="s in the lower half of the curve's order (EIP-2)",
            todo="Normalise it in the signer: s becomes order - s, the parity flips",
        )
    try:
        key = PublicKey.from_signature_and_message(bytes(signature), digest, hasher=None)
    except ValueError as error:
        raise SignerError(
            "the signer returned numbers that no key can have made", needed="a signature of the transaction"
        ) from error
    if keccak(key.format(compressed=False)[1:])[12:] != address_bytes(signer):
        raise SignerError(
            "the signature recovers to another account",
            needed=f"a signature by {signer} of exactly these fields and this chain",
            todo="Check which key, chain and nonce the signer used",
        )
