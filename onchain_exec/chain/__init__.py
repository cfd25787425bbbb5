"""Nodes and local chains: the one place that talks JSON-RPC."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.chain.decode import FeeHistory, Header, SeenTx
    from onchain_exec.chain.heads import HeadEvent, HeadFollower
    from onchain_exec.chain.http_rpc import HttpRpc
    from onchain_exec.chain.local import AnvilOptions, DevAccount, LocalChain
    from onchain_exec.chain.node import LogFilter, Node
    from onchain_exec.chain.opening import open_pool, open_rpc
    from onchain_exec.chain.pool import (
        Endpoint,
        EndpointLimits,
        EndpointPool,
        EndpointState,
        PoolPolicy,
        Role,
        parse_endpoints,
    )
    from onchain_exec.chain.reverts import decode_revert
    from onchain_exec.chain.rpc import Delivery, Rpc
    from onchain_exec.chain.simulation import Access, CallResult, SimulatedBlock, StateOverride, TxCall
    from onchain_exec.chain.tools import find_tool
    from onchain_exec.chain.wire import Reply, Request

__all__ = [
    "Access",
    "AnvilOptions",
    "CallResult",
    "Delivery",
    "DevAccount",
    "Endpoint",
    "EndpointLimits",
    "EndpointPool",
    "EndpointState",
    "FeeHistory",
    "HeadEvent",
    "HeadFollower",
    "Header",
    "HttpRpc",
    "LocalChain",
    "LogFilter",
    "Node",
    "PoolPolicy",
    "Reply",
    "Request",
    "Role",
    "Rpc",
    "SeenTx",
    "SimulatedBlock",
    "StateOverride",
    "TxCall",
    "decode_revert",
    "find_tool",
    "open_pool",
    "open_rpc",
    "parse_endpoints",
]

load_when_asked(__name__)
