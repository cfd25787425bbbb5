"""The most profitable trade of each kind of pool at given prices, in closed form and in bulk."""

from onchain_exec.routing.oracles.curves import Curves, FloatArray, IndexArray, Trade, resist
from onchain_exec.routing.oracles.edges import Edges

__all__ = ["Curves", "Edges", "FloatArray", "IndexArray", "Trade", "resist"]
