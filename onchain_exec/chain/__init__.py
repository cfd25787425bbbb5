"""Nodes and local chains: the one place that talks JSON-RPC."""

from onchain_exec.chain.anvil import AnvilOptions, DevAccount
from onchain_exec.chain.local_chain import LocalChain
from onchain_exec.chain.node import Node
from onchain_exec.chain.rpc import HttpRpc, Rpc
from onchain_exec.chain.tools import find_tool
from onchain_exec.chain.wire import Reply, Request

__all__ = [
    "AnvilOptions",
    "DevAccount",
    "HttpRpc",
    "LocalChain",
    "Node",
    "Reply",
    "Request",
    "Rpc",
    "find_tool",
]
