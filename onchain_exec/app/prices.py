"""What a pair is worth by all that the chain tells: its pools, their means over time, signed feeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.chain import Node
from onchain_exec.core import BlockRef, Reading, Token, all_of
from onchain_exec.pricing import ConsolidatedPrice, PriceSource, SourceKind, consolidate
from onchain_exec.routing import Quote
from onchain_exec.venues import Pool
from onchain_exec.venues.prices import (
    TwapAttack,
    estimate_twap_attack,
    find_pool_sources,
    read_feed_source,
    read_sequencer,
    read_twap_source,
)
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

TWAP_WINDOW_S: Final = 1_800
"""Half an hour: what lending protocols commonly ask v3 pools for."""

_SHIFT_BPS: Final = 100


@dataclass(frozen=True, slots=True)
class PairPrice:
    """A pair's consolidated price at a block, in base units of token_out per base unit of token_in.

    ``attack`` is what it costs to move the mean of the pair's deepest v3 pool by 1 % within one block;
    None if it has no v3 pool.
    """

    block: BlockRef
    token_in: Token
    token_out: Token
    consolidated: ConsolidatedPrice
    attack: TwapAttack | None

    def scale(self, price: Fraction) -> Fraction:
        """Return a price of base units in whole token_out per whole token_in."""
        return price * Fraction(10**self.token_in.decimals, 10**self.token_out.decimals)


async def read_pair_price(
    node: Node,
    profile: ChainProfile,
    pair: tuple[Token, Token],
    pools: Iterable[Pool],
    block: BlockRef,
    max_age_s: int | None = None,
) -> PairPrice:
    """Return the price of ``pair`` (token_in, token_out) at ``block``; see `read_price`."""
    pools = tuple(pools)
    means = [pool for pool in pools if isinstance(pool, UniswapV3Pool) and {*pair} <= {*pool.tokens}]
    attack = None
    if means:
        deepest = max(means, key=lambda pool: pool.depth(*pair, _SHIFT_BPS))
        held_s = min(profile.gas_rules.block_time_s, TWAP_WINDOW_S)
        attack = estimate_twap_attack(deepest, pair, _SHIFT_BPS, TWAP_WINDOW_S, held_s)
    price = await read_price(node, profile, pair, pools, block, max_age_s)
    return PairPrice(block, *pair, price, attack)


async def read_price(
    node: Node,
    profile: ChainProfile,
    pair: tuple[Token, Token],
    pools: Iterable[Pool],
    block: BlockRef,
    max_age_s: int | None = None,
) -> ConsolidatedPrice:
    """Return the consolidated price of ``pair`` (token_in, token_out) at ``block``.

    ``pools`` were read at this block; those that trade both tokens count, v3 pools with their mean
    as well. Feeds count for tokens that the profile lists together with a feed; what is older than
    ``max_age_s`` does not.
    """
    direct = [pool for pool in pools if {*pair} <= {*pool.tokens}]
    readings: list[Reading[Any]] = [
        read_twap_source(pool, *pair, TWAP_WINDOW_S) for pool in direct if isinstance(pool, UniswapV3Pool)
    ]
    feeds, *means = await node.perform(all_of([_read_feeds(profile, *pair), *readings]), block)
    return consolidate([*find_pool_sources(direct, *pair), *means, *feeds], max_age_s)


async def read_reference(
    node: Node, profile: ChainProfile, quote: Quote, max_age_s: int | None = None
) -> ConsolidatedPrice:
    """Return the price that an order is held to, at its quote's block: of the route's pools, their means
    and the feeds."""
    pair = quote.order.token_in, quote.order.token_out
    # a leg meets the pools as legs before it left them: the first time is the block's own
    pools = {hop.pool.key: hop.pool for hop in reversed(quote.route.hops)}
    return await read_price(node, profile, pair, pools.values(), quote.block, max_age_s)


def _read_feeds(profile: ChainProfile, token_in: Token, token_out: Token) -> Reading[tuple[PriceSource, ...]]:
    """Read the feeds of two listed tokens; none where either has none. A symbol alone is no proof."""
    listed = all(profile.tokens.get(token.symbol) == token for token in (token_in, token_out))
    feed_in, feed_out = profile.feeds.get(token_in.symbol), profile.feeds.get(token_out.symbol)
    if not listed or feed_in is None or feed_out is None:
        return ()
    if profile.sequencer_feed is not None:
        refusal = yield from read_sequencer(profile.sequencer_feed)
        if refusal:
            return (PriceSource(SourceKind.FEED, f"{token_in}/{token_out}", None, refusal=refusal),)
    return ((yield from read_feed_source(feed_in, feed_out, token_in, token_out)),)
