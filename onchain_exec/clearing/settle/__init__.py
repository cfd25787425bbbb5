"""Signed spot orders and the contract that settles them straight from the owners' wallets."""

from onchain_exec.clearing.settle.fill import Scheme, SettleFill, Signed
from onchain_exec.clearing.settle.lane import Lane
from onchain_exec.clearing.settle.order import Domain, Flags, SettleOrder

__all__ = ["Domain", "Flags", "Lane", "Scheme", "SettleFill", "SettleOrder", "Signed"]
