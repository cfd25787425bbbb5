"""From an approved order to a mined transaction: build, simulate, sign, send, confirm."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.execution.allowances.approvals import build_revocation, list_approved, read_approvals
    from onchain_exec.execution.allowances.grant import Grant, Router, find_grant, get_spender
    from onchain_exec.execution.building.build import build_cancel, build_plan, rebase
    from onchain_exec.execution.building.draft import Draft, Missing
    from onchain_exec.execution.building.prepare import Found, Sources, complete, fill, prepare
    from onchain_exec.execution.building.reprice import build_gap, is_outbid, speed_up
    from onchain_exec.execution.costs.access import list_accesses
    from onchain_exec.execution.costs.fees import Urgency, bump_fees, choose_fees, read_fees
    from onchain_exec.execution.costs.gas import GasRules, L1Fee
    from onchain_exec.execution.delivery.confirm import confirm, look
    from onchain_exec.execution.delivery.outcome import (
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
    from onchain_exec.execution.delivery.send import send
    from onchain_exec.execution.delivery.sign import sign
    from onchain_exec.execution.plan import (
        DurableTx,
        Fees,
        Purpose,
        SignedTx,
        SimulatedTx,
        StandingApproval,
        TxPlan,
    )
    from onchain_exec.execution.safe import (
        SafeAccount,
        SafeProposal,
        build_execution,
        collect,
        propose,
        read_safe,
    )
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
    from onchain_exec.execution.simulation.in_process import InProcessRunner
    from onchain_exec.execution.simulation.runs import NodeRunner, Runner
    from onchain_exec.execution.simulation.simulate import simulate

__all__ = [
    "Accepted",
    "AlreadyKnown",
    "Ambiguous",
    "Capability",
    "Draft",
    "DurableTx",
    "Fees",
    "Found",
    "GasRules",
    "Grant",
    "GuardedSigner",
    "InProcessRunner",
    "KeystoreSigner",
    "KmsSigner",
    "L1Fee",
    "LedgerSigner",
    "LocalSigner",
    "Mined",
    "Missing",
    "NodeRunner",
    "Outcome",
    "Purpose",
    "Receipt",
    "Rejected",
    "RemoteSigner",
    "Reverted",
    "Router",
    "RpcSigner",
    "Runner",
    "SafeAccount",
    "SafeProposal",
    "SendOutcome",
    "Signature",
    "SignedTx",
    "Signer",
    "SigningPolicy",
    "SimulatedTx",
    "Sources",
    "SpendCap",
    "StandingApproval",
    "StillUnknown",
    "Superseded",
    "TxPlan",
    "UnsignedTx",
    "Urgency",
    "build_cancel",
    "build_execution",
    "build_gap",
    "build_plan",
    "build_revocation",
    "bump_fees",
    "choose_fees",
    "collect",
    "complete",
    "confirm",
    "fill",
    "find_grant",
    "get_spender",
    "is_outbid",
    "list_accesses",
    "list_approved",
    "look",
    "prepare",
    "propose",
    "read_approvals",
    "read_fees",
    "read_safe",
    "rebase",
    "send",
    "sign",
    "simulate",
    "speed_up",
]

load_when_asked(__name__)
