"""Concentrated liquidity as Uniswap v3 and v4 compute it: one model, exact to the unit."""

from onchain_exec.venues.concentrated.curve import Curve, Move
from onchain_exec.venues.concentrated.pool import ConcentratedPool, Reverts, curve_from_json
from onchain_exec.venues.concentrated.ticks import Ticks

__all__ = ["ConcentratedPool", "Curve", "Move", "Reverts", "Ticks", "curve_from_json"]
