"""Who asks a relay: the key of its ``X-Flashbots-Signature`` header, which holds no money."""

from __future__ import annotations

import secrets
from typing import Final

from coincurve import PrivateKey

from onchain_exec.core import Address, to_address
from onchain_exec.core.hashing import keccak

HEADER: Final = "X-Flashbots-Signature"


class RelayIdentity:
    """A key by which relays know a searcher and its reputation; a new one unless ``key`` (32 bytes) is given.

    Never the key of an account that trades: relays link what it signs.
    """

    __slots__ = ("_key", "address")

    def __init__(self, key: bytes | None = None) -> None:
        self._key = PrivateKey(key or secrets.token_bytes(32))
        self.address: Address = to_address(keccak(self._key.public_key.format(compressed=False)[1:])[12:])

    def sign(self, body: bytes) -> str:
        """Return the header's value for a request's body: the address, and its EIP-191 signature over the
        text of the body's Keccak hash in hex."""
        return f"{self.address}:{self.sign_message(_get_text(body))}"

    def sign_message(self, message: bytes) -> str:
        """Return the EIP-191 signature of a message, in hex."""
        packed = self._key.sign_recoverable(_get_message_digest(message), hasher=None)
        return f"0x{packed[:64].hex()}{27 + packed[64]:02x}"

    def __repr__(self) -> str:
        return f"RelayIdentity({self.address})"


def get_digest(body: bytes) -> bytes:
    """Return what the header's signature is over."""
    return _get_message_digest(_get_text(body))


def _get_text(body: bytes) -> bytes:
    return b"0x" + keccak(body).hex().encode()


def _get_message_digest(message: bytes) -> bytes:
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)
