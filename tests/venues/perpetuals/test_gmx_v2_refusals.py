"""What GMX v2 refuses, by limits that recorded states come near: each with the contract's own reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from gmx import Deed, list_deeds, start

from onchain_exec.core import Address, to_address
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2 import GmxV2Venue
from onchain_exec.venues.perpetuals.gmx_v2.mirror.decrease import liquidate
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import BySide, Market
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import State
from onchain_exec.venues.perpetuals.gmx_v2.mirror.swap import swap
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxOrder, OrderType, Position, Terms
from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices, read_gmx_v2

NOBODY = to_address(b"\x12" * 20)


@cache
def find_open() -> tuple[State, Address, Market]:
    """A state, an account and a market where a long of 1,000 dollars may be opened."""
    for deed in list_deeds():
        (market,) = deed.after.markets.values()
        owner = next(iter(deed.after.accounts))
        try:
            GmxV2Venue(deed.after).preview_order(owner, make_long(market))
        except PoolRevertError:
            continue
        if market.long_token != market.short_token:
            return deed.after, owner, market
    raise AssertionError("no state lets a long be opened")


def find_ratio() -> int:
    """A bit less than that long's collateral over its size: with the fee to close it, too little."""
    state, owner, market = find_open()
    held = (
        GmxV2Venue(state)
        .preview_order(owner, make_long(market))
        .state.get_holding(owner, make_long(market).position)
    )
    worth = held.collateral * state.get_price(market.short_token).least
    return worth * (10**6 - 1) // 10**6 * FLOAT // held.size


def make_long(market: Market) -> GmxOrder:
    place = Position(market.address, market.short_token, is_long=True)
    size, amount = 1_000 * FLOAT, 1_000 * 10**6
    return GmxOrder(OrderType.MARKET_INCREASE, place, size, amount, 1, Terms(MAX_UINT256))


def limit(market: Market, **changed: object) -> Market:
    return replace(market, rules=replace(market.rules, **changed))  # type: ignore[arg-type]


NONE, LITTLE = BySide(0, 0), BySide(FLOAT // 10**9, FLOAT // 10**9)
LIMITS: dict[str, Callable[[Market], Market]] = {
    "DisabledMarket": lambda market: replace(market, is_enabled=False),
    "InsufficientReserve": lambda market: limit(market, reserve=NONE),
    "InsufficientReserveForOpenInterest": lambda market: limit(market, open_interest_reserve=LITTLE),
    "MaxOpenInterestExceeded": lambda market: limit(market, max_open_interest=NONE),
    "MaxCollateralSumExceeded": lambda market: replace(
        market, max_collateral=dict.fromkeys(market.max_collateral, 0)
    ),
    "InsufficientCollateralUsd": lambda market: limit(market, min_collateral=2 * FLOAT),
    "LiquidatablePosition": lambda market: limit(market, min_collateral=find_ratio()),
}


@pytest.mark.parametrize("reason", LIMITS)
def test_preview_order_beyond_a_limit_of_the_market_raises_its_reason(reason: str) -> None:
    state, owner, market = find_open()
    venue = GmxV2Venue(state.with_market(LIMITS[reason](market)))
    with pytest.raises(PoolRevertError) as refused:
        venue.preview_order(owner, make_long(market))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"size_delta_usd": 1}, "EmptySizeDeltaInTokens"),
        ({"collateral_amount": 0}, "InsufficientCollateralAmount"),
        ({"size_delta_usd": FLOAT // 10, "collateral_amount": 10**9}, "MinPositionSize"),
        ({"terms": Terms(1)}, "OrderNotFulfillableAtAcceptablePrice"),
        ({"kind": OrderType.MARKET_DECREASE, "terms": Terms(0)}, "EmptyPosition"),
    ],
)
def test_preview_order_that_cannot_be_raises_its_reason(changed: dict[str, object], reason: str) -> None:
    state, owner, market = find_open()
    account = replace(state.accounts[owner], holdings={})
    rules = replace(state.rules, min_position_usd=FLOAT)
    venue = GmxV2Venue(replace(state, rules=rules, accounts={owner: account}))
    order = replace(make_long(market), **changed)  # type: ignore[arg-type]
    with pytest.raises(PoolRevertError) as refused:
        venue.preview_order(owner, order)
    assert refused.value.reason == reason


def test_preview_order_with_another_collateral_raises_pool_revert() -> None:
    state, owner, market = find_open()
    order = replace(make_long(market), position=Position(market.address, NOBODY, is_long=True))
    with pytest.raises(PoolRevertError, match="0x12") as refused:
        GmxV2Venue(state).preview_order(owner, order)
    assert refused.value.reason == "InvalidCollateralTokenForMarket"


def test_find_position_of_none_or_several_raises_input_error() -> None:
    state, owner, market = find_open()
    bare = replace(state, accounts={owner: replace(state.accounts[owner], holdings={})})
    opened = GmxV2Venue(bare).preview_order(owner, make_long(market)).state
    second = replace(make_long(market), position=Position(market.address, market.long_token, is_long=True))
    second = replace(second, collateral_amount=WAD)
    both = GmxV2Venue(opened).preview_order(owner, second).state
    for found, state_of in ((0, bare), (2, both)):
        with pytest.raises(InputError, match=f"{found} positions of"):
            GmxV2Venue(state_of).preview_close(owner, market.address)
    with pytest.raises(PoolRevertError) as refused:
        liquidate(opened, owner, make_long(market).position)
    assert refused.value.reason == "PositionShouldNotBeLiquidated"
    assert GmxV2Venue(opened).seen_at(opened.at).preview_close(owner, market.address).size_wad < 0


def test_read_gmx_v2_unknown_market_and_missing_price_raise_input_error() -> None:
    deed: Deed = list_deeds()[0]
    recording = start(0)
    (market,) = deed.before.markets
    with pytest.raises(InputError, match="no price of"):
        recording.perform(
            read_gmx_v2(deed.before.contracts, SignedPrices(deed.at, ()), (), (market,)), deed.at
        )
    with pytest.raises(InputError, match="is before the state's time"):
        deed.after.seen_at(0)


SWAP_LIMITS: dict[str, Callable[[Market], Market]] = {
    "MaxPoolAmountExceeded": lambda market: limit(
        market, swap=replace(market.rules.swap, max_pool=dict.fromkeys(market.tokens, 0))
    ),
    "InsufficientReserve": lambda market: limit(market, reserve=NONE),
    "UsdDeltaExceedsPoolValue": lambda market: replace(market, pool={**market.pool, market.short_token: 0}),
    "InvalidSwapMarket": lambda market: replace(market, short_token=market.long_token),
}


@pytest.mark.parametrize("reason", SWAP_LIMITS)
def test_swap_beyond_a_limit_raises_its_reason(reason: str) -> None:
    state, owner, market = find_open()
    opened = GmxV2Venue(state).preview_order(owner, make_long(market)).state.get_market(market.address)
    rules = opened.rules.swap
    flat = replace(rules.impact, positive_factor=0, negative_factor=0)
    opened = limit(opened, swap=replace(rules, impact=flat))
    sold = (market.short_token, 10**9) if reason == "InsufficientReserve" else (market.long_token, WAD // 100)
    with pytest.raises(PoolRevertError) as refused:
        swap(SWAP_LIMITS[reason](opened), state.get_prices(market), *sold, 0)
    assert refused.value.reason == reason


def test_swap_gain_is_paid_by_the_pool_that_goes_out_and_then_the_one_that_comes_in() -> None:
    state, _, market = find_open()
    prices, rules = state.get_prices(market), market.rules.swap
    impact = replace(rules.impact, positive_factor=10**22, negative_factor=10**22)
    long, short = market.tokens
    worth = market.pool[short] * prices.short.middle // prices.long.middle
    uneven = limit(
        replace(market, pool={long: worth // 2, short: market.pool[short]}, shared_pool=None),
        swap=replace(rules, impact=impact, max_pool=dict.fromkeys(market.tokens, MAX_UINT256)),
        reserve=BySide(FLOAT, FLOAT),
    )
    paid = [
        swap(replace(uneven, swap_impact_pool=pools), prices, long, WAD, 0)
        for pools in ({long: 0, short: 0}, {long: 10**30, short: 0}, {long: 0, short: 10**30})
    ]
    nothing, of_in, of_out = (one.amount_out for one in paid)
    assert nothing < min(of_in, of_out)
    assert abs(of_in - of_out) <= of_out // 1_000
    assert paid[1].market.swap_impact_pool[long] < 10**30
    assert paid[2].market.swap_impact_pool[short] < 10**30
