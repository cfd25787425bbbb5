"""Reads of one market: its settings, the oracle's price, and its funding out of storage."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address, Reading, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.venues.asking import Ask, ask_each
from onchain_exec.venues.perpetuals.storage import build_storage_call, decode_words, to_signed
from onchain_exec.venues.perpetuals.synthetix_v3 import contracts as abi
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.market import Liquidated, Market, Rules, Strategy

_SKEW, _FUNDED_AT, _LIQUIDATIONS = 3, 7, 12
"""Slots of ``PerpsMarket.Data``: from the skew to the time of the last funding; an array."""
_MOST_LIQUIDATIONS: Final = 64
"""How many of the last liquidations are read: each is of another second of the window."""
_LOW_BITS: Final = (1 << 128) - 1


def read_market(proxy: Address, market: int, strategy_id: int) -> Reading[Market]:
    """Read a market that exists.

    Raises:
        InputError: it has no such strategy, or the oracle has no price of it at this block.
    """
    asks = [
        Ask(proxy, abi.METADATA, (market,)),
        Ask(proxy, abi.INDEX_PRICE, (market,)),
        Ask(proxy, abi.GET_SETTLEMENT_STRATEGY, (market, strategy_id)),
        *(Ask(proxy, getter, (market,)) for getter in abi.MARKET_RULES),
    ]
    (_, symbol), (price,), (strategy,), *settings = yield from ask_each(asks)
    base = abi.find_slot("PerpsMarket", market)
    slots = [base + offset for offset in (*range(_SKEW, _FUNDED_AT + 1), _LIQUIDATIONS)]
    snapshot = yield (build_storage_call(proxy, slots),)
    skew, size, rate, value, funded_at, count = decode_words(snapshot.answers[0], len(slots))
    kind, delay_s, window_s, contract, feed, reward, is_disabled, price_delay_s = strategy
    rules = [value for answer in settings for value in answer]
    rules[-2] = to_address(rules[-2])
    return Market(
        id=market,
        symbol=symbol,
        rules=Rules(*rules),
        strategy_id=strategy_id,
        strategy=Strategy(
            kind, delay_s, window_s, to_address(contract), feed, reward, is_disabled, price_delay_s
        ),
        price=price,
        skew=to_signed(skew),
        size=size,
        funding_rate=to_signed(rate),
        funding_value=to_signed(value),
        funded_at=funded_at,
        liquidated=(yield from _read_liquidated(proxy, base + _LIQUIDATIONS, count)),
    )


def _read_liquidated(proxy: Address, slot: int, count: int) -> Reading[tuple[Liquidated, ...]]:
    if not count:
        return ()
    start = int.from_bytes(keccak(slot.to_bytes(32)))
    first = 2 * max(0, count - _MOST_LIQUIDATIONS)
    slots = [start + offset for offset in range(first, 2 * count)]
    snapshot = yield (build_storage_call(proxy, slots),)
    words = decode_words(snapshot.answers[0], len(slots))
    pairs = zip(words[::2], words[1::2], strict=True)
    return tuple(Liquidated(amount & _LOW_BITS, at) for amount, at in pairs)
