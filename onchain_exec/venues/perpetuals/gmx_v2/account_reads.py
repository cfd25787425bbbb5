"""Reads of one account: its positions, the orders that wait, and its discounts."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Reading, all_of, to_address
from onchain_exec.core.abi import Function
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.perpetuals.gmx_v2.keys import (
    find_field,
    find_key,
    read_addresses,
    read_bools,
    read_ints,
    read_lists,
    read_uints,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import Discounts
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import Account, Holding
from onchain_exec.venues.perpetuals.gmx_v2.orders import (
    DecreaseSwap,
    GmxContracts,
    GmxOrder,
    OrderType,
    Position,
    Request,
    Terms,
)

_CODE: Final = Function("traderReferralCodes(address)", "(bytes32)")
_CODE_OWNER: Final = Function("codeOwners(bytes32)", "(address)")
_TIER_OF: Final = Function("referrerTiers(address)", "(uint256)")
_TIER: Final = Function("tiers(uint256)", "(uint256,uint256)")
_OWN_SHARE: Final = Function("referrerDiscountShares(address)", "(uint256)")
_GET_PATH: Final = Function("getAddressArray(bytes32)", "(address[])")
_BPS: Final = 10_000


def read_account(contracts: GmxContracts, owner: Address) -> Reading[Account]:
    """Read an account with all its positions and orders."""
    store = contracts.data_store
    positions, orders = yield from read_lists(
        store, [find_key("ACCOUNT_POSITION_LIST", owner), find_key("ACCOUNT_ORDER_LIST", owner)]
    )
    held, requests, discounts = yield from all_of(
        [
            all_of([_read_holding(store, key) for key in positions]),
            all_of([_read_request(store, key) for key in orders]),
            _read_discounts(contracts, owner),
        ]
    )
    return Account(owner, discounts, dict(held), requests)


def _read_holding(store: Address, key: bytes) -> Reading[tuple[Position, Holding]]:
    names = (
        "SIZE_IN_USD", "SIZE_IN_TOKENS", "COLLATERAL_AMOUNT", "BORROWING_FACTOR",
        "FUNDING_FEE_AMOUNT_PER_SIZE", "LONG_TOKEN_CLAIMABLE_FUNDING_AMOUNT_PER_SIZE",
        "SHORT_TOKEN_CLAIMABLE_FUNDING_AMOUNT_PER_SIZE", "INCREASED_AT_TIME", "DECREASED_AT_TIME",
    )  # fmt: skip
    (market, token), (is_long,), (pending_impact,), numbers = yield from all_of(
        [
            read_addresses(store, [find_field(key, name) for name in ("MARKET", "COLLATERAL_TOKEN")]),
            read_bools(store, [find_field(key, "IS_LONG")]),
            read_ints(store, [find_field(key, "PENDING_IMPACT_AMOUNT")]),
            read_uints(store, [find_field(key, name) for name in names]),
        ]
    )
    size, tokens, collateral, *charged = numbers
    return Position(market, token, is_long), Holding(size, tokens, collateral, pending_impact, *charged)


def _read_request(store: Address, key: bytes) -> Reading[Request]:
    places = ("MARKET", "INITIAL_COLLATERAL_TOKEN", "UI_FEE_RECEIVER")
    names = (
        "ORDER_TYPE", "DECREASE_POSITION_SWAP_TYPE", "SIZE_DELTA_USD", "INITIAL_COLLATERAL_DELTA_AMOUNT",
        "EXECUTION_FEE", "UPDATED_AT_TIME", "ACCEPTABLE_PRICE", "TRIGGER_PRICE", "MIN_OUTPUT_AMOUNT",
        "VALID_FROM_TIME",
    )  # fmt: skip
    flags = ("IS_LONG", "SHOULD_UNWRAP_NATIVE_TOKEN", "IS_FROZEN", "AUTO_CANCEL")
    (market, token, ui_fee_receiver), numbers, marks, (path,) = yield from all_of(
        [
            read_addresses(store, [find_field(key, name) for name in places]),
            read_uints(store, [find_field(key, name) for name in names]),
            read_bools(store, [find_field(key, name) for name in flags]),
            ask_one_value_each([Ask(store, _GET_PATH, (find_field(key, "SWAP_PATH"),))]),
        ]
    )
    kind, swap, size, collateral, fee, updated_at, *terms = numbers
    is_long, unwraps, is_frozen, auto_cancel = marks
    order = GmxOrder(
        kind=OrderType(kind),
        position=Position(market, token, is_long),
        size_delta_usd=size,
        collateral_amount=collateral,
        execution_fee_wei=fee,
        terms=Terms(*terms),
        swap_path=tuple(map(to_address, path)),
        unwraps_native=unwraps,
        decrease_swap=DecreaseSwap(swap),
        auto_cancel=auto_cancel,
        ui_fee_receiver=ui_fee_receiver,
    )
    return Request(key, order, updated_at, is_frozen)


def _read_discounts(contracts: GmxContracts, owner: Address) -> Reading[Discounts]:
    """Mirror of ``ReferralUtils.getReferralInfo`` and of the tiers in ``getPositionFeesAfterReferral``."""
    store, storage = contracts.data_store, contracts.referral_storage
    (tier,) = yield from read_uints(store, [find_key("PRO_TRADER_TIER", owner)])
    (pro,) = yield from read_uints(store, [find_key("PRO_DISCOUNT_FACTOR", tier)])
    pro = pro if tier else 0
    if storage == ZERO_ADDRESS:
        return Discounts(pro=pro)
    (code,) = yield from ask_one_value_each([Ask(storage, _CODE, (owner,))])
    if not any(code):
        return Discounts(pro=pro)
    (affiliate,) = yield from ask_one_value_each([Ask(storage, _CODE_OWNER, (code,))])
    level, own_share = yield from ask_one_value_each(
        [Ask(storage, _TIER_OF, (affiliate,)), Ask(storage, _OWN_SHARE, (affiliate,))]
    )
    ((rebate, share),) = yield from ask_each([Ask(storage, _TIER, (level,))])
    (least,) = yield from read_uints(store, [find_key("MIN_AFFILIATE_REWARD_FACTOR", level)])
    trader = rebate * (own_share or share) // _BPS * FLOAT // _BPS
    return Discounts(rebate * FLOAT // _BPS - trader, least, trader, pro)
