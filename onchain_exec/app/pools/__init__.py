"""Pools by name, pools of a pair, and pools that follow the chain."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.app.pools.live import Cause, Following, LivePools, PoolsReread
    from onchain_exec.app.pools.quoting import PoolQuote, PoolQuotes, quote_pool
    from onchain_exec.app.pools.reading import read_named_pools

__all__ = [
    "Cause",
    "Following",
    "LivePools",
    "PoolQuote",
    "PoolQuotes",
    "PoolsReread",
    "quote_pool",
    "read_named_pools",
]

load_when_asked(__name__)
