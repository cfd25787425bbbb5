"""Reads of one account: its collateral, debt, positions and the order that waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Reading, to_address
from onchain_exec.venues.asking import Ask, ask_one_value_each
from onchain_exec.venues.perpetuals.storage import (
    build_storage_call,
    decode_words,
    find_mapping_slot,
    to_signed,
)
from onchain_exec.venues.perpetuals.synthetix_v3 import contracts as abi
from onchain_exec.venues.perpetuals.synthetix_v3.actions import USD
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import Account, Order, Position

_POSITIONS: Final = 11
"""A slot of ``PerpsMarket.Data``: a mapping by account."""
_WORDS: Final = 3
"""Of a ``Position.Data``."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Who owns an account, the markets that it is in, in the contract's order, and its margin as the contract
    counts it."""

    id: int
    owner: Address
    markets: tuple[int, ...]
    available_margin: int


def read_holdings(proxy: Address, account: int) -> Reading[Holdings]:
    """Read where an account is invested.

    Raises:
        InputError: another contract stands there, or the oracle has no price of a market that it is in.
    """
    owner, markets, margin = yield from ask_one_value_each(
        [
            Ask(proxy, abi.GET_ACCOUNT_OWNER, (account,)),
            Ask(proxy, abi.GET_OPEN_POSITIONS, (account,)),
            Ask(proxy, abi.GET_AVAILABLE_MARGIN, (account,)),
        ]
    )
    return Holdings(account, to_address(owner), tuple(markets), margin)


def read_account(proxy: Address, held: Holdings) -> Reading[Account]:
    """Read an account; what its other collaterals are worth as margin is not told.

    Raises:
        InputError: no such account.
    """
    usd, value, kinds, debt, (committed_at, request), flagged = yield from ask_one_value_each(
        [
            Ask(proxy, abi.GET_COLLATERAL_AMOUNT, (held.id, USD)),
            Ask(proxy, abi.TOTAL_COLLATERAL_VALUE, (held.id,)),
            Ask(proxy, abi.GET_COLLATERAL_IDS, (held.id,)),
            Ask(proxy, abi.DEBT, (held.id,)),
            Ask(proxy, abi.GET_ORDER, (held.id,)),
            Ask(proxy, abi.FLAGGED_ACCOUNTS),
        ]
    )
    market, _, size, strategy_id, acceptable_price, *_ = request
    return Account(
        id=held.id,
        owner=held.owner,
        usd=usd,
        debt=debt,
        others=sum(1 for kind in kinds if kind != USD),
        others_value=value - usd,
        positions=(yield from _read_positions(proxy, held)),
        order=Order(market, size, strategy_id, acceptable_price, committed_at) if size else None,
        is_flagged=held.id in flagged,
    )


def _read_positions(proxy: Address, held: Holdings) -> Reading[dict[int, Position]]:
    if not held.markets:
        return {}
    starts = [
        find_mapping_slot(abi.find_slot("PerpsMarket", market) + _POSITIONS, "uint256", held.id)
        for market in held.markets
    ]
    slots = [start + offset for start in starts for offset in range(_WORDS)]
    snapshot = yield (build_storage_call(proxy, slots),)
    words = decode_words(snapshot.answers[0], len(slots))
    rows = zip(words[::_WORDS], words[1::_WORDS], words[2::_WORDS], strict=True)
    return {
        market: Position(to_signed(size >> 128, 128), to_signed(last, 128), to_signed(last >> 128, 128), owed)
        for market, (size, last, owed) in zip(held.markets, rows, strict=True)
    }
