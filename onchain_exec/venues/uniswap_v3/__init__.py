"""Uniswap v3 and the pools that run its code: PancakeSwap v3, Slipstream."""

from onchain_exec.venues.uniswap_v3.pool import PancakeV3Pool, SlipstreamPool, UniswapV3Pool

__all__ = ["PancakeV3Pool", "SlipstreamPool", "UniswapV3Pool"]
