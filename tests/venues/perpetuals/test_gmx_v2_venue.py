"""GMX v2 as a venue, on the states that were recorded on its contracts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from gmx import EXECUTION_FEES, UPDATES, Deed, list_deeds, start

from onchain_exec.core import Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import InputError, PoolRevertError, StaleStateError, UnsupportedOrderError
from onchain_exec.venues.perpetuals import TwoPhaseVenue
from onchain_exec.venues.perpetuals.actions import Deposit, Trade, Withdraw
from onchain_exec.venues.perpetuals.gmx_v2 import GmxV2Venue
from onchain_exec.venues.perpetuals.gmx_v2.account import GmxV2Account
from onchain_exec.venues.perpetuals.gmx_v2.mirror.gas import get_execution_fee_wei
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Market
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import GasRules
from onchain_exec.venues.perpetuals.gmx_v2.orders import (
    DecreaseSwap,
    GmxOrder,
    OrderType,
    Position,
    Request,
    Terms,
    encode_update_order,
)
from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices, read_gmx_v2
from onchain_exec.venues.perpetuals.hedge import Leg, find_hedge
from onchain_exec.venues.perpetuals.venue import PositionState

DAY_S = 86_400
OWNER = to_address(b"\x01" * 20)
MULTICALL = Function("multicall(bytes[])", "(bytes[])")


def see(deed: Deed, later_s: int) -> GmxV2Venue:
    """What was found after a deed, at GMX's gas of 1 gwei."""
    gas = GasRules(600_000, 250_000, 10**30, 4_000_000, 3_000_000, 2_000_000, 1_000_000)
    state = replace(deed.after.seen_at(deed.at + later_s), gas=gas)
    return GmxV2Venue(state, leverage_wad=5 * WAD, gas_price_wei=10**9)


@cache
def list_alone(later_s: int) -> list[tuple[GmxV2Venue, Address, Position]]:
    """Positions that are their owner's only one in the market, some time after it was last touched."""
    found = []
    for deed in list_deeds()[::5]:
        venue = see(deed, later_s)
        for owner, account in deed.after.accounts.items():
            if len(account.holdings) == 1:
                found.append((venue, owner, next(iter(account.holdings))))
    return found


def find_state(venue: GmxV2Venue, owner: Address, market: Address) -> PositionState:
    found = venue.get_account(owner).get_position(market)
    assert found is not None
    return found


def test_gmx_v2_venue_is_a_venue_of_two_phases() -> None:
    venue: TwoPhaseVenue = see(list_deeds()[-1], 0)
    assert venue.is_two_phase
    assert [market.is_open for market in venue.markets] == [True]


def test_get_account_liquidation_price_is_the_last_that_holds() -> None:
    decided = 0
    for venue, owner, position in list_alone(DAY_S)[::4]:
        price_wad = find_state(venue, owner, position.market).liquidation_price_wad
        if price_wad is not None:
            decided += 1
            beyond = price_wad - 1 if position.is_long else price_wad + 1
            assert not venue.with_index(position.market, price_wad).get_account(owner).is_liquidatable
            assert venue.with_index(position.market, beyond).get_account(owner).is_liquidatable
    assert decided > 2


def take(venue: GmxV2Venue, owner: Address, position: Position, amount: int) -> int:
    """What is paid out where ``amount`` is asked for; nothing where that is refused."""
    order = GmxOrder(OrderType.MARKET_DECREASE, position, 0, amount, 1, Terms(0))
    try:
        return venue.preview_order(owner, order).output
    except PoolRevertError:
        return 0


def test_get_account_free_collateral_may_be_taken_and_no_more() -> None:
    taken = 0
    for venue, owner, position in list_alone(DAY_S)[::3]:
        account = venue.get_account(owner)
        price = venue.state.get_price(position.collateral_token).least
        units = account.free_collateral_wad * 10**12 // price
        if units > 0 and not account.is_liquidatable:
            taken += 1
            assert take(venue, owner, position, units) == units
            assert take(venue, owner, position, units + 2) <= units + 1
    assert taken > 5


def test_preview_close_ends_the_position_and_no_trade_goes_beyond_it() -> None:
    closed = 0
    for venue, owner, position in list_alone(DAY_S)[::5]:
        market = position.market
        size_wad = find_state(venue, owner, market).size_wad
        if not venue.get_account(owner).is_liquidatable:
            closed += 1
            done = venue.preview_close(owner, market)
            assert done.size_wad == -size_wad
            assert done.after.get_account(owner).get_position(market) is None
        with pytest.raises(UnsupportedOrderError, match="one order to close, and another"):
            venue.preview_trade(owner, market, -2 * size_wad)
    assert closed > 2


def test_preview_trade_is_at_the_index_with_impact_and_fee() -> None:
    for venue, owner, position in list_alone(DAY_S)[:6]:
        market = position.market
        traded = venue.preview_trade(owner, market, WAD // 4 if position.is_long else -WAD // 4)
        assert (traded.size_wad > 0) == position.is_long
        assert traded.price_before_wad == venue.get_market(market).index_price_wad
        index = venue.state.get_prices(venue.state.get_market(market)).index
        spread_bps = 10_000 * (index.most - index.least) // index.least + 1
        assert abs(traded.impact_bps) < 400 + spread_bps
        assert traded.fee_wad > 0


def test_get_funding_is_what_positions_come_to_owe() -> None:
    checked = 0
    for venue, owner, position in list_alone(0)[::5]:
        market, funding = position.market, venue.get_funding(position.market)
        now, later = (find_state(one, owner, market) for one in (venue, venue.seen_at(venue.at + 60)))
        size_wad = now.entry_notional_wad * WAD // venue.get_market(market).index_price_wad
        expected = funding.get_cost(size_wad, 60)
        grown = later.funding_owed_wad - now.funding_owed_wad
        assert abs(grown - expected) <= abs(expected) // 20 + 10**14
        checked += 1
    assert checked > 3


def test_encode_trade_sends_collateral_fee_and_order_in_one_multicall() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    size_wad = WAD if position.is_long else -WAD
    call = venue.encode_trade(owner, position.market, size_wad, 0, 0)
    (calls,) = MULTICALL.decode_arguments(call.data)
    assert len(calls) == 3
    assert call.value_wei == (600_000 + 3 * 250_000 + 4_000_000) * 10**9
    sent = GmxV2Account(venue, owner).encode(Trade(position.market, size_wad, 0))
    (spend,) = sent.spends
    assert (spend.token, spend.spender) == (position.collateral_token, venue.state.contracts.router)
    assert (sent.data, sent.value_wei) == (call.data, call.value_wei)


def test_encode_trade_bound_is_the_acceptable_price() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    size_wad = find_state(venue, owner, position.market).size_wad
    worth = abs(size_wad) * 3_000
    closing = venue.encode_close(owner, position.market, worth, 0)
    (calls,) = MULTICALL.decode_arguments(closing.data)
    token = venue.state.get_price(venue.state.get_market(position.market).index_token).token
    price = 3_000 * 10**30 // 10**token.decimals
    assert any(price.to_bytes(32) in one or (price + 1).to_bytes(32) in one for one in calls)


def test_preview_deposit_and_withdraw_move_collateral() -> None:
    venue, owner, position = next(
        one for one in list_alone(DAY_S) if not one[0].get_account(one[1]).is_liquidatable
    )
    token, market = position.collateral_token, position.market
    amount = venue.state.get_holding(owner, position).collateral // 10
    richer = venue.preview_deposit(owner, token, amount, market)
    assert richer.get_account(owner).value_wad > venue.get_account(owner).value_wad
    account = GmxV2Account(venue, owner)
    kind = venue.state.get_price(token).token
    assert account.after(Deposit(kind, amount, market)).venue == richer
    (spend,) = account.encode(Deposit(kind, amount, market)).spends
    assert (spend.amount, spend.spender) == (amount, venue.state.contracts.router)
    assert account.encode(Withdraw(kind, amount, market)).spends == ()


def test_gmx_v2_venue_refuses_what_it_cannot_do() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    with pytest.raises(UnsupportedOrderError, match="LIQUIDATION_KEEPER"):
        venue.encode_liquidation(owner, owner, position.market)
    with pytest.raises(UnsupportedOrderError, match="a keeper executes later"):
        GmxV2Account(venue, owner).require_health(WAD)
    with pytest.raises(InputError, match="a trade of no size"):
        venue.preview_trade(owner, position.market, 0)
    with pytest.raises(InputError, match=r"the market .* was not read"):
        venue.get_market(owner)
    with pytest.raises(InputError, match="is no collateral of the position"):
        venue.preview_deposit(owner, owner, 1, position.market)
    with pytest.raises(InputError, match="was not read"):
        venue.get_account(to_address(b"\x12" * 20))


def test_preview_of_a_paused_market_or_kind_raises_pool_revert() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    off = replace(venue.state.get_market(position.market), is_enabled=False)
    paused = replace(venue, state=venue.state.with_market(off))
    assert not paused.get_market(position.market).is_open
    with pytest.raises(PoolRevertError, match="is switched off"):
        paused.preview_close(owner, position.market)
    without = replace(venue.state, disabled=frozenset({OrderType.MARKET_DECREASE}))
    with pytest.raises(PoolRevertError, match="MARKET_DECREASE is switched off"):
        replace(venue, state=without).preview_close(owner, position.market)


def test_preview_order_with_a_path_of_swaps_raises_input_error() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    order = GmxOrder(OrderType.MARKET_DECREASE, position, 1, 0, 1, Terms(0), swap_path=(position.market,))
    with pytest.raises(InputError, match="an order with a path of swaps"):
        venue.preview_order(owner, order)


@pytest.mark.parametrize(
    ("kind", "is_long", "waits_below"),
    [
        (OrderType.LIMIT_INCREASE, True, True),
        (OrderType.LIMIT_INCREASE, False, False),
        (OrderType.STOP_INCREASE, True, False),
        (OrderType.STOP_INCREASE, False, True),
        (OrderType.LIMIT_DECREASE, True, False),
        (OrderType.LIMIT_DECREASE, False, True),
        (OrderType.STOP_LOSS_DECREASE, True, True),
        (OrderType.STOP_LOSS_DECREASE, False, False),
    ],
)
def test_preview_order_waits_for_its_trigger(kind: OrderType, is_long: bool, waits_below: bool) -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    market: Market = venue.state.get_market(position.market)
    price = venue.state.get_prices(market).index.middle
    place = Position(position.market, market.short_token, is_long)
    trigger = price * 9 // 10 if waits_below else price * 11 // 10
    waiting = GmxOrder(kind, place, 10**34, 10**10, 1, Terms(MAX_UINT256 if is_long else 0, trigger))
    with pytest.raises(PoolRevertError) as refused:
        venue.preview_order(owner, waiting)
    assert refused.value.reason == "InvalidOrderPrices"
    early = Terms(waiting.terms.acceptable_price, price * 2 - trigger, valid_from_at=venue.at + 1)
    with pytest.raises(PoolRevertError) as refused:
        venue.preview_order(owner, replace(waiting, terms=early))
    assert refused.value.reason == "OrderValidFromTimeNotReached"
    reached = replace(waiting, terms=replace(waiting.terms, trigger_price=price * 2 - trigger))
    try:
        venue.preview_order(owner, reached)
    except PoolRevertError as error:
        assert error.reason != "InvalidOrderPrices"  # noqa: PT017 (the market may refuse it otherwise)


def test_read_gmx_v2_old_prices_raise_stale_state() -> None:
    deed = list_deeds()[0]
    rules = deed.before.rules
    old = SignedPrices(deed.at - rules.max_price_age_s - 1, ())
    with pytest.raises(StaleStateError, match="prices are 3601 s old"):
        start(0).perform(read_gmx_v2(deed.before.contracts, old, (), ()), deed.at)


@pytest.mark.parametrize(("rules", "kind", "swap", "length", "gas_price_wei", "fee_wei"), EXECUTION_FEES)
def test_get_execution_fee_wei_is_the_least_that_was_taken(
    rules: list[int], kind: int, swap: int, length: int, gas_price_wei: int, fee_wei: int
) -> None:
    place = Position(OWNER, OWNER, is_long=True)
    order = GmxOrder(
        OrderType(kind), place, 1, 0, 1, Terms(1), (OWNER,) * length, decrease_swap=DecreaseSwap(swap)
    )
    assert get_execution_fee_wei(GasRules(*rules), order, gas_price_wei) == fee_wei


@pytest.mark.parametrize("row", UPDATES)
def test_encode_update_order_is_the_calldata_that_was_taken(row: list[Any]) -> None:
    kind, size, *terms, key, calldata = row
    order = GmxOrder(OrderType(kind), Position(OWNER, OWNER, is_long=True), size, 0, 1, Terms(*terms))
    contracts = list_deeds()[0].before.contracts
    call = encode_update_order(contracts, OWNER, Request(bytes.fromhex(key), order, 0))
    assert (call.data.hex(), call.to) == (calldata, contracts.exchange_router)


def test_encode_update_order_of_a_market_order_raises_input_error() -> None:
    order = GmxOrder(OrderType.MARKET_INCREASE, Position(OWNER, OWNER, is_long=True), 1, 0, 1, Terms(1))
    with pytest.raises(InputError, match="an update of a market order"):
        encode_update_order(list_deeds()[0].before.contracts, OWNER, Request(bytes(32), order, 0))


def test_find_hedge_counts_what_both_sides_pay() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    empty = next(one for one in venue.state.accounts if one != owner)
    clear = replace(venue.state.accounts[empty], holdings={})
    state = replace(venue.state, accounts={**venue.state.accounts, empty: clear})
    leg = Leg(replace(venue, state=state), empty, position.market)
    index = venue.get_market(position.market).index_price_wad
    for target in (WAD // 2, -WAD // 2):
        hedge = find_hedge([leg], target, index, DAY_S, parts=1)
        (order,) = hedge.orders
        done = order.preview
        assert order.funding_wad == leg.venue.get_funding(position.market).get_cost(done.size_wad, DAY_S)
        fair = done.size_wad * index // WAD
        assert abs(hedge.cost_wad - (done.notional_wad - fair + done.fee_wad + order.funding_wad)) <= 1


def test_account_health_is_that_of_its_weakest_position() -> None:
    for venue, owner, _ in list_alone(DAY_S)[::8]:
        account = GmxV2Account(venue, owner)
        assert account.health.health_factor_wad == venue.get_health_factor_wad(owner)
        assert account.health.is_liquidatable == venue.get_account(owner).is_liquidatable
        assert account.key == f"gmx_v2:{venue.state.contracts.exchange_router}"


def test_encode_trade_that_adds_brings_the_collateral_of_the_position() -> None:
    venue, owner, position = list_alone(DAY_S)[0]
    size_wad = WAD // 10 if position.is_long else -WAD // 10
    token, amount = venue.get_collateral_wanted(owner, position.market, size_wad)
    assert token == position.collateral_token
    assert amount > 0
    named = replace(venue, collateral={position.market: venue.state.get_market(position.market).long_token})
    assert named.get_collateral_wanted(owner, position.market, size_wad)[0] == next(
        iter(named.collateral.values())
    )
    assert venue.get_collateral_wanted(owner, position.market, -size_wad // 100)[1] == 0
