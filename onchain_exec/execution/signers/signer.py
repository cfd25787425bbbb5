"""What a signer is."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from onchain_exec.core import Address
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.transaction import Authorisation, UnsignedTx


class Capability(enum.Enum):
    """What a signer can do."""

    TRANSACTION = "transaction"
    TYPED_DATA = "typed_data"
    DETERMINISTIC = "deterministic"
    """Signing the same fields again gives the same bytes (RFC 6979)."""


class Signer(Protocol):
    """Holds one account's key, or reaches who does. What it returns is checked, never believed."""

    @property
    def address(self) -> Address:
        """The account it signs for."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the signature of ``tx.signing_hash``.

        Raises:
            SignerError: refused, failed or unreachable.
            PolicyError: its policy forbids the transaction.
        """
        ...

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the signature of an EIP-712 message: ``types``, ``primaryType``, ``domain``, ``message``.

        Raises:
            SignerError, PolicyError: as for a transaction; also if the message is malformed.
        """
        ...


@runtime_checkable
class Authoriser(Protocol):
    """A signer by which its account can lend itself a contract's code (EIP-7702)."""

    async def sign_authorisation(self, chain_id: int, delegate: Address, nonce: int) -> Authorisation:
        """Return the account's authorisation of ``delegate``, good at ``nonce`` alone.

        Raises:
            SignerError, PolicyError: as for a transaction.
        """
        ...
