"""Uniswap v3 and the pools that run its code: PancakeSwap v3, Slipstream."""

from onchain_exec.venues.uniswap_v3.deployment import UniswapV3Deployment
from onchain_exec.venues.uniswap_v3.pool import PancakeV3Pool, SlipstreamPool, UniswapV3Pool
from onchain_exec.venues.uniswap_v3.reads import read_v3_pool, read_v3_pools

__all__ = [
    "PancakeV3Pool",
    "SlipstreamPool",
    "UniswapV3Deployment",
    "UniswapV3Pool",
    "read_v3_pool",
    "read_v3_pools",
]
