"""A short on Lyra looked after through the desk, on its real bytecode."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from held_back import impatient, overtake

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.lyra import deploy_lyra, get_contracts
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import InputError
from onchain_exec.oms import OrderState
from onchain_exec.risk.collateral import CollateralLimits
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.options.lyra.codec import encode_trade
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.state import OptionType
from onchain_exec.venues.options.lyra.trade import Holding, LyraOrder
from onchain_exec.venues.options.market import OptionOrder, Position, Side

pytestmark = pytest.mark.deep  # the deployment takes seconds


def write_put(fork: Sandbox) -> tuple[Sandbox, Deployed]:
    """Lyra on the fork, listed in its profile, and a short put of the trader with 2,000 sUSD behind it."""
    evm, chain, trader = ChainEvm(fork.chain), fork.chain, fork.trader.address
    lyra = deploy_lyra(evm, int(chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16))
    contracts = get_contracts(lyra)
    short = LyraOrder(2, OptionType.SHORT_PUT_QUOTE, Direction.OPEN, 2 * WAD, Holding(), 2_000 * WAD)
    lyra.call("quote", "mint", trader, 10_000 * WAD)
    evm.call(trader, contracts.quote, APPROVE.encode(contracts.market, MAX_UINT256))
    evm.call(trader, contracts.market, encode_trade(contracts, short, 0, MAX_UINT256).data)
    protocols = {**fork.deployment.protocols, "lyra": asdict(contracts)}
    return replace(fork, deployment=replace(fork.deployment, protocols=protocols)), lyra


def cover(held: Position, collateral: int) -> OptionOrder:
    """A change of the collateral alone."""
    return OptionOrder(held.series, Side.SHORT, 0, position=held, collateral_to=collateral)


def test_perform_changes_the_collateral_of_a_short_under_a_guard(fork: Sandbox, tmp_path: Path) -> None:
    sandbox, _ = write_put(fork)
    with Desk.connect(
        sandbox.url,
        signer=LocalSigner(fork.trader.key),
        journal=tmp_path / "journal.sqlite",
        profile=sandbox.profile,
    ) as desk:
        (report,) = desk.collateral()
        account = desk.account(report.key)
        more = cover(account.position, 2_200 * WAD)
        guard = account.after(more).require_health(WAD)
        order = desk.perform(report.key, more, guards=[guard], client_order_id="cover")
        assert order.state is OrderState.FILLED
        after = desk.account("lyra")
        assert after.position.collateral == 2_200 * WAD
        less = cover(after.position, 2_150 * WAD)
        limits = CollateralLimits(min_health_factor_wad=after.health.health_factor_wad)
        assert desk.perform("lyra", less, limits=limits).state is OrderState.DENIED
        with pytest.raises(InputError, match="no accounts"):
            desk.account("lyra:nobody:7")
        all_of_it = OptionOrder(less.series, Side.SHORT, 2 * WAD, is_close=True, position=after.position)
        closed = desk.perform("lyra", all_of_it, client_order_id="out")
        assert closed.state is OrderState.FILLED
        assert desk.collateral() == ()
        assert desk.perform("lyra", all_of_it, client_order_id="out") == closed  # done once
        assert desk.perform(report.key, more, guards=[guard], client_order_id="cover") == order


def test_perform_held_back_until_the_short_would_break_reverts_in_its_transaction(
    fork: Sandbox, tmp_path: Path
) -> None:
    sandbox, lyra = write_put(fork)
    with impatient(sandbox, fork.trader, tmp_path / "journal.sqlite") as desk:
        account = desk.account("lyra")
        less = cover(account.position, 1_700 * WAD)
        after = account.after(less)
        guard = after.require_health(after.health.health_factor_wad * 99 // 100)
        order = desk.perform("lyra", less, guards=[guard], client_order_id="late")
        assert order.state is OrderState.WORKING
        below = lyra.encode("rates", "setRateAndInvalid", b"sETH".ljust(32, b"\0"), guard.bound - 1, False)
        overtake(fork.chain, DEPLOYER, lyra.at["rates"], below)
        fork.chain.mine()
        desk.recover()
        failed = desk.order("late")
        assert failed.state is OrderState.FAILED
        assert failed.failure is not None
        found, needed = f"spot: {guard.bound - 1} after the call", f"needed: at least {guard.bound} "
        assert found in failed.failure.found
        assert needed in failed.failure.found
        assert desk.account("lyra").position == account.position
