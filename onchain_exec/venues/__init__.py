"""Protocols as the chain runs them: described reads, exact arithmetic, calldata, fills. No I/O."""

from onchain_exec.venues.pool import Hop, Leg, Pool, PoolSet, SwapResult, sells_token0

__all__ = ["Hop", "Leg", "Pool", "PoolSet", "SwapResult", "sells_token0"]
