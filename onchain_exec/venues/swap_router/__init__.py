"""Swaps through Uniswap's SwapRouter02: one multicall over v2 pairs and v3 pools."""

from onchain_exec.venues.swap_router.codec import (
    RouterCall,
    RouterStep,
    Sweep,
    V2Swap,
    V3Swap,
    decode_router_call,
    encode_router_call,
)
from onchain_exec.venues.swap_router.plan import SwapRouter, build_swap_call, plan_swap
from onchain_exec.venues.terms import SwapTerms

__all__ = [
    "RouterCall",
    "RouterStep",
    "SwapRouter",
    "SwapTerms",
    "Sweep",
    "V2Swap",
    "V3Swap",
    "build_swap_call",
    "decode_router_call",
    "encode_router_call",
    "plan_swap",
]
