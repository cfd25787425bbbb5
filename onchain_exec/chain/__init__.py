"""Nodes and local chains: the one place that talks JSON-RPC."""

from onchain_exec.chain.decode import FeeHistory, Header, SeenTx
from onchain_exec.chain.heads import HeadEvent, HeadFollower
from onchain_exec.chain.local import AnvilOptions, DevAccount, LocalChain
from onchain_exec.chain.node import LogFilter, Node
from onchain_exec.chain.reverts import decode_revert
from onchain_exec.chain.rpc import HttpRpc, Rpc
from onchain_exec.chain.simulation import CallResult, SimulatedBlock, StateOverride, TxCall
from onchain_exec.chain.tools import find_tool
from onchain_exec.chain.wire import Reply, Request

__all__ = [
    "AnvilOptions",
    "CallResult",
    "DevAccount",
    "FeeHistory",
    "HeadEvent",
    "HeadFollower",
    "Header",
    "HttpRpc",
    "LocalChain",
    "LogFilter",
    "Node",
    "Reply",
    "Request",
    "Rpc",
    "SeenTx",
    "SimulatedBlock",
    "StateOverride",
    "TxCall",
    "decode_revert",
    "find_tool",
]
