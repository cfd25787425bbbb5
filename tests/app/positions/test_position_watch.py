"""After the deed: alarms by distance to liquidation, orders that keep it away, and life without them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runner import Cli
from held_back import impatient
from lending_desk import Lending

from onchain_exec.app.positions.watch import Care
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.core import to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import ConfigError, InputError, PoolRevertError
from onchain_exec.oms import OrderState
from onchain_exec.risk.collateral import CollateralLimits
from onchain_exec.venues.lending.aave_v3 import liquidate
from onchain_exec.venues.lending.actions import ALL, Borrow, Repay, Supply

BASE_UNIT = 10**8
KEEPER = to_address(b"\x4b" * 20)


def test_account_to_the_edge_of_liquidation_and_past_it(lending: Lending) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    lending.borrow_against_ten_ether(20_000)
    account = desk.account("aave_v3")
    (edge,) = [found for found in account.health.liquidation_prices if found.asset == "WETH"]
    assert edge.liquidation_price < 3_000 * BASE_UNIT

    lending.market.set_price(weth, edge.liquidation_price + BASE_UNIT)  # a dollar above: nobody may
    account = desk.account("aave_v3")
    with pytest.raises(PoolRevertError, match="HEALTH_FACTOR_NOT_BELOW_THRESHOLD"):
        liquidate(account, weth.address, usdc.address, ALL)

    lending.market.set_price(weth, edge.liquidation_price - 10 * BASE_UNIT)
    account = desk.account("aave_v3")
    assert account.health.is_liquidatable
    evm = lending.market.deployed.evm
    fund(evm, usdc, KEEPER, 20_000 * 10**6)
    evm.set_balance(KEEPER, WAD)
    approve(evm, usdc, KEEPER, lending.market.pool)
    owner = account.owner
    lending.market.act(KEEPER, "liquidationCall", weth.address, usdc.address, owner, ALL, False)
    after = desk.account("aave_v3")
    foreseen = liquidate(account.at_time(after.at), weth.address, usdc.address, ALL)
    assert after.health == foreseen.account.health
    assert foreseen.repaid == pytest.approx(10_000 * 10**6, rel=1e-3)  # half: the close factor
    assert foreseen.seized > 3 * WAD


def test_what_if_shows_the_account_after_any_actions_and_prices(lending: Lending) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    account = desk.account("aave_v3", "WETH", "USDC")
    loan = Borrow(usdc, 20_000 * 10**6)
    crash = account.after(Supply(weth, 10 * WAD)).after(loan).at_price(weth.address, 2_000 * BASE_UNIT)
    assert crash.health.is_liquidatable
    saved = crash.after(Repay(usdc, 10_000 * 10**6))
    assert not saved.health.is_liquidatable
    assert account.health.owes_nothing  # the account itself is as it was


@pytest.mark.parametrize("kind", [Repay, pytest.param(Supply, marks=pytest.mark.deep)])
def test_take_care_acts_when_too_near_with_the_least_that_is_enough(lending: Lending, kind: type) -> None:
    desk, weth, usdc = lending.desk, lending.token("WETH"), lending.token("USDC")
    lending.borrow_against_ten_ether(15_000)
    token = usdc if kind is Repay else weth
    care = Care(
        "aave_v3",
        lambda amount: kind(token, amount),
        below_wad=13 * WAD // 10,
        target_wad=15 * WAD // 10,
        at_most=10**9 * 10**token.decimals if kind is Repay else 5 * WAD,
    )
    assert desk.take_care(care) is None
    lending.market.set_price(weth, 2_300 * BASE_UNIT)
    order = desk.take_care(care, "care-1")
    assert order is not None
    assert order.state is OrderState.FILLED
    found = desk.account("aave_v3").health.health_factor_wad
    assert 15 * WAD // 10 <= found < 1.501 * WAD
    assert desk.take_care(care) is None


def test_take_care_while_an_order_is_out_gives_no_second_one(lending: Lending) -> None:
    usdc, chain = lending.token("USDC"), lending.sandbox.chain
    lending.borrow_against_ten_ether(15_000)
    approve(lending.market.deployed.evm, usdc, lending.sandbox.trader.address, lending.market.pool)
    care = Care("aave_v3", lambda amount: Repay(usdc, amount), 2 * WAD, 3 * WAD, 1_000 * 10**6)
    with impatient(lending.sandbox, lending.sandbox.trader, lending.journal) as desk:
        first = desk.take_care(care)
        assert first is not None
        assert first.state is OrderState.WORKING
        assert desk.take_care(care) == first
        chain.mine()
        desk.recover()
        assert [order.state for order in desk.orders()] == [OrderState.FILLED]
        second = desk.take_care(care)  # the account is as near as it was, and the first is done
        assert second is not None
        assert second.order_id != first.order_id


@pytest.mark.parametrize(("below", "target"), [(1.5, 2), (1, 2), (WAD - 1, WAD), (2 * WAD, 2 * WAD - 1)])
def test_care_that_would_come_too_late_or_never_be_enough_is_refused(below: int, target: int) -> None:
    with pytest.raises(ConfigError, match="18 decimals"):
        Care("aave_v3", str, below, target, 1)


@pytest.mark.deep
def test_take_care_with_too_little_gives_all_it_may(lending: Lending) -> None:
    desk, usdc = lending.desk, lending.token("USDC")
    lending.borrow_against_ten_ether(15_000)
    care = Care("aave_v3", lambda amount: Repay(usdc, amount), 2 * WAD, 3 * WAD, 1_000 * 10**6)
    order = desk.take_care(care)
    assert order is not None
    assert (order.state, order.action.label) == (OrderState.FILLED, "repay 1000 USDC")


def test_collateral_command_shows_accounts_and_ends_with_alarms(lending: Lending, tmp_path: Path) -> None:
    desk = lending.desk
    cli = Cli(lending.sandbox.url, tmp_path / "cli.sqlite")
    venue = f"aave_v3:{lending.market.pool}"
    lending.borrow_against_ten_ether(15_000)
    calm = cli.run("collateral", "--venue", venue, "--json")
    assert calm.returncode == 0, calm.stderr
    (account,) = json.loads(calm.stdout)["accounts"]
    assert (account["venue"], account["account"]) == (venue, desk.account(venue).owner)
    assert account["alarms"] == []
    assert account["distance_bps"] == pytest.approx(3_975, abs=2)
    alarmed = cli.run(
        "collateral", "--venue", venue, "--min-health", "1.7", "--min-distance-bps", "5000", "--watch"
    )
    assert alarmed.returncode == 4
    assert "HEALTH_FACTOR" in alarmed.stdout.replace("\n", "")
    assert cli.run("collateral", "--venue", "curve:0x00").returncode == 2
    assert cli.run("collateral", "--min-health", "much").returncode == 2


def test_collateral_tells_which_limits_are_not_kept(lending: Lending) -> None:
    desk = lending.desk
    lending.borrow_against_ten_ether(15_000)
    limits = CollateralLimits(min_free_collateral=10_000 * BASE_UNIT, min_liquidation_distance_bps=1_000)
    (report,) = desk.collateral(limits=limits)
    assert [(alarm.code.value, alarm.found) for alarm in report.alarms] == [
        ("FREE_COLLATERAL_BELOW_MINIMUM", "9150.00 of the base currency")
    ]
    with pytest.raises(InputError):
        desk.collateral("lyra")
