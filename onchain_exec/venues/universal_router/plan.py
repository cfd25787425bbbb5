"""From a route's legs over v2, v3 and v4 to the commands that run them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Exact, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Leg
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.swap_router.legs import Part, is_swept, plan_parts
from onchain_exec.venues.terms import SwapTerms
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool
from onchain_exec.venues.universal_router.codec import (
    CONTRACT_BALANCE,
    Command,
    SignedPermit,
    Sweep,
    UniversalCall,
    V2Swap,
    V3Swap,
    encode_universal_call,
)
from onchain_exec.venues.universal_router.v4_actions import V4Hop, V4Swap

MSG_SENDER: Final = to_address("0x" + "1".rjust(40, "0"))
"""What the router reads as its caller where a recipient is asked for (``MSG_SENDER``)."""


@dataclass(frozen=True, slots=True)
class UniversalRouter:
    """A Universal Router: ``pools`` says at which address it stands, and of which v2 and v3 factories
    it finds the pools; ``pool_manager`` is v4's."""

    pools: SwapRouter
    pool_manager: Address


def build_universal_call(
    legs: tuple[Leg, ...],
    terms: SwapTerms,
    router: UniversalRouter,
    permit: SignedPermit | None = None,
) -> tuple[Address, bytes, int]:
    """Return (to, calldata, value in wei) of a swap along ``legs``; see `plan_universal_swap`."""
    call = plan_universal_swap(legs, terms, router, permit)
    sells_native = legs[0].hops[0].token_in.address == ZERO_ADDRESS
    value_wei = terms.amount_in_max if sells_native else 0
    return router.pools.address, encode_universal_call(call), value_wei


def plan_universal_swap(
    legs: tuple[Leg, ...],
    terms: SwapTerms,
    router: UniversalRouter,
    permit: SignedPermit | None = None,
) -> UniversalCall:
    """Return the commands that run ``legs`` under ``terms``; see `plan_parts` for how.

    The trader pays through Permit2, whose allowance for the router ``permit`` may grant on the way.
    The native currency (the zero address) goes along as value; what an exact output leaves of it
    comes back to the sender.

    Raises:
        InputError: a pool that this router does not find, or as of `plan_parts`.
    """
    parts = plan_parts(legs, terms)
    token_in, token_out = legs[0].hops[0].token_in.address, legs[0].hops[-1].token_out.address
    commands: list[Command] = [] if permit is None else [permit]
    commands += [_make_swap(part, router) for part in parts]
    if is_swept(legs, terms):
        commands.append(Sweep(token_out, terms.recipient, terms.amount_out_min))
    if token_in == ZERO_ADDRESS and terms.exact is Exact.OUT:
        commands.append(Sweep(ZERO_ADDRESS, MSG_SENDER, 0))
    return UniversalCall(terms.deadline_at, tuple(commands))


def _make_swap(part: Part, router: UniversalRouter) -> Command:
    hops = part.hops
    if isinstance(hops[0].pool, UniswapV4Pool):
        return _make_v4_swap(part, router)
    for hop in hops:
        router.pools.require_reachable(hop)
    pays, amount = part.amount is not None, CONTRACT_BALANCE if part.amount is None else part.amount
    path = (hops[0].token_in.address, *(hop.token_out.address for hop in hops))
    fees = tuple(hop.pool.curve.fee_pips for hop in hops if isinstance(hop.pool, UniswapV3Pool))
    if fees:
        return V3Swap(part.exact, path, fees, part.recipient, amount, part.bound, pays)
    return V2Swap(part.exact, path, part.recipient, amount, part.bound, pays)


def _make_v4_swap(part: Part, router: UniversalRouter) -> V4Swap:
    hops = []
    for hop in part.hops:
        pool = hop.pool
        if not isinstance(pool, UniswapV4Pool) or pool.address != router.pool_manager:
            raise InputError(
                f"the router at {router.pools.address} does not reach {pool.key}",
                needed=f"pools of the PoolManager {router.pool_manager}",
            )
        hops.append(V4Hop(pool.pool_key, hop.token_in.address == pool.token0.address))
    pays = part.amount is not None and hops[0].currency_in != ZERO_ADDRESS
    return V4Swap(part.exact, tuple(hops), part.recipient, part.amount, part.bound, pays)
