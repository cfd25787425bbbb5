"""May this order be sent? Pure checks on a quote and an account at one block."""

from onchain_exec.risk.check import check
from onchain_exec.risk.conditions import judge_revert
from onchain_exec.risk.limits import Limits
from onchain_exec.risk.verdict import AccountState, Approved, DenialCode, Denied

__all__ = ["AccountState", "Approved", "DenialCode", "Denied", "Limits", "check", "judge_revert"]
