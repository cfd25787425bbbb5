"""Swaps through Uniswap's Universal Router and Permit2: v2, v3 and v4 pools in one transaction."""

from onchain_exec.venues.universal_router.codec import (
    Command,
    SignedPermit,
    Sweep,
    UniversalCall,
    V2Swap,
    V3Swap,
    decode_universal_call,
    encode_universal_call,
)
from onchain_exec.venues.universal_router.plan import (
    UniversalRouter,
    build_universal_call,
    plan_universal_swap,
)
from onchain_exec.venues.universal_router.v4_actions import V4Hop, V4Swap

__all__ = [
    "Command",
    "SignedPermit",
    "Sweep",
    "UniversalCall",
    "UniversalRouter",
    "V2Swap",
    "V3Swap",
    "V4Hop",
    "V4Swap",
    "build_universal_call",
    "decode_universal_call",
    "encode_universal_call",
    "plan_universal_swap",
]
