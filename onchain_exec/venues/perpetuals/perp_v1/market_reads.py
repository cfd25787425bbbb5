"""Reads of one market of v1: its curve, its rules, its past reserves, its index."""

from __future__ import annotations

from typing import Any, Final

from onchain_exec.core import Address, Reading, to_address
from onchain_exec.errors import StateError
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.perpetuals.perp_v1 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v1.mirror.amm import Amm, Round, Snapshot

_SHORTEST_HORIZON_S: Final = 900
_PER_BATCH: Final = 16


def read_amm(clearing_house: Address, address: Address, now: int) -> Reading[Amm]:
    """Read a market, with reserves and index prices as far back as its means reach.

    Raises:
        InputError: another contract stands there.
        StateError: its liquidity was migrated, after which positions change size, or its feed is empty.
    """
    quote, is_open, feed, key, count, migrations, size, interest, premium = yield from ask_one_value_each(
        [
            Ask(address, abi.QUOTE_ASSET),
            Ask(address, abi.OPEN),
            Ask(address, abi.PRICE_FEED),
            Ask(address, abi.PRICE_FEED_KEY),
            Ask(address, abi.SNAPSHOT_LENGTH),
            Ask(address, abi.LIQUIDITY_HISTORY),
            Ask(address, abi.BASE_DELTA),
            Ask(clearing_house, abi.OPEN_INTEREST, (address,)),
            Ask(clearing_house, abi.GET_PREMIUM, (address,)),
        ]
    )
    if migrations != 1:
        raise StateError(f"the liquidity of {address} was migrated", needed="a market on its first curve")
    numbers = yield from ask_one_value_each([Ask(address, function) for function in abi.AMM_NUMBERS])
    quote_reserve, base_reserve, trade_limit, fluctuation_limit, toll, spread, holding, cap = numbers[:8]
    period_s, buffer_s, next_at, interval_s = numbers[8:]
    since = now - max(interval_s, _SHORTEST_HORIZON_S)
    return Amm(
        address=address,
        symbol=key.rstrip(b"\0").decode("utf-8", "replace"),
        quote_token=to_address(quote),
        is_open=is_open,
        quote_reserve=quote_reserve,
        base_reserve=base_reserve,
        trade_limit=trade_limit,
        fluctuation_limit=fluctuation_limit,
        toll=toll,
        spread=spread,
        max_holding=holding,
        open_interest_cap=cap,
        open_interest=interest,
        total_size=size,
        funding_period_s=period_s,
        funding_buffer_s=buffer_s,
        next_funding_at=next_at,
        twap_interval_s=interval_s,
        premium=premium,
        snapshots=(yield from _read_snapshots(address, count, since)),
        rounds=(yield from _read_rounds(to_address(feed), key, since)),
    )


def _read_snapshots(amm: Address, count: int, since: int) -> Reading[tuple[Snapshot, ...]]:
    found: list[Snapshot] = []
    while len(found) < count and (len(found) < 2 or found[-1].at > since):
        places = range(count - len(found) - 1, max(count - len(found) - 1 - _PER_BATCH, -1), -1)
        rows = yield from ask_each([Ask(amm, abi.SNAPSHOTS, (place,)) for place in places])
        found += [Snapshot(*row) for row in rows]
    return tuple(reversed(found))


def _read_rounds(feed: Address, key: bytes, since: int) -> Reading[tuple[Round, ...]]:
    (count,) = yield from ask_one_value_each([Ask(feed, abi.FEED_LENGTH, (key,))])
    if not count:
        raise StateError(f"the price feed {feed} has no price yet", needed="a price of the index")
    found: list[Round] = []
    while len(found) < count and (not found or found[-1].at > since):
        backs = range(len(found), min(len(found) + _PER_BATCH, count))
        asks: list[Any] = [
            Ask(feed, function, (key, back))
            for back in backs
            for function in (abi.PREVIOUS_PRICE, abi.PREVIOUS_TIME)
        ]
        values = yield from ask_one_value_each(asks)
        found += [Round(price, at) for price, at in zip(values[::2], values[1::2], strict=True)]
    return tuple(reversed(found))
