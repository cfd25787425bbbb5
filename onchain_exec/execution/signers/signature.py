"""A signature, and the check that it is ours before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Address
from onchain_exec.core.ecdsa import GROUP_ORDER, recover
from onchain_exec.errors import SignerError


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

    @classmethod
    def from_der(cls, der: bytes, digest: bytes, signer: Address) -> Signature:
        """Return the low-s signature that a hardware module gives as DER (r, s), with the parity by
        which it recovers to ``signer``.

        Raises:
            SignerError: not DER, or of another key or digest.
        """
        r, s = _decode_der(der)
        if 0 < r < GROUP_ORDER and 0 < s < GROUP_ORDER:
            s = min(s, GROUP_ORDER - s)
            for y_parity in (0, 1):
                signature = cls(r, s, y_parity)
                if signature._recover(digest) == signer:
                    return signature
        raise SignerError(
            "the signature recovers to another account",
            needed=f"a signature by {signer} of exactly this digest",
            todo="Check the key, and that the digest is signed as it is and not hashed again",
        )

    def _recover(self, digest: bytes) -> Address | None:
        """Return whose signature of the digest it is, or None if no key can have made it."""
        return recover(digest, self.r, self.s, self.y_parity)

    def __bytes__(self) -> bytes:
        return self.r.to_bytes(32) + self.s.to_bytes(32) + bytes((self.y_parity,))


def require_signed_by(signer: Address, digest: bytes, signature: Signature) -> None:
    """Return if ``signature`` of the 32-byte ``digest`` was made by ``signer``'s key.

    Raises:
        SignerError: out of range, high-s (EIP-2 makes nodes refuse it), or another key's, which is
            also what a signature over other fields (another chain, another nonce) looks like.
    """
    if not (0 < signature.r < GROUP_ORDER and 0 < signature.s < GROUP_ORDER and signature.y_parity in (0, 1)):
        raise SignerError(
            "the signer returned numbers that are no signature",
            needed="r and s in 1 to the curve's order, parity 0 or 1",
        )
    if signature.s > GROUP_ORDER // 2:
        raise SignerError(
            "the signer returned a high-s signature",
            needed="s in the lower half of the curve's order (EIP-2)",
            todo="Normalise it in the signer: s becomes order - s, the parity flips",
        )
    recovered = signature._recover(digest)
    if recovered is None:
        raise SignerError(
            "the signer returned numbers that no key can have made", needed="a signature of the transaction"
        )
    if recovered != signer:
        raise SignerError(
            "the signature recovers to another account",
            needed=f"a signature by {signer} of exactly these fields and this chain",
            todo="Check which key, chain and nonce the signer used",
        )


def _decode_der(der: bytes) -> tuple[int, int]:
    """Return the two integers of a DER sequence. Both are short here, so a length is one byte; an
    integer has a zero byte before it where its first bit is set, and may have fewer than 32."""
    r = s = 0
    try:
        r, rest = _take_der_integer(der[2:])
        s, rest = _take_der_integer(rest)
        is_whole = not rest and der[0] == 0x30 and der[1] == len(der) - 2
    except IndexError:
        is_whole = False
    if not is_whole:
        raise SignerError(f"the signer returned {len(der)} bytes that are no signature", needed="DER of r, s")
    return r, s


def _take_der_integer(encoded: bytes) -> tuple[int, bytes]:
    stop = 2 + encoded[1]
    if encoded[0] != 0x02 or not 2 < stop <= len(encoded):
        raise IndexError
    return int.from_bytes(encoded[2:stop]), encoded[stop:]
