"""Solidly and the pools after it: Velodrome, Aerodrome and their forks."""

from onchain_exec.venues.solidly.pool import SolidlyPool
from onchain_exec.venues.solidly.reads import read_solidly_pool
from onchain_exec.venues.solidly.router import SolidlyRouter, build_solidly_call
from onchain_exec.venues.solidly.stable_curve import Variant

__all__ = ["SolidlyPool", "SolidlyRouter", "Variant", "build_solidly_call", "read_solidly_pool"]
