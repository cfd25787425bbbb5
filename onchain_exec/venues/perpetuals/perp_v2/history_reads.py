"""Reads of what means over time are made of: rings of observations, newest first, as far as is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from onchain_exec.core import Address, Reading
from onchain_exec.core.abi import Function
from onchain_exec.venues.asking import Ask, ask_each
from onchain_exec.venues.perpetuals.perp_v2.contracts import (
    CURRENT_ROUND,
    DECIMALS,
    GET_LATEST_PRICE,
    GET_TIMEOUT,
    OBSERVATIONS,
    ROUNDS,
    SLOT0,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.twaps import PriceFeed, PriceRound, TickHistory

T = TypeVar("T")

HORIZON_S: Final = 3_600
"""How far back means may reach; the longest interval that Curie sets is 30 minutes."""
_ROUNDS_KEPT: Final = 1_800
_PER_BATCH: Final = 16


def read_tick_history(pool: Address, now: int) -> Reading[TickHistory]:
    """Read a v3 pool's observations of the last `HORIZON_S`.

    Raises:
        InputError: no v3 pool stands at the address.
    """
    ((_, _, index, cardinality, next_cardinality, *_),) = yield from ask_each([Ask(pool, SLOT0)])
    observed = yield from _read_ring(
        Ask(pool, OBSERVATIONS), index, cardinality, lambda row: row[0] if row[3] else 0, now - HORIZON_S
    )
    capacity = next_cardinality if index == cardinality - 1 else cardinality
    return TickHistory(tuple((row[0], row[1]) for row in observed), capacity)


def read_price_feed(feed: Address, now: int) -> Reading[PriceFeed]:
    """Read a ``ChainlinkPriceFeedV3`` with its observations of the last `HORIZON_S`.

    Raises:
        InputError: another contract stands at the address.
    """
    functions: tuple[Function, ...] = (GET_LATEST_PRICE, DECIMALS, GET_TIMEOUT, CURRENT_ROUND)
    answers = yield from ask_each([Ask(feed, function) for function in functions])
    (price, updated_at), (decimals,), (timeout_s,), (index,) = answers
    observed = yield from _read_ring(
        Ask(feed, ROUNDS), index, _ROUNDS_KEPT, lambda row: row[2], now - HORIZON_S
    )
    rounds = tuple(PriceRound(*row) for row in observed)
    return PriceFeed(price, updated_at, decimals, timeout_s, rounds)


def _read_ring(
    ask: Ask, newest: int, size: int, get_time: Callable[[tuple[Any, ...]], int], since: int
) -> Reading[list[tuple[Any, ...]]]:
    """Read a ring's entries from the newest back to the first of before ``since``; oldest first.

    ``get_time`` gives an entry's time, 0 where nothing was written yet.
    """
    found: list[tuple[Any, ...]] = []
    while len(found) < size and (not found or get_time(found[-1]) > since):
        count = min(_PER_BATCH, size - len(found))
        places = [(newest - len(found) - step) % size for step in range(count)]
        rows = yield from ask_each([Ask(ask.to, ask.function, (place,)) for place in places])
        written = [row for row in rows if get_time(row)]
        found += written
        if len(written) < count:
            break
    return found[::-1]
