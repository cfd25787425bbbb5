"""Who was around a trade in its block, found from what the pools told, with the loss to the unit."""

from onchain_exec.analytics.around.block import BlockTx
from onchain_exec.analytics.around.find import WatchedTrade, find_surroundings

__all__ = ["BlockTx", "WatchedTrade", "find_surroundings"]
