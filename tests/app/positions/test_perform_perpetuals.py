"""A guarded trade of perpetuals through the desk, on Perpetual Protocol v2's real bytecode."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from held_back import impatient, overtake

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.derivatives.perp_v2 import (
    PerpV2,
    deploy_perp_v2,
    deposit,
    dispatch_price,
    seed_perp_v2,
    set_price,
)
from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.oms import OrderState
from onchain_exec.risk.collateral import CollateralLimits
from onchain_exec.venues.perpetuals.actions import Close, Deposit, Trade

pytestmark = pytest.mark.deep  # the deployment takes seconds

USDC = 10**6


def get_time(sandbox: Sandbox) -> int:
    return int(sandbox.chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def add_exchange(sandbox: Sandbox) -> tuple[Sandbox, PerpV2]:
    """The exchange on the fork, with liquidity, listed in its profile."""
    evm, chain = ChainEvm(sandbox.chain), sandbox.chain

    def warp(seconds: int) -> None:
        chain.increase_time(seconds)
        chain.mine()

    exchange = deploy_perp_v2(evm, 1337, get_time(sandbox), warp)
    seed_perp_v2(evm, exchange, DEPLOYER)
    fund(evm, exchange.settlement, sandbox.trader.address, 100_000 * USDC)
    for market, usd in zip(exchange.markets.values(), (3_000, 60_000), strict=True):
        set_price(evm, market.feed, usd * WAD, get_time(sandbox))
        dispatch_price(evm, market)
    listed = {"clearing_house": exchange.contracts["ClearingHouse"]}
    protocols = {**sandbox.deployment.protocols, "perp_v2": listed}
    return replace(sandbox, deployment=replace(sandbox.deployment, protocols=protocols)), exchange


def test_perform_trades_perpetuals_within_limits_and_guards(fork: Sandbox, tmp_path: Path) -> None:
    sandbox, exchange = add_exchange(fork)
    market, journal = exchange.markets["vETH"].base_token, tmp_path / "journal.sqlite"
    signer = LocalSigner(sandbox.trader.key)
    with Desk.connect(sandbox.url, signer=signer, journal=journal, profile=sandbox.profile) as desk:
        trade = Trade(market, 10 * WAD, 40_000 * WAD)
        with pytest.raises(PoolRevertError):
            desk.perform("perp_v2", trade)  # nothing is deposited
        deposited = desk.perform("perp_v2", Deposit(exchange.settlement, 20_000 * USDC))
        assert deposited.state is OrderState.FILLED
        account = desk.account("perp_v2", market)
        opened = desk.perform("perp_v2", trade, guards=[account.require_health(2 * WAD)])
        assert opened.state is OrderState.FILLED
        after = desk.account("perp_v2")
        assert after.state.positions[0].size_wad == 10 * WAD
        assert after.health.health_factor_wad > 2 * WAD
        limits = CollateralLimits(min_margin_ratio_wad=WAD // 2)
        denied = desk.perform("perp_v2", trade, limits=limits)
        assert (denied.state, denied.failure.code) == (OrderState.DENIED, "MARGIN_RATIO_BELOW_MINIMUM")
        guarded = desk.perform("perp_v2", trade, guards=[account.require_health(8 * WAD)])
        assert (guarded.state, guarded.failure.code) == (OrderState.DENIED, "CONDITION_FAILED")
        closing = desk.perform("perp_v2", Close(market, 0), client_order_id="flat")
        assert closing.state is OrderState.FILLED
        assert desk.account("perp_v2").health.owes_nothing
        sandbox.chain.mine()
        assert desk.perform("perp_v2", Close(market, 0), client_order_id="flat") == closing  # done once


def test_perform_held_back_until_the_margin_would_break_reverts_in_its_transaction(
    fork: Sandbox, tmp_path: Path
) -> None:
    sandbox, exchange = add_exchange(fork)
    market, chain = exchange.markets["vETH"].base_token, sandbox.chain
    deposit(ChainEvm(chain), exchange, sandbox.trader.address, 20_000)
    trade = Trade(market, 10 * WAD, 40_000 * WAD)
    with impatient(sandbox, sandbox.trader, tmp_path / "journal.sqlite") as desk:
        account = desk.account("perp_v2", market)
        foreseen = account.after(trade).health.health_factor_wad
        guards = [account.require_health(foreseen * 99 // 100)]
        order = desk.perform("perp_v2", trade, guards=guards, client_order_id="late")
        assert order.state is OrderState.WORKING
        rival = account.venue.encode_trade(DEPLOYER, market, 100 * WAD, 0, MAX_UINT256)
        overtake(chain, DEPLOYER, exchange.contracts["ClearingHouse"], rival.data)
        chain.mine()
        desk.recover()
        failed = desk.order("late")
        assert failed.state is OrderState.FAILED
        assert failed.failure is not None
        assert re.search(r"free collateral at a margin of \d+ pips: -\d+ after", failed.failure.found)
        assert "needed: at least 0 " in failed.failure.found
        assert desk.account("perp_v2").health.owes_nothing
