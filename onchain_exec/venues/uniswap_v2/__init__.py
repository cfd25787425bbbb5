"""Uniswap v2 and its forks."""

from onchain_exec.venues.uniswap_v2.deployment import UniswapV2Deployment
from onchain_exec.venues.uniswap_v2.pool import UniswapV2Pool
from onchain_exec.venues.uniswap_v2.reads import read_v2_pool, read_v2_pools

__all__ = ["UniswapV2Deployment", "UniswapV2Pool", "read_v2_pool", "read_v2_pools"]
