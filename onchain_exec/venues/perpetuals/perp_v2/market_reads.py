"""Reads of one market: its rules, its v3 pool with all ticks, its index, and what has no getter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from onchain_exec.core import Address, Call, Reading, Token, to_address
from onchain_exec.errors import InputError, StateError
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.perpetuals.perp_v2 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v2.history_reads import read_price_feed, read_tick_history
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Fees, Growth, Market, Status, TickGrowth
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Contracts
from onchain_exec.venues.perpetuals.perp_v2.mirror.twaps import PriceFeed
from onchain_exec.venues.perpetuals.storage import (
    build_storage_call,
    decode_words,
    find_mapping_slot,
    to_signed,
)
from onchain_exec.venues.uniswap_v3 import read_v3_pool

_LAST_TICK, _FIRST_TRADED, _LAST_SETTLED, _GROWTH, _LAST_TICK_AT = 208, 209, 210, 211, 214
"""Slots of ``ExchangeStorageV1`` and ``V2``: mappings by base token."""
_OUTSIDE, _FEE_GROWTH = 208, 209
"""Slots of ``OrderBookStorageV1``: by base token and tick, and by base token."""
_SPACINGS: Final = {100: 1, 500: 10, 3_000: 60, 10_000: 200}


def require_listed(contracts: Contracts, base_tokens: Sequence[Address]) -> Reading[None]:
    """Read whether the exchange has these markets.

    Raises:
        InputError: it has none of one of the base tokens.
    """
    registry = contracts.market_registry
    snapshot = yield tuple(Call(registry, abi.GET_MARKET_INFO.encode(base)) for base in base_tokens)
    for base_token, answer in zip(base_tokens, snapshot.answers, strict=True):
        if not answer.success:
            raise InputError(
                f"the exchange has no market of the base token {base_token}",
                needed="a base token that its MarketRegistry lists",
            )


def read_market(contracts: Contracts, base_token: Address, ticks: Sequence[int], now: int) -> Reading[Market]:
    """Read the market of a base token, with the growth outside ``ticks``.

    Raises:
        InputError: the exchange has no such market, see `require_listed`.
        StateError: its index is taken from a v3 pool.
    """
    info, *settings = yield from _read_settings(contracts, base_token)
    is_open, is_closed, stopped_at, stopped_index_wad, feed_address, symbol, max_orders, max_ticks = settings
    status = Status.OPEN if is_open else Status.CLOSED if is_closed else Status.PAUSED
    closed_price_wad = (yield from _read_closed_price(base_token)) if is_closed else 0
    pool_address, exchange_fee, pool_fee, fund_fee, max_spread = info
    feed = yield from _read_index(to_address(feed_address), now)
    pool = to_address(pool_address)
    virtual = Token(0, base_token, symbol, 18)
    curve = (yield from read_v3_pool(pool, {base_token: virtual}, _SPACINGS.get(pool_fee))).curve
    history = yield from read_tick_history(pool, now)
    last_tick, first_at, settled_at, premium, premium_div, tick_at = yield from _read_exchange(
        contracts.exchange, base_token
    )
    fee_growth, outside = yield from _read_growth(contracts.order_book, base_token, ticks)
    return Market(
        base_token=base_token,
        symbol=symbol,
        pool=pool,
        status=status,
        stopped_at=stopped_at,
        stopped_index_wad=stopped_index_wad,
        closed_price_wad=closed_price_wad,
        curve=curve,
        history=history,
        feed=feed,
        fees=Fees(exchange_fee, pool_fee, fund_fee, max_spread),
        max_orders=max_orders,
        max_ticks_per_block=max_ticks,
        last_tick=to_signed(last_tick, 24),
        last_tick_at=tick_at,
        first_traded_at=first_at,
        last_settled_at=settled_at,
        growth=Growth(to_signed(premium), to_signed(premium_div)),
        fee_growth_x128=fee_growth,
        outside=outside,
    )


def _read_settings(contracts: Contracts, base_token: Address) -> Reading[list[Any]]:
    registry = contracts.market_registry
    return (
        yield from ask_one_value_each(
            [
                Ask(registry, abi.GET_MARKET_INFO, (base_token,)),
                Ask(base_token, abi.IS_OPEN),
                Ask(base_token, abi.IS_CLOSED),
                Ask(base_token, abi.GET_PAUSED_TIMESTAMP),
                Ask(base_token, abi.GET_PAUSED_INDEX_PRICE),
                Ask(base_token, abi.GET_PRICE_FEED),
                Ask(base_token, abi.SYMBOL),
                Ask(registry, abi.GET_MAX_ORDERS),
                Ask(contracts.exchange, abi.GET_MAX_TICKS, (base_token,)),
            ]
        )
    )


def _read_closed_price(base_token: Address) -> Reading[int]:
    (price,) = yield from ask_one_value_each([Ask(base_token, abi.GET_CLOSED_PRICE)])
    return int(price)


def _read_index(dispatcher: Address, now: int) -> Reading[PriceFeed]:
    (feed,), (uses_pool,) = yield from ask_each(
        [Ask(dispatcher, abi.GET_CHAINLINK_FEED), Ask(dispatcher, abi.USES_POOL_FEED)]
    )
    if uses_pool:
        raise StateError(
            f"{dispatcher} takes the index from a v3 pool, because its Chainlink feed timed out",
            needed="an index of the Chainlink feed",
        )
    return (yield from read_price_feed(to_address(feed), now))


def _read_exchange(exchange: Address, base_token: Address) -> Reading[tuple[int, ...]]:
    growth = find_mapping_slot(_GROWTH, "address", base_token)
    first, settled, at = (
        find_mapping_slot(slot, "address", base_token)
        for slot in (_FIRST_TRADED, _LAST_SETTLED, _LAST_TICK_AT)
    )
    slots = (
        find_mapping_slot(_LAST_TICK, "address", base_token), first, settled, growth, growth + 1, at
    )  # fmt: skip
    snapshot = yield (build_storage_call(exchange, slots),)
    return decode_words(snapshot.answers[0], len(slots))


def _read_growth(
    order_book: Address, base_token: Address, ticks: Sequence[int]
) -> Reading[tuple[int, dict[int, TickGrowth]]]:
    of_market = find_mapping_slot(_OUTSIDE, "address", base_token)
    starts = [find_mapping_slot(of_market, "int24", tick) for tick in ticks]
    slots = [find_mapping_slot(_FEE_GROWTH, "address", base_token)]
    slots += [start + offset for start in starts for offset in range(3)]
    snapshot = yield (build_storage_call(order_book, slots),)
    fee_growth, *words = decode_words(snapshot.answers[0], len(slots))
    outside = {
        tick: TickGrowth(words[3 * place], to_signed(words[3 * place + 1]), to_signed(words[3 * place + 2]))
        for place, tick in enumerate(ticks)
    }
    return fee_growth, outside
