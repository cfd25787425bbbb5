"""Pools by name, pools of a pair, and pools that follow the chain."""

from onchain_exec.app.pools.reading import read_named_pools

__all__ = ["read_named_pools"]
