"""Uniswap v2 and its forks."""

from onchain_exec.venues.uniswap_v2.pool import UniswapV2Pool

__all__ = ["UniswapV2Pool"]
