"""A chain of one's own: the anvil process, and what tests and demos do with it."""

from onchain_exec.chain.local.anvil import AnvilOptions, DevAccount
from onchain_exec.chain.local.local_chain import LocalChain

__all__ = ["AnvilOptions", "DevAccount", "LocalChain"]
