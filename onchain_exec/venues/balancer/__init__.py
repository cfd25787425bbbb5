"""Balancer v2: weighted and stable pools behind one Vault."""

from onchain_exec.venues.balancer.batch_swap import build_batch_swap
from onchain_exec.venues.balancer.pool import BalancerPool
from onchain_exec.venues.balancer.reads import read_balancer_pool
from onchain_exec.venues.balancer.stable import BalancerStablePool
from onchain_exec.venues.balancer.weighted import BalancerWeightedPool

__all__ = [
    "BalancerPool",
    "BalancerStablePool",
    "BalancerWeightedPool",
    "build_batch_swap",
    "read_balancer_pool",
]
