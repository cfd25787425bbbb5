"""From a route's legs to SwapRouter02's calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Hop, Leg
from onchain_exec.venues.swap_router.codec import (
    RouterCall,
    RouterStep,
    Sweep,
    V2Swap,
    V3Swap,
    encode_router_call,
)
from onchain_exec.venues.swap_router.legs import Part, is_swept, plan_parts
from onchain_exec.venues.terms import SwapTerms
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment, UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment, UniswapV3Pool

_CONTRACT_BALANCE: Final = 0
"""As amount_in: all the router holds of the token (``Constants.CONTRACT_BALANCE``)."""


@dataclass(frozen=True, slots=True)
class SwapRouter:
    """A SwapRouter02 and the factories it was built for: it finds pools by their tokens alone."""

    address: Address
    v2: UniswapV2Deployment
    v3: UniswapV3Deployment

    def require_reachable(self, hop: Hop) -> None:
        """Raise InputError unless the pool that the router computes is the one that was quoted."""
        pool, token_in, token_out = hop.pool, hop.token_in.address, hop.token_out.address
        if isinstance(pool, UniswapV2Pool):
            reached = self.v2.get_pair_address(token_in, token_out)
        elif isinstance(pool, UniswapV3Pool):
            reached = self.v3.get_pool_address(token_in, token_out, pool.curve.fee_pips)
        else:
            reached = None
        if reached != pool.address:
            raise InputError(
                f"the router at {self.address} does not reach {pool.key}",
                needed="pools of the factories it was built for",
                todo="Take these pools out of the search, or send through their own router",
            )


def build_swap_call(
    legs: tuple[Leg, ...], terms: SwapTerms, router: SwapRouter
) -> tuple[Address, bytes, int]:
    """Return (to, calldata, value in wei) of a swap along ``legs``; see `plan_swap`."""
    return router.address, encode_router_call(plan_swap(legs, terms, router)), 0


def plan_swap(legs: tuple[Leg, ...], terms: SwapTerms, router: SwapRouter) -> RouterCall:
    """Return the calls that run ``legs`` under ``terms``; see `plan_parts` for how.

    Raises:
        InputError: a pool that this router does not find, or as of `plan_parts`.
    """
    steps: list[RouterStep] = [_make_swap(part, router) for part in plan_parts(legs, terms)]
    if is_swept(legs, terms):
        token_out = legs[0].hops[-1].token_out.address
        steps.append(Sweep(token_out, terms.amount_out_min, terms.recipient))
    return RouterCall(terms.deadline_at, tuple(steps))


def _make_swap(part: Part, router: SwapRouter) -> RouterStep:
    for hop in part.hops:
        router.require_reachable(hop)
    amount = _CONTRACT_BALANCE if part.amount is None else part.amount
    path = (part.hops[0].token_in.address, *(hop.token_out.address for hop in part.hops))
    fees = tuple(hop.pool.curve.fee_pips for hop in part.hops if isinstance(hop.pool, UniswapV3Pool))
    if fees:
        return V3Swap(part.exact, path, fees, part.recipient, amount, part.bound)
    return V2Swap(part.exact, path, part.recipient, amount, part.bound)
