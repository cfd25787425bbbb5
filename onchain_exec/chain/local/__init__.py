"""A chain of one's own: the anvil process, and what tests and demos do with it."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.chain.local.anvil import AnvilOptions, DevAccount
    from onchain_exec.chain.local.local_chain import LocalChain

__all__ = ["AnvilOptions", "DevAccount", "LocalChain"]

load_when_asked(__name__)
