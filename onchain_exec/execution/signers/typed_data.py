"""EIP-712 messages as digests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onchain_exec.core.hashing import keccak
from onchain_exec.errors import SignerError

if TYPE_CHECKING:
    from eth_account.messages import SignableMessage


def hash_typed_data(message: Mapping[str, Any]) -> bytes:
    """Return the digest that is signed for ``types``, ``primaryType``, ``domain`` and ``message``.

    Raises:
        SignerError: the message is malformed.
    """
    encoded = encode_message(message)
    return keccak(b"\x19" + encoded.version + encoded.header + encoded.body)


def encode_message(message: Mapping[str, Any]) -> SignableMessage:
    """Return the message with the hash of its domain as ``header`` and of its struct as ``body``.

    Raises:
        SignerError: the message is malformed.
    """
    from eth_account.messages import encode_typed_data  # noqa: PLC0415 (slow, and seldom needed)
    from eth_utils import ValidationError  # noqa: PLC0415

    try:
        return encode_typed_data(full_message=dict(message))
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise SignerError(
            f"not an EIP-712 message: {error}", needed="types, primaryType, domain and message that agree"
        ) from error
