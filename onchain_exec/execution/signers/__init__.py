"""Who signs: one protocol; keys in memory, a keystore, AWS KMS, a signing service or a Ledger; the
policy before them, and the bytes that are signed."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.execution.signers.kms import KmsSigner
    from onchain_exec.execution.signers.ledger import LedgerSigner
    from onchain_exec.execution.signers.local import KeystoreSigner, LocalSigner
    from onchain_exec.execution.signers.messages import make_message
    from onchain_exec.execution.signers.policy import GuardedSigner, SigningPolicy, SpendCap
    from onchain_exec.execution.signers.remote import RemoteSigner, RpcSigner
    from onchain_exec.execution.signers.signature import Signature, require_signed_by
    from onchain_exec.execution.signers.signer import Capability, Signer
    from onchain_exec.execution.signers.transaction import Authorisation, UnsignedTx

__all__ = [
    "Authorisation",
    "Capability",
    "GuardedSigner",
    "KeystoreSigner",
    "KmsSigner",
    "LedgerSigner",
    "LocalSigner",
    "RemoteSigner",
    "RpcSigner",
    "Signature",
    "Signer",
    "SigningPolicy",
    "SpendCap",
    "UnsignedTx",
    "make_message",
    "require_signed_by",
]

load_when_asked(__name__)
