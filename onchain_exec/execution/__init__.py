"""From an approved order to a mined transaction: build, simulate, sign, send, confirm."""

from onchain_exec.execution.allowance import AllowanceStep, find_allowance_step
from onchain_exec.execution.build import build_cancel, build_plan, rebase
from onchain_exec.execution.confirm import confirm, look
from onchain_exec.execution.fees import Urgency, bump_fees, choose_fees, read_fees
from onchain_exec.execution.gas import GasRules, L1Fee
from onchain_exec.execution.outcome import (
    Accepted,
    AlreadyKnown,
    Ambiguous,
    Mined,
    Outcome,
    Receipt,
    Rejected,
    Reverted,
    SendOutcome,
    StillUnknown,
    Superseded,
)
from onchain_exec.execution.plan import DurableTx, Fees, Purpose, SignedTx, SimulatedTx, TxPlan
from onchain_exec.execution.safe import (
    SafeAccount,
    SafeProposal,
    build_execution,
    collect,
    propose,
    read_safe,
)
from onchain_exec.execution.send import send
from onchain_exec.execution.sign import sign
from onchain_exec.execution.signers import (
    Capability,
    GuardedSigner,
    KeystoreSigner,
    KmsSigner,
    LedgerSigner,
    LocalSigner,
    RemoteSigner,
    RpcSigner,
    Signature,
    Signer,
    SigningPolicy,
    SpendCap,
    UnsignedTx,
)
from onchain_exec.execution.simulate import simulate

__all__ = [
    "Accepted",
    "AllowanceStep",
    "AlreadyKnown",
    "Ambiguous",
    "Capability",
    "DurableTx",
    "Fees",
    "GasRules",
    "GuardedSigner",
    "KeystoreSigner",
    "KmsSigner",
    "L1Fee",
    "LedgerSigner",
    "LocalSigner",
    "Mined",
    "Outcome",
    "Purpose",
    "Receipt",
    "Rejected",
    "RemoteSigner",
    "Reverted",
    "RpcSigner",
    "SafeAccount",
    "SafeProposal",
    "SendOutcome",
    "Signature",
    "SignedTx",
    "Signer",
    "SigningPolicy",
    "SimulatedTx",
    "SpendCap",
    "StillUnknown",
    "Superseded",
    "TxPlan",
    "UnsignedTx",
    "Urgency",
    "build_cancel",
    "build_execution",
    "build_plan",
    "bump_fees",
    "choose_fees",
    "collect",
    "confirm",
    "find_allowance_step",
    "look",
    "propose",
    "read_fees",
    "read_safe",
    "rebase",
    "send",
    "sign",
    "simulate",
]
