"""Synthetix v3's perpetuals as a venue, on the states that were recorded on its modules."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from perps_market import WORLDS, get_deeds, list_deeds, start

from onchain_exec.core import Address, Token, to_address
from onchain_exec.core.action import Spend
from onchain_exec.core.fixed_point import MAX_UINT256, WAD, div_up
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError, PoolRevertError, UnsupportedOrderError
from onchain_exec.venues.perpetuals import TwoPhaseVenue
from onchain_exec.venues.perpetuals.actions import Deposit, Trade
from onchain_exec.venues.perpetuals.hedge import Leg, find_hedge
from onchain_exec.venues.perpetuals.synthetix_v3 import SynthetixV3Venue
from onchain_exec.venues.perpetuals.synthetix_v3 import contracts as abi
from onchain_exec.venues.perpetuals.synthetix_v3.account import SynthetixV3Account
from onchain_exec.venues.perpetuals.synthetix_v3.actions import (
    encode_create_account,
    encode_liquidate_margin,
    encode_pay_debt,
    get_market_address,
    get_market_id,
)
from onchain_exec.venues.perpetuals.synthetix_v3.mirror import orders

HOUR_S = 3_600
ETH = get_market_address(100)


@cache
def list_held() -> list[tuple[SynthetixV3Venue, Address, Address]]:
    """Accounts that may trade, with a market that they are in, an hour later."""
    found = []
    for deed in list_deeds()[::2]:
        venue = SynthetixV3Venue(deed.after.seen_at(deed.after.at + HOUR_S))
        for account in deed.after.accounts.values():
            if account.positions and not account.is_flagged and account.order is None:
                found.append((venue, account.owner, get_market_address(next(iter(account.positions)))))
    return found


@cache
def list_safe() -> list[tuple[SynthetixV3Venue, Address, Address]]:
    return [one for one in list_held() if not one[0].get_account(one[1]).is_liquidatable]


def test_synthetix_v3_venue_is_a_venue_of_two_phases() -> None:
    venue: TwoPhaseVenue = list_held()[0][0]
    assert venue.is_two_phase
    assert [market.symbol for market in venue.markets] == ["ETH", "BTC"]
    assert venue.get_market(ETH).is_open
    assert get_market_id(ETH) == 100


def test_preview_trade_is_a_commit_and_its_settlement() -> None:
    settled = 0
    for deed in list_deeds():
        if deed.name != "commit" or deed.refused:
            continue
        account, market, size, _ = deed.terms
        venue = SynthetixV3Venue(deed.before)
        owner = deed.before.accounts[account].owner
        waiting = deed.after.seen_at(deed.after.at + deed.after.markets[market].strategy.delay_s)
        try:
            done = orders.settle(waiting, account, deed.after.markets[market].price)
        except PoolRevertError:
            continue
        settled += 1
        preview = venue.preview_trade(owner, get_market_address(market), size)
        assert preview.after.state == done.state
        assert (preview.size_wad, preview.fee_wad) == (size, done.fee)
        assert abs(preview.notional_wad * WAD // size - done.fill_price) <= 2 * WAD // min(WAD, abs(size)) + 2
    assert settled > 5


def test_get_requests_are_orders_until_they_expire() -> None:
    seen = 0
    for deed in list_deeds():
        if deed.name != "commit" or deed.refused:
            continue
        account, market, size, _ = deed.terms
        venue, owner = SynthetixV3Venue(deed.after), deed.after.accounts[account].owner
        (request,) = venue.get_requests(owner)
        strategy = deed.after.markets[market].strategy
        assert (request.market, request.size_wad) == (get_market_address(market), size)
        assert request.from_at == deed.after.at + strategy.delay_s
        assert request.until_at == request.from_at + strategy.window_s
        assert not venue.seen_at(request.until_at + 1).get_requests(owner)
        cancel = venue.encode_cancel(owner, request)
        assert abi.CANCEL_ORDER.decode_arguments(cancel.data) == (account,)
        assert abi.SETTLE_ORDER.decode_arguments(venue.encode_settlement(owner, owner).data) == (account,)
        seen += 1
    assert seen > 5


def test_get_requests_of_another_strategy_raises_input_error() -> None:
    deed = next(one for one in list_deeds() if one.name == "commit" and not one.refused)
    account = deed.after.accounts[deed.terms[0]]
    assert account.order is not None
    other = replace(account, order=account.order._replace(strategy_id=1))
    venue = SynthetixV3Venue(deed.after.with_account(other))
    with pytest.raises(InputError, match="an order of strategy 1"):
        venue.get_requests(account.owner)


def test_get_account_liquidation_price_is_the_last_that_holds() -> None:
    decided = 0
    for venue, owner, market in list_safe()[::5]:
        found = venue.get_account(owner).get_position(market)
        assert found is not None
        if found.liquidation_price_wad is None:
            continue
        decided += 1
        price_wad = found.liquidation_price_wad
        beyond = price_wad - 1 if found.size_wad > 0 else price_wad + 1
        assert not venue.with_index(market, price_wad).get_account(owner).is_liquidatable
        assert venue.with_index(market, beyond).get_account(owner).is_liquidatable
    assert decided > 2


def test_get_account_free_collateral_may_be_taken_and_no_more() -> None:
    taken = 0
    for venue, owner, market in list_safe()[::3]:
        free = venue.get_account(owner).free_collateral_wad
        usd = venue.find_account(owner).usd
        if not 0 < free < usd:
            continue
        taken += 1
        after = venue.preview_withdraw(owner, venue.state.usd, free, market)
        assert after.get_account(owner).free_collateral_wad >= 0
        with pytest.raises(PoolRevertError) as refused:
            venue.preview_withdraw(owner, venue.state.usd, free + 1, market)
        assert refused.value.reason == "InsufficientCollateralAvailableForWithdraw"
    assert taken > 1


def test_preview_close_ends_the_position() -> None:
    closed = 0
    for venue, owner, market in list_safe()[::2]:
        try:
            done = venue.preview_close(owner, market)
        except PoolRevertError as error:
            assert error.reason == "InsufficientMargin"  # noqa: PT017 (the fee may be beyond the margin)
            continue
        closed += 1
        assert done.after.get_account(owner).get_position(market) is None
    assert closed > 1


def test_get_funding_is_what_positions_come_to_owe() -> None:
    checked = 0
    for venue, owner, market in list_safe()[::6]:
        now, later = (
            one.get_account(owner).get_position(market) for one in (venue, venue.seen_at(venue.at + 30))
        )
        assert now is not None
        assert later is not None
        found = venue.state.get_market(get_market_id(market)).funded(
            venue.get_market(market).index_price_wad, venue.at
        )
        fresh = SynthetixV3Venue(venue.state.with_market(found))
        expected = fresh.get_funding(market).get_cost(now.size_wad, 30)
        grown = later.funding_owed_wad - now.funding_owed_wad
        assert abs(grown - expected) <= abs(expected) // 10 + abs(now.entry_notional_wad) // 10**5
        checked += 1
    assert checked > 2


def test_encode_trade_bound_is_the_acceptable_price() -> None:
    venue, owner, market = list_safe()[0]
    account = venue.find_account(owner).id
    for size_wad, bound_wad, price in (
        (2 * WAD, 6_001 * WAD, 6_001 * WAD // 2),
        (-3 * WAD, 6_000 * WAD + 1, div_up(6_000 * WAD + 1, 3)),
        (WAD, 0, MAX_UINT256),
        (-WAD, 0, 0),
    ):
        call = venue.encode_trade(owner, market, size_wad, bound_wad, 0)
        ((found, who, size, _, acceptable, _, _),) = abi.COMMIT_ORDER.decode_arguments(call.data)
        assert (found, who, size, acceptable) == (get_market_id(market), account, size_wad, price)
        assert (call.to, call.sender) == (venue.state.proxy, owner)


def test_encode_deposit_and_withdraw_are_signed_amounts() -> None:
    venue, owner, market = list_safe()[0]
    account, usd = venue.find_account(owner).id, venue.state.usd
    deposit, withdraw = (
        venue.encode_deposit(owner, usd, 7, market),
        venue.encode_withdraw(owner, usd, 7, market),
    )
    assert abi.MODIFY_COLLATERAL.decode_arguments(deposit.data) == (account, 0, 7)
    assert abi.MODIFY_COLLATERAL.decode_arguments(withdraw.data) == (account, 0, -7)
    liquidation = venue.encode_liquidation(owner, owner, market)
    assert abi.LIQUIDATE.decode_arguments(liquidation.data) == (account,)
    created = encode_create_account(venue.state.proxy, owner, 99)
    assert abi.CREATE_ACCOUNT.decode_arguments(created.data) == (99,)


def test_encode_pay_debt_and_liquidate_margin_are_the_modules_calls() -> None:
    deeds = {deed.name: deed for deed in get_deeds(len(WORLDS) - 1)}
    account, amount = deeds["pay"].terms
    proxy, anybody = deeds["pay"].before.proxy, to_address(b"\x12" * 20)
    paid = encode_pay_debt(proxy, anybody, account, amount)
    assert paid.data == keccak(b"payDebt(uint128,uint256)")[:4] + account.to_bytes(32) + amount.to_bytes(32)
    keeper, account = deeds["margin"].terms
    taken = encode_liquidate_margin(proxy, to_address(keeper), account)
    assert taken.data == keccak(b"liquidateMarginOnly(uint128)")[:4] + account.to_bytes(32)
    assert (paid.to, paid.sender, taken.to, taken.sender) == (proxy, anybody, proxy, keeper)


def test_require_health_bounds_the_margin_that_the_contract_finds() -> None:
    venue, owner, _ = list_safe()[0]
    guard = SynthetixV3Account(venue, owner).require_health(2 * WAD)
    assert guard.data == abi.GET_AVAILABLE_MARGIN.encode(venue.find_account(owner).id)
    assert guard.bound == 2 * venue.get_account(owner).maintenance_margin_wad


def test_encode_action_names_what_is_only_asked_for() -> None:
    venue, owner, market = list_safe()[0]
    account = SynthetixV3Account(venue, owner)
    usd = Token(1337, venue.state.usd, "snxUSD", 18)
    assert account.encode(Trade(market, WAD, 0)).label == f"ask to buy 1 in {market}"
    deposit = account.encode(Deposit(usd, 5 * WAD))
    assert deposit.label == "deposit 5 snxUSD"
    assert deposit.spends == (Spend(usd.address, 5 * WAD, venue.state.proxy),)
    assert account.key == f"synthetix_v3:{venue.state.proxy}"
    assert account.after(Deposit(usd, 5 * WAD)).state.value_wad == account.state.value_wad + 5 * WAD


def test_synthetix_v3_venue_refuses_what_it_cannot_do() -> None:
    venue, owner, market = list_safe()[0]
    nobody = to_address(b"\x12" * 20)
    with pytest.raises(InputError, match="0 accounts of"):
        venue.get_account(nobody)
    with pytest.raises(InputError, match="a trade of no size"):
        venue.preview_trade(owner, market, 0)
    with pytest.raises(InputError, match="market 7 was not read; needed: one of ETH"):
        venue.get_market(get_market_address(7))
    with pytest.raises(InputError, match="is not foreseen as collateral"):
        venue.preview_deposit(owner, nobody, 1, market)
    with pytest.raises(UnsupportedOrderError, match="no position of"):
        venue.preview_close(owner, get_market_address(7))
    with pytest.raises(InputError, match="is before the state's time"):
        venue.seen_at(0)


def test_preview_while_the_system_is_off_raises_pool_revert() -> None:
    venue, owner, market = list_safe()[0]
    off = SynthetixV3Venue(replace(venue.state, is_open=False))
    assert not off.get_market(market).is_open
    with pytest.raises(PoolRevertError) as refused:
        off.preview_trade(owner, market, WAD)
    assert refused.value.reason == "FeatureUnavailable"


def test_find_hedge_counts_interest_on_both_sides() -> None:
    venue, owner, market = list_safe()[0]
    leg = Leg(venue, owner, market)
    index = venue.get_market(market).index_price_wad
    hedge = find_hedge([leg], leg.size_wad // 2, index, 24 * HOUR_S, parts=2)
    (order,) = hedge.orders
    funding = venue.get_funding(market)
    held, left = leg.size_wad, leg.size_wad + order.size_wad
    assert order.funding_wad == funding.get_cost(left, 24 * HOUR_S) - funding.get_cost(held, 24 * HOUR_S)


def test_storage_slots_are_those_of_the_libraries() -> None:
    recording = start(WORLDS[0])
    reads = [key for key in recording.keys if "*:" in key]
    slot = abi.find_slot("PerpsMarket", 100)
    assert any(f"{slot + 3:064x}" in key for key in reads)
    expected = keccak(
        (64).to_bytes(32)
        + (100).to_bytes(32)
        + (37).to_bytes(32)
        + b"io.synthetix.perps-market.PerpsMarket".ljust(64, b"\0")
    )
    assert slot == int.from_bytes(expected)
