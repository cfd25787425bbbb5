"""Several tokens of an account sold for one: what they bring together, and the call that sells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onchain_exec.app.configuration.tokens import read_named_token
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.market import read_basket_market
from onchain_exec.app.path.routers import find_router, list_executable
from onchain_exec.app.request import Amount
from onchain_exec.core import Address, all_of, parse_amount
from onchain_exec.core.fixed_point import BPS, div_up
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.oms import SWAPS, list_paused_venues, require_venues_running
from onchain_exec.routing import Basket, BasketRoute, find_basket_route
from onchain_exec.venues.router import BasketTerms, build_basket_call


@dataclass(frozen=True, slots=True)
class BasketQuote:
    """The route of a basket, and the account's own ``call`` (to, calldata, value in wei) that runs it.

    With an allowance of each of ``route.amounts_in`` to the called Router it brings at least
    ``amount_out_min``, or reverts.
    """

    route: BasketRoute
    amount_out_min: int
    call: tuple[Address, bytes, int]


async def quote_basket(
    context: Context, sold: Mapping[str, Amount], buy: str, recipient: Address, max_slippage_bps: int
) -> BasketQuote:
    """Return the best route that sells all of ``sold`` (whole tokens by symbol or address) for ``buy`` at the
    newest block. ``amount_out_min`` rounds in the trader's favour. Nothing is sent or journalled.

    Raises:
        InputError: a token twice or traded for itself, an amount that is none, a slippage out of 0..9,999.
        ConfigError: no Router stands on this chain.
        HaltedError: swaps are paused or killed.
        StateError, NodeError: as for a quote of one token.
    """
    profile, router = context.profile, find_router(context.profile)
    if router is None:
        raise ConfigError(
            "this chain has no Router", needed="one for baskets", todo="Deploy it, or sell one by one"
        )
    if not 0 <= max_slippage_bps < BPS:
        raise InputError(f"max_slippage_bps is {max_slippage_bps}", needed="0 to 9,999 basis points")
    block = await context.node.get_block("latest")
    names = [read_named_token(profile, name) for name in (*sold, buy)]
    *tokens, bought = await context.node.perform(all_of(names), block)
    if len(set(tokens)) != len(tokens):
        raise InputError("a token is in the basket twice", needed="one amount of each token")
    amounts = {t: parse_amount(amount, t) for t, amount in zip(tokens, sold.values(), strict=True)}
    basket = Basket(amounts, bought)
    basket.require_sound()
    require_venues_running(switches := context.journal.read_switches(), (SWAPS,))
    paused = list_paused_venues(switches)
    protocols = [protocol for protocol in list_executable(profile) if protocol not in paused]
    pools, gas = await read_basket_market(context, basket, block, protocols)
    route = find_basket_route(basket, pools, gas, block=block)
    amount_out_min = div_up(route.searched_amount * (BPS - max_slippage_bps), BPS)
    deadline_at = context.now() + context.policy.time_to_live_s
    terms = BasketTerms(route.amounts_in, amount_out_min, recipient, deadline_at)
    return BasketQuote(route, amount_out_min, build_basket_call(route.legs, terms, router))
