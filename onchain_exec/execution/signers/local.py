"""Keys in this process's memory. The key never shows in a repr, text, pickle, error or traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Never

from coincurve import PrivateKey

from onchain_exec.core import Address, to_address
from onchain_exec.core.ecdsa import get_key_address
from onchain_exec.errors import PolicyError, SignerError
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.signer import Capability
from onchain_exec.execution.signers.transaction import Authorisation, UnsignedTx, get_authorisation_hash
from onchain_exec.execution.signers.typed_data import hash_typed_data

_EVERYTHING: Final = frozenset(Capability)


class LocalSigner:
    """Signs with a private key of 32 bytes, given as bytes or hex text.

    ``chain_id`` binds it to one chain; None lets it sign for any.

    Raises:
        SignerError: not a private key.
    """

    __slots__ = ("_address", "_chain_id", "_private")

    def __init__(self, key: bytes | str, *, chain_id: int | None = None) -> None:
        private = _parse_key(key)
        del key  # a traceback that shows local variables must not show it
        if private is None:
            raise SignerError(
                "the private key cannot be used",
                needed="32 bytes (64 hex digits), not zero and below the curve's order",
                todo="Check where the key comes from; it is not shown here",
            )
        self._private = private
        self._chain_id = chain_id
        self._address = get_key_address(private.public_key.format(compressed=False))

    @property
    def address(self) -> Address:
        """The account of the key."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All of them."""
        return _EVERYTHING

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the RFC 6979 signature of the transaction, low-s.

        Raises:
            PolicyError: of another chain than the signer is bound to.
        """
        self._require_chain(tx.chain_id)
        return self._sign(tx.signing_hash)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the RFC 6979 signature of an EIP-712 message, low-s.

        Raises:
            SignerError: the message is malformed.
        """
        return self._sign(hash_typed_data(message))

    async def sign_authorisation(self, chain_id: int, delegate: Address, nonce: int) -> Authorisation:
        """Return the account's EIP-7702 authorisation of ``delegate``, good at ``nonce`` alone.

        Raises:
            PolicyError: of another chain than the signer is bound to.
        """
        self._require_chain(chain_id)
        digest = get_authorisation_hash(chain_id, delegate, nonce)
        return Authorisation(chain_id, delegate, nonce, self._sign(digest))

    def _require_chain(self, chain_id: int) -> None:
        if self._chain_id not in (None, chain_id):
            raise PolicyError(
                f"the transaction is for chain {chain_id}",
                needed=f"chain {self._chain_id}, which the signer is bound to",
                todo="Use the signer of that chain",
            )

    def _sign(self, digest: bytes) -> Signature:
        return Signature.from_bytes(self._private.sign_recoverable(digest, hasher=None))

    def __repr__(self) -> str:
        address = getattr(self, "_address", "no key")  # a traceback may show it half made
        return f"{type(self).__name__}({address})"

    def __reduce__(self) -> Never:
        raise SignerError(f"{self!r} cannot be pickled or copied", needed="a key that stays where it is")


class KeystoreSigner(LocalSigner):
    """A `LocalSigner` whose key comes from the text of an encrypted JSON keystore (versions 1 and 3).

    Decrypting takes about a second, on purpose.

    Raises:
        SignerError: not a keystore, a wrong password, or the key of another address than it says.
    """

    __slots__ = ()

    def __init__(self, keystore: str, password: str, *, chain_id: int | None = None) -> None:
        key = _decrypt(keystore, password)
        del password
        if key is None:
            raise SignerError(
                "the keystore cannot be opened",
                needed="an encrypted JSON keystore and its password",
                todo="Check both; neither is shown here",
            )
        super().__init__(key, chain_id=chain_id)
        del key
        stated = json.loads(keystore).get("address")
        if stated and to_address("0x" + stated.removeprefix("0x").lower()) != self.address:
            raise SignerError(
                f"the keystore says address {stated} but holds the key of {self.address}",
                needed="a keystore that was not edited",
            )


def _parse_key(key: bytes | str) -> PrivateKey | None:
    try:
        secret = bytes.fromhex(key.removeprefix("0x")) if isinstance(key, str) else key
        return PrivateKey(secret) if len(secret) == 32 else None
    except ValueError:
        return None


def _decrypt(keystore: str, password: str) -> bytes | None:
    from eth_account import Account  # noqa: PLC0415 (slow, and no key in the clear needs it)

    try:
        return bytes(Account.decrypt(keystore, password))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
