"""A short on Lyra looked after through the desk, on its real bytecode."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.derivatives.lyra import deploy_lyra, get_contracts
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError
from onchain_exec.oms import OrderState
from onchain_exec.risk.collateral import CollateralLimits
from onchain_exec.venues.options.lyra.codec import encode_trade
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.state import OptionType
from onchain_exec.venues.options.lyra.trade import Holding, LyraOrder
from onchain_exec.venues.options.market import OptionOrder, Side

pytestmark = pytest.mark.deep  # the deployment takes seconds


def test_perform_changes_the_collateral_of_a_short_under_a_guard(fork: Sandbox, tmp_path: Path) -> None:
    evm, chain = ChainEvm(fork.chain), fork.chain
    now = int(chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    contracts = get_contracts(deploy_lyra(evm, now))
    protocols = {**fork.deployment.protocols, "lyra": asdict(contracts)}
    sandbox = replace(fork, deployment=replace(fork.deployment, protocols=protocols))
    short = LyraOrder(2, OptionType.SHORT_PUT_QUOTE, Direction.OPEN, 2 * WAD, Holding(), 2_000 * WAD)
    evm.call(DEPLOYER, contracts.market, encode_trade(contracts, short, 0, 2**256 - 1).data)
    with Desk.connect(
        sandbox.url,
        signer=LocalSigner(chain.accounts[0].key),
        journal=tmp_path / "journal.sqlite",
        profile=sandbox.profile,
    ) as desk:
        (report,) = desk.collateral()
        account = desk.account(report.key)
        held = account.position
        more = OptionOrder(held.series, Side.SHORT, 0, position=held, collateral_to=2_200 * WAD)
        guard = account.after(more).require_health(WAD)
        order = desk.perform(report.key, more, guards=[guard])
        assert order.state is OrderState.FILLED
        after = desk.account("lyra")
        assert after.position.collateral == 2_200 * WAD
        less = OptionOrder(held.series, Side.SHORT, 0, position=after.position, collateral_to=2_150 * WAD)
        limits = CollateralLimits(min_health_factor_wad=after.health.health_factor_wad)
        assert desk.perform("lyra", less, limits=limits).state is OrderState.DENIED
        with pytest.raises(InputError, match="no accounts"):
            desk.account("lyra:nobody:7")
