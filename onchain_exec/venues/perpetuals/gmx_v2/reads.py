"""Reads of GMX v2 for some accounts and markets: `State`, all at one block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Call, Reading, all_of, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import StaleStateError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.perpetuals.gmx_v2.account_reads import read_account
from onchain_exec.venues.perpetuals.gmx_v2.keys import (
    find_key,
    hash_name,
    read_bools,
    read_ints,
    read_uints,
    read_words,
)
from onchain_exec.venues.perpetuals.gmx_v2.market_reads import read_market
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import GasRules, GlobalRules
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import Inventory, OraclePrice, State
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxContracts, OrderType

_ORDER_HANDLER: Final = Function("orderHandler()", "(address)")
_RULES: Final = (
    "POSITION_FEE_RECEIVER_FACTOR",
    "BORROWING_FEE_RECEIVER_FACTOR",
    "LIQUIDATION_FEE_RECEIVER_FACTOR",
    "SWAP_FEE_RECEIVER_FACTOR",
    "MIN_COLLATERAL_USD",
    "MIN_POSITION_SIZE_USD",
    "REQUEST_EXPIRATION_TIME",
    "MAX_ORACLE_PRICE_AGE",
)
_FLAGS: Final = ("USE_OPEN_INTEREST_IN_TOKENS_FOR_BALANCE", "SKIP_BORROWING_FEE_FOR_SMALLER_SIDE")
_GAS: Final = (
    "ESTIMATED_GAS_FEE_BASE_AMOUNT_V2_1",
    "ESTIMATED_GAS_FEE_PER_ORACLE_PRICE",
    "ESTIMATED_GAS_FEE_MULTIPLIER_FACTOR",
    "INCREASE_ORDER_GAS_LIMIT",
    "DECREASE_ORDER_GAS_LIMIT",
    "SWAP_ORDER_GAS_LIMIT",
    "SINGLE_SWAP_GAS_LIMIT",
)


@dataclass(frozen=True, slots=True)
class SignedPrices:
    """What the oracle's signers said at one time: a price of each index and pool token. Keepers get them from
    the same source; the chain has none until an order is executed."""

    at: int
    prices: tuple[OraclePrice, ...]


def read_gmx_v2(
    contracts: GmxContracts, signed: SignedPrices, owners: Sequence[Address], markets: Sequence[Address]
) -> Reading[State]:
    """Read markets, and accounts with their positions in them and their orders.

    Raises:
        InputError: another contract stands there, an unknown market, or a token without a price.
        StaleStateError: the prices are older than the contracts take.
    """
    store = contracts.data_store
    snapshot = yield (Call(contracts.exchange_router, _ORDER_HANDLER.encode()),)
    (handler,) = decode_answer(_ORDER_HANDLER, contracts.exchange_router, snapshot.answers[0])
    rules, disabled, gas, accounts = yield from all_of(
        [
            _read_rules(store),
            _read_disabled(store, to_address(handler)),
            read_uints(store, [hash_name(name) for name in _GAS]),
            all_of([read_account(contracts, one) for one in dict.fromkeys(owners)]),
        ]
    )
    _require_fresh(signed, snapshot.block.timestamp, rules.max_price_age_s)
    wanted = dict.fromkeys(
        (*markets, *(position.market for account in accounts for position in account.holdings))
    )
    found = yield from all_of([read_market(store, market) for market in wanted])
    index_tokens = tuple(dict.fromkeys(market.index_token for market in found))
    words = yield from read_words(store, [find_key("VIRTUAL_TOKEN_ID", token) for token in index_tokens])
    shared = {token: word for token, word in zip(index_tokens, words, strict=True) if any(word)}
    state = State(
        block=snapshot.block,
        at=snapshot.block.timestamp,
        contracts=contracts,
        disabled=disabled,
        rules=rules,
        gas=GasRules(*gas),
        prices={one.token.address: one for one in signed.prices},
        markets={market.address: market for market in found},
        accounts={account.owner: account for account in accounts},
        shared=shared,
        inventories=(yield from _read_inventories(store, shared.values())),
    )
    for market in found:
        state.get_prices(market)
    return state


def _read_rules(store: Address) -> Reading[GlobalRules]:
    numbers, flags = yield from all_of(
        [
            read_uints(store, [hash_name(name) for name in _RULES]),
            read_bools(store, [hash_name(name) for name in _FLAGS]),
        ]
    )
    position, borrowing, liquidation, swap, *others = numbers
    min_collateral, min_position, expiration_s, max_age_s = others
    counts_tokens, spares = flags
    return GlobalRules(
        position_fee_receiver=position,
        borrowing_fee_receiver=borrowing,
        liquidation_fee_receiver=liquidation,
        swap_fee_receiver=swap,
        min_collateral_usd=min_collateral,
        min_position_usd=min_position,
        request_expiration_s=expiration_s,
        max_price_age_s=max_age_s,
        counts_tokens=counts_tokens,
        spares_smaller_side=spares,
    )


def _read_disabled(store: Address, handler: Address) -> Reading[frozenset[OrderType]]:
    names = ("CREATE_ORDER_FEATURE_DISABLED", "EXECUTE_ORDER_FEATURE_DISABLED")
    kinds = [kind for kind in OrderType for _ in names]
    keys = [find_key(name, handler, kind.value) for kind in OrderType for name in names]
    flags = yield from read_bools(store, keys)
    return frozenset(kind for kind, flag in zip(kinds, flags, strict=True) if flag)


def _read_inventories(store: Address, shared: Iterable[bytes]) -> Reading[dict[bytes, Inventory]]:
    words = tuple(dict.fromkeys(shared))
    usd = yield from read_ints(store, [find_key("VIRTUAL_INVENTORY_FOR_POSITIONS", word) for word in words])
    tokens = yield from read_ints(
        store, [find_key("VIRTUAL_INVENTORY_FOR_POSITIONS_IN_TOKENS", word) for word in words]
    )
    return {word: Inventory(*pair) for word, *pair in zip(words, usd, tokens, strict=True)}


def _require_fresh(signed: SignedPrices, now: int, max_age_s: int) -> None:
    if signed.at + max_age_s < now:
        raise StaleStateError(
            f"the oracle's prices are {now - signed.at} s old",
            needed=f"{max_age_s} s at most",
            todo="Fetch signed prices again",
        )
