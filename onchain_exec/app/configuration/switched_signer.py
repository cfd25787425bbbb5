"""A signer behind the journal's switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onchain_exec.core import Address
from onchain_exec.errors import SignerError
from onchain_exec.execution import Capability, Signature, Signer, UnsignedTx
from onchain_exec.execution.signers.signer import Authoriser
from onchain_exec.execution.signers.transaction import Authorisation
from onchain_exec.oms import Journal, require_not_killed


class SwitchedSigner:
    """Asks the journal before the signer behind it: once all, or its account, is killed, that one is
    never asked again. (What was being signed at that moment cannot be journalled, and so not sent.)"""

    def __init__(self, inner: Signer, journal: Journal) -> None:
        self._inner, self._journal = inner, journal

    @property
    def address(self) -> Address:
        """The account of the signer behind."""
        return self._inner.address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those of the signer behind."""
        return self._inner.capabilities

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the signature of the signer behind.

        Raises:
            HaltedError: killed; it was not asked.
        """
        self._require_alive()
        return await self._inner.sign_transaction(tx)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the signature of the signer behind; HaltedError as for a transaction."""
        self._require_alive()
        return await self._inner.sign_typed_data(message)

    async def sign_authorisation(self, chain_id: int, delegate: Address, nonce: int) -> Authorisation:
        """Return the authorisation of the signer behind; HaltedError as for a transaction.

        Raises:
            SignerError: it signs none.
        """
        self._require_alive()
        if not isinstance(self._inner, Authoriser):
            raise SignerError(
                f"{type(self._inner).__name__} signs no authorisations (EIP-7702)",
                needed="a signer that does, for an account to lend itself the Guard's code",
                todo="Use a local key, or act without guards",
            )
        return await self._inner.sign_authorisation(chain_id, delegate, nonce)

    def _require_alive(self) -> None:
        require_not_killed(self._journal.read_switches(), self.address)
