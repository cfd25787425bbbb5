"""What a decision reads of the chain, everything at its one block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.configuration.tokens import read_named_token
from onchain_exec.app.path.context import Context
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.core import Address, BlockRef, Order, Token, all_of
from onchain_exec.routing import Basket, GasModel
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.balancer import BalancerPool
from onchain_exec.venues.token_probe import require_plain_token

_HUBS: Final = ("USDC", "USDT", "DAI", "WBTC")
"""Listed tokens that a two-hop route may pass through, besides the wrapped native token."""

_TIP_WEI: Final = 10**9
"""Assumed tip per gas when routes are compared; what is paid comes from the fee history."""


async def read_tokens(context: Context, block: BlockRef, sell: str, buy: str) -> tuple[Token, Token]:
    """Return the tokens that the names mean, after asking the chain what stands there."""
    sold, bought = await context.node.perform(
        all_of([read_named_token(context.profile, sell), read_named_token(context.profile, buy)]), block
    )
    return sold, bought


async def read_market(
    context: Context, order: Order, block: BlockRef, protocols: Sequence[str]
) -> tuple[PoolSet, GasModel]:
    """Return every known pool of ``protocols`` that one or two hops from token_in to token_out can use,
    and what gas costs in terms of the route.

    Raises:
        TokenRefusedError: token_in or token_out moves other amounts than asked, or none at all, or its
            balances change by themselves.
    """
    pairs = list_pairs(context.profile, order.token_in, order.token_out)
    tokens = order.token_in, order.token_out
    return await _read_pools(context, [*pairs], tokens, order.priced, block, protocols)


async def read_basket_market(
    context: Context, basket: Basket, block: BlockRef, protocols: Sequence[str]
) -> tuple[PoolSet, GasModel]:
    """Return the same for all tokens of ``basket``, each with the one that it is traded for.

    Raises:
        TokenRefusedError: as `read_market`, for any of the tokens.
    """
    pairs = [pair for token in basket.amounts for pair in list_pairs(context.profile, token, basket.priced)]
    once = list({frozenset(pair): pair for pair in pairs}.values())
    tokens = (*basket.amounts, basket.priced)
    return await _read_pools(context, once, tokens, basket.priced, block, protocols)


async def _read_pools(
    context: Context,
    pairs: Sequence[tuple[Token, Token]],
    traded: Sequence[Token],
    priced: Token,
    block: BlockRef,
    protocols: Sequence[str],
) -> tuple[PoolSet, GasModel]:
    """Return the pools of ``pairs`` and what gas costs in ``priced``, if the ``traded`` tokens are plain."""
    profile = context.profile
    pools = PoolSet(block, await find_pools(context.node, profile, pairs, block, protocols))
    await _require_plain(context, pools, traded)
    return pools, GasModel(block.base_fee_wei + _TIP_WEI, _price_wei(profile.wrapped_native, priced, pools))


def list_pairs(profile: ChainProfile, token_in: Token, token_out: Token) -> Iterator[tuple[Token, Token]]:
    """Yield the direct pair, both hops over each hub, and the pair that prices gas; none twice."""
    native = profile.wrapped_native
    hubs = [native, *(profile.tokens[symbol] for symbol in _HUBS if symbol in profile.tokens)]
    wanted = [(token_in, token_out)]
    wanted += [(side, hub) for hub in hubs for side in (token_in, token_out)]
    seen = set()
    for pair in wanted:
        if pair[0] != pair[1] and frozenset(pair) not in seen:
            seen.add(frozenset(pair))
            yield pair


async def _require_plain(context: Context, pools: PoolSet, tokens: Sequence[Token]) -> None:
    """Try each token where its pools hold most of it, and compare that with what they held before."""
    holders = [[_get_holder(pool) for pool in pools.pools if token in pool.tokens] for token in tokens]
    readings = [require_plain_token(*tried) for tried in zip(tokens, holders, strict=True)]
    tries = await context.node.perform(all_of(readings), pools.block)
    for token, moved in zip(tokens, tries, strict=True):
        if moved is not None:
            await context.watch.require_told(context.node, token, moved, pools.block)


def _get_holder(pool: Pool) -> Address:
    """Return who holds a pool's tokens: itself, the PoolManager it lives in, or Balancer's Vault."""
    return pool.vault if isinstance(pool, BalancerPool) else pool.address


def _price_wei(native: Token, priced: Token, pools: PoolSet) -> float:
    """Return base units of ``priced`` per wei, from the pool of the pair that is hardest to move; 0
    if there is none: gas then weighs nothing in the choice of the route."""
    if priced == native:
        return 1.0
    pair = {native, priced}
    quoting = [pool for pool in pools.pools if set(pool.tokens) == pair]
    if not quoting:
        return 0.0
    deepest = max(quoting, key=lambda pool: pool.depth(native, priced, 100))
    return float(deepest.spot_price(native, priced))
