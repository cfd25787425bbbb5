"""Uniswap v4: pools inside the PoolManager."""

from onchain_exec.venues.uniswap_v4.key import DYNAMIC_FEE, HookFlag, PoolKey
from onchain_exec.venues.uniswap_v4.pool import UniswapV4Pool
from onchain_exec.venues.uniswap_v4.reads import UniswapV4Deployment, read_v4_pool, read_v4_pools

__all__ = [
    "DYNAMIC_FEE",
    "HookFlag",
    "PoolKey",
    "UniswapV4Deployment",
    "UniswapV4Pool",
    "read_v4_pool",
    "read_v4_pools",
]
