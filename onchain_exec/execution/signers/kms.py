"""Keys in AWS KMS: they never leave it, and each signature is one call over the network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, Protocol, Self, TypeVar

from onchain_exec.core import Address
from onchain_exec.core.ecdsa import get_key_address
from onchain_exec.errors import MissingToolError, SignerError
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.signer import Capability
from onchain_exec.execution.signers.transaction import UnsignedTx
from onchain_exec.execution.signers.typed_data import hash_typed_data

T = TypeVar("T")

_SPKI_HEAD: Final = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
"""What stands before an uncompressed secp256k1 key in its SubjectPublicKeyInfo (RFC 5480)."""


class KmsClient(Protocol):
    """What is used of ``boto3.client("kms")``."""

    def get_public_key(self, **arguments: Any) -> Mapping[str, Any]:
        """Return the key's facts, ``PublicKey`` in DER among them."""
        ...

    def sign(self, **arguments: Any) -> Mapping[str, Any]:
        """Return ``Signature`` in DER."""
        ...


class KmsSigner:
    """A key of spec ECC_SECG_P256K1 and usage SIGN_VERIFY; open it with `connect`.

    It signs with a fresh random number each time: the same fields give other bytes. After a crash
    only journalled bytes may be sent again.
    """

    def __init__(self, key_id: str, address: Address, client: KmsClient) -> None:
        self._key_id, self._address, self._client = key_id, address, client

    @classmethod
    async def connect(cls, key_id: str, client: KmsClient | None = None) -> Self:
        """Return the signer of a key by its id, ARN or alias; ``client`` None takes boto3's own, by
        the environment's credentials.

        Raises:
            MissingToolError: boto3 is not installed.
            SignerError: KMS refuses or fails, or the key is of another kind.
        """
        boto3 = _import("boto3")
        opened: KmsClient = client if client is not None else await asyncio.to_thread(boto3.client, "kms")
        answer = await _ask(lambda: opened.get_public_key(KeyId=key_id))
        der = bytes(answer["PublicKey"])
        if not der.startswith(_SPKI_HEAD) or len(der) != len(_SPKI_HEAD) + 65:
            raise SignerError(
                "the key is of another curve", needed="a key of spec ECC_SECG_P256K1 and usage SIGN_VERIFY"
            )
        return cls(key_id, get_key_address(der[len(_SPKI_HEAD) :]), opened)

    @property
    def address(self) -> Address:
        """The account of the key."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Transactions and typed data; never deterministic."""
        return frozenset({Capability.TRANSACTION, Capability.TYPED_DATA})

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return KMS's signature of the transaction, made low-s, with its recovery id.

        Raises:
            SignerError: KMS refuses or fails, or signed something else.
        """
        return await self._sign(tx.signing_hash)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return KMS's signature of an EIP-712 message; as for a transaction.

        Raises:
            SignerError: as for a transaction, or the message is malformed.
        """
        return await self._sign(hash_typed_data(message))

    async def _sign(self, digest: bytes) -> Signature:
        answer = await _ask(
            lambda: self._client.sign(
                KeyId=self._key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        )
        return Signature.from_der(bytes(answer["Signature"]), digest, self._address)

    def __repr__(self) -> str:
        return f"KmsSigner({self._address})"


async def _ask(call: Callable[[], T]) -> T:
    """Make a blocking call of boto3 in a thread, its failures typed."""
    failures = _import("botocore.exceptions")
    try:
        return await asyncio.to_thread(call)
    except (failures.BotoCoreError, failures.ClientError) as error:
        raise SignerError(
            f"KMS gave no signature: {error}",
            needed="the permissions kms:GetPublicKey and kms:Sign on the key, and a network",
            todo="Check them; nothing was sent",
        ) from error


def _import(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingToolError("boto3 is not installed", todo="Run: pip install boto3") from error
