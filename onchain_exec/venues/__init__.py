"""Protocols as the chain runs them: described reads, exact arithmetic, calldata, fills. No I/O."""

from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.pool import (
    DirectPool,
    FollowedPool,
    Hop,
    Leg,
    Pool,
    PoolSet,
    SwapResult,
    is_followed,
    sells_token0,
)
from onchain_exec.venues.terms import SwapTerms

__all__ = [
    "DirectPool",
    "FollowedPool",
    "Hop",
    "Leg",
    "Pool",
    "PoolFill",
    "PoolSet",
    "SwapResult",
    "SwapTerms",
    "is_followed",
    "sells_token0",
]
