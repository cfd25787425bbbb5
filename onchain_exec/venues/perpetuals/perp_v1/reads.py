"""Reads of v1's clearing house for some owners: `House`, all at one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onchain_exec.core import Address, Call, Reading, Token, all_of, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.erc20 import BALANCE_OF, read_tokens
from onchain_exec.venues.perpetuals.perp_v1 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v1.market_reads import read_amm
from onchain_exec.venues.perpetuals.perp_v1.mirror.house import Cash, House, Position
from onchain_exec.venues.perpetuals.storage import build_storage_call, decode_words, find_mapping_slot

MAX_AGE_S: Final = 7_200
"""How old an index price may be by default: twice the mean over which funding is reckoned."""

_PREPAID_BAD_DEBT: Final = 411
"""A slot of ``ClearingHouse``: a mapping by quote token."""


def read_perp_v1(
    clearing_house: Address,
    owners: Sequence[Address] = (),
    markets: Sequence[Address] | None = None,
    max_age_s: int = MAX_AGE_S,
) -> Reading[House]:
    """Read the clearing house: the owners' positions in ``markets``, or in all that it knows.

    Raises:
        InputError: another contract stands there, or a market is not one of its own.
        StateError: as `read_amm`.
    """
    snapshot = yield (Call(clearing_house, abi.PAUSED.encode()),)
    (paused,) = decode_answer(abi.PAUSED, clearing_house, snapshot.answers[0])
    block = snapshot.block
    fund, initial, maintenance, liquidation_fee, partial = yield from ask_one_value_each(
        [
            Ask(clearing_house, abi.INSURANCE_FUND),
            Ask(clearing_house, abi.INIT_MARGIN_RATIO),
            Ask(clearing_house, abi.MAINTENANCE_MARGIN_RATIO),
            Ask(clearing_house, abi.LIQUIDATION_FEE_RATIO),
            Ask(clearing_house, abi.PARTIAL_LIQUIDATION_RATIO),
        ]
    )
    fund_address = to_address(fund)
    listed = yield from _read_listed(fund_address, markets)
    amms = yield from all_of([read_amm(clearing_house, one, block.timestamp) for one in listed])
    quotes = tuple(dict.fromkeys(amm.quote_token for amm in amms))
    tokens = yield from read_tokens(quotes)
    cash = yield from all_of([_read_cash(clearing_house, fund_address, token) for token in tokens])
    pairs = [(market, owner) for market in listed for owner in owners]
    rows = yield from ask_each([Ask(clearing_house, abi.GET_POSITION, pair) for pair in pairs])
    newest = max((amm.snapshots[-1].number for amm in amms), default=0)
    return House(
        block=block,
        at=block.timestamp,
        number=max(block.number, newest) + 1,
        address=clearing_house,
        insurance_fund=fund_address,
        paused=paused,
        initial_margin=initial,
        maintenance_margin=maintenance,
        liquidation_fee=liquidation_fee,
        partial_liquidation=partial,
        max_age_s=max_age_s,
        amms={amm.address: amm for amm in amms},
        cash={one.token.address: one for one in cash},
        positions={pair: Position(*row[:4]) for pair, row in zip(pairs, rows, strict=True)},
    )


def _read_listed(fund: Address, markets: Sequence[Address] | None) -> Reading[tuple[Address, ...]]:
    (found,) = yield from ask_one_value_each([Ask(fund, abi.GET_ALL_AMMS)])
    listed = tuple(map(to_address, found))
    for market in markets or ():
        if market not in listed:
            raise InputError(f"no market stands at {market}", needed=f"one of {', '.join(listed)}")
    return listed if markets is None else tuple(markets)


def _read_cash(clearing_house: Address, fund: Address, token: Token) -> Reading[Cash]:
    in_house, in_fund = yield from ask_one_value_each(
        [Ask(token.address, BALANCE_OF, (owner,)) for owner in (clearing_house, fund)]
    )
    slot = find_mapping_slot(_PREPAID_BAD_DEBT, "address", token.address)
    snapshot = yield (build_storage_call(clearing_house, (slot,)),)
    (advanced,) = decode_words(snapshot.answers[0], 1)
    return Cash(token, in_house, in_fund, advanced)
