"""Actions at a venue along the whole path of an order, on Aave's real bytecode."""

from __future__ import annotations

import re

import pytest
from held_back import impatient, overtake
from lending_desk import Lending

from onchain_exec import Desk
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import address_bytes
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import DuplicateOrderError, HaltedError, PoolRevertError
from onchain_exec.oms import Journal, OrderState, SwitchState
from onchain_exec.risk.collateral import CollateralLimits
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.lending.actions import ALL, Borrow, Repay, Supply, Withdraw
from onchain_exec.venues.permit2 import PERMIT2

BASE_UNIT = 10**8


def test_perform_supply_and_borrow_without_guards_leaves_what_was_foreseen(lending: Lending) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    supplied = desk.perform("aave_v3", Supply(weth, 10 * WAD), client_order_id="in")
    assert (supplied.state, supplied.fill, supplied.client_order_id) == (OrderState.FILLED, None, "in")
    before = desk.account("aave_v3", "USDC")
    borrowed = desk.perform("aave_v3", Borrow(usdc, 10_000 * 10**6))
    assert borrowed.state is OrderState.FILLED
    after = desk.account("aave_v3", "USDC")
    foreseen = before.at_time(after.at).after(Borrow(usdc, 10_000 * 10**6))
    assert after.health == foreseen.health
    assert desk.perform("aave_v3", Supply(weth, 10 * WAD), client_order_id="in") == supplied  # done once
    with pytest.raises(DuplicateOrderError):
        desk.perform("aave_v3", Supply(weth, 11 * WAD), client_order_id="in")


def test_perform_at_a_venue_that_was_stopped_sends_nothing(lending: Lending) -> None:
    desk, weth = lending.desk, lending.token("WETH")
    with Journal.open(lending.journal) as journal:
        journal.append_switch("venue:aave_v3", SwitchState.KILLED, "a drill")
    with pytest.raises(HaltedError, match="aave_v3"):
        desk.perform("aave_v3", Supply(weth, WAD), client_order_id="later")
    assert [(order.state, order.slots) for order in desk.orders()] == [(OrderState.REJECTED, ())]
    with Journal.open(lending.journal) as journal:
        journal.append_switch("venue:aave_v3", SwitchState.RUNNING)
    assert desk.perform("aave_v3", Supply(weth, WAD), client_order_id="later").state is OrderState.FILLED


def test_perform_with_a_guard_runs_in_one_transaction(lending: Lending) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    account = desk.account("aave_v3", "WETH", "USDC")
    steps = Supply(weth, 10 * WAD), Borrow(usdc, 15_000 * 10**6)
    order = desk.perform("aave_v3", *steps, guards=[account.require_health(16 * WAD // 10)])
    assert order.state is OrderState.FILLED
    assert len(order.slots) == 1
    assert desk.account("aave_v3").health.health_factor_wad == pytest.approx(1.66 * WAD)
    again = desk.perform("aave_v3", Repay(usdc, ALL), guards=[account.require_health(WAD)])
    assert again.state is OrderState.FILLED
    assert desk.account("aave_v3").health.owes_nothing


def test_account_that_runs_the_guards_code_still_signs_what_it_sells(fork: Sandbox, desk: Desk) -> None:
    guard = fork.deployment.protocols["onchain_exec"]["guard"]
    fork.chain.set_code(fork.trader.address, b"\xef\x01\x00" + address_bytes(guard))
    permit2 = APPROVE.encode(PERMIT2, WAD)
    ChainEvm(fork.chain).call(fork.trader.address, fork.deployment.tokens["WETH"].address, permit2)
    sale = desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
    assert sale.state is OrderState.FILLED
    assert len(sale.slots) == 1  # no approval: a permit, and the account's code vouched for its signature


def test_perform_held_back_until_collateral_would_break_reverts_in_its_transaction(lending: Lending) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    assert desk.perform("aave_v3", Supply(weth, 10 * WAD)).state is OrderState.FILLED
    guard = desk.account("aave_v3").require_health(15 * WAD // 10)
    loan = Borrow(usdc, 15_000 * 10**6)
    prices, chain = lending.market.deployed, lending.sandbox.chain
    with impatient(lending.sandbox, lending.sandbox.trader, lending.journal) as held:
        order = held.perform("aave_v3", loan, guards=[guard], client_order_id="late")
        assert order.state is OrderState.WORKING
        crash = prices.encode("prices", "setAssetPrice", weth.address, 2_000 * BASE_UNIT)
        overtake(chain, DEPLOYER, prices.at["prices"], crash)
        chain.mine()
        held.recover()
        failed = held.order("late")
        assert failed.state is OrderState.FAILED
        assert failed.failure is not None
        assert re.search(r"health factor: 1\d{18} after the call", failed.failure.found)
        assert f"needed: at least {15 * WAD // 10} (the call reverts: CheckFailed" in failed.failure.found
        assert held.perform("aave_v3", loan, guards=[guard], client_order_id="late") == failed
    assert desk.account("aave_v3").health.owes_nothing


def test_perform_beyond_a_limit_or_guard_is_denied_with_found_and_needed(lending: Lending) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    assert desk.perform("aave_v3", Supply(weth, 10 * WAD)).state is OrderState.FILLED
    loan = Borrow(usdc, 20_000 * 10**6)
    tight = CollateralLimits(min_health_factor_wad=13 * WAD // 10)
    denied = desk.perform("aave_v3", loan, limits=tight, client_order_id="loan")
    assert denied.failure is not None
    assert denied.state is OrderState.DENIED
    assert (denied.failure.code, denied.failure.found, denied.failure.needed) == (
        "HEALTH_FACTOR_BELOW_MINIMUM",
        "1.2450",
        "at least 1.3000",
    )
    near = CollateralLimits(min_liquidation_distance_bps=2_000)
    assert desk.perform("aave_v3", loan, limits=near).failure.found == "1967 bps"
    guarded = desk.perform("aave_v3", loan, guards=[desk.account("aave_v3").require_health(13 * WAD // 10)])
    assert (guarded.state, guarded.failure.code) == (OrderState.DENIED, "CONDITION_FAILED")
    poor = desk.perform("aave_v3", Supply(weth, 10**6 * WAD))
    assert poor.failure.code == "BALANCE_BELOW_AMOUNT"
    with pytest.raises(PoolRevertError, match="COLLATERAL_CANNOT_COVER_NEW_BORROW"):
        desk.perform("aave_v3", Borrow(usdc, 25_000 * 10**6))
    with pytest.raises(PoolRevertError, match="NOT_ENOUGH_AVAILABLE_USER_BALANCE"):
        desk.perform("aave_v3", Withdraw(weth, 11 * WAD))
    assert all(order.tx_hash == "" for order in desk.orders()[1:])
