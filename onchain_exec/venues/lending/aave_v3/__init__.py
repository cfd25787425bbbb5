"""Aave v3: accounts mirrored to the unit, their actions, and what a liquidator may take of them."""

from onchain_exec.venues.lending.aave_v3.account import AaveAccount
from onchain_exec.venues.lending.aave_v3.liquidation import Liquidation, liquidate
from onchain_exec.venues.lending.aave_v3.reads import read_aave_account

__all__ = ["AaveAccount", "Liquidation", "liquidate", "read_aave_account"]
