"""Pools that only wrap: ERC-4626 vaults and the wrapped native coin."""

from onchain_exec.venues.vaults.erc4626 import Erc4626Pool
from onchain_exec.venues.vaults.reads import read_erc4626_pool, read_wrapped_native
from onchain_exec.venues.vaults.wrapped_native import WrappedNativePool

__all__ = ["Erc4626Pool", "WrappedNativePool", "read_erc4626_pool", "read_wrapped_native"]
