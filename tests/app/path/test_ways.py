"""The router that an order goes through: the cheapest of those that can fill its route."""

from __future__ import annotations

from pathlib import Path

import pytest
from few_venues import without

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.path.context import Step
from onchain_exec.app.path.ways import Choice
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.execution import SimulatedTx
from onchain_exec.venues.permit2 import PERMIT2


class Watched:
    """A desk on the test's own chain, and the choices it made."""

    def __init__(self, fork: Sandbox, folder: Path, profile: ChainProfile | None = None) -> None:
        self.choices: list[Choice] = []
        self.desk = Desk.connect(
            fork.url,
            signer=LocalSigner(fork.trader.key),
            journal=folder / "journal.sqlite",
            profile=profile or fork.profile,
            observe=self.observe,
        )

    def observe(self, step: Step, made: object) -> None:
        if isinstance(made, Choice):
            assert step is Step.CHOSEN
            self.choices.append(made)

    def plan(self, sell: str, amount: str, buy: str) -> tuple[Choice, SimulatedTx]:
        planned = self.desk.plan(self.desk.quote(sell, buy, amount))
        assert isinstance(planned, SimulatedTx)
        return self.choices[-1], planned


@pytest.fixture
def watched(fork: Sandbox, tmp_path: Path):
    made = Watched(fork, tmp_path)
    with made.desk:
        yield made


def test_plan_of_a_uniswap_route_takes_the_least_gas_of_all_routers(watched: Watched, fork: Sandbox) -> None:
    evm, trader = ChainEvm(fork.chain), fork.trader.address
    for name in ("onchain_exec router", "uniswap_v3 swap_router"):
        approve(
            evm, fork.profile.tokens["WETH"], trader, fork.profile.protocols[name.split()[0]][name.split()[1]]
        )
    approve(evm, fork.profile.tokens["WETH"], trader, PERMIT2)
    choice, planned = watched.plan("WETH", "1", "USDC")
    assert set(choice.gas_units) >= {"Router", "SwapRouter02"}
    assert planned.gas_used == choice.gas_units[choice.chosen] == min(choice.gas_units.values())
    assert set(choice.gas_units) | set(choice.excluded) == {"Router", "SwapRouter02", "Universal Router"}


def test_plan_of_a_route_through_balancer_goes_through_our_router_alone(
    watched: Watched, fork: Sandbox
) -> None:
    choice, planned = watched.plan("WETH", "600", "USDC")
    kinds = {hop.pool.kind for hop in planned.plan.cause.quote.route.hops}
    assert "balancer_weighted" in kinds
    assert set(choice.gas_units) == {"Router"}
    assert choice.excluded["SwapRouter02"]  # a graph, or a pool that it does not reach
    assert planned.plan.to == fork.profile.get_contract("onchain_exec", "router")
    assert str(choice).startswith(f"Router {choice.gas_units['Router']:,} gas; not SwapRouter02: ")


def test_plan_where_an_allowance_stands_counts_the_approval_that_it_saves(
    watched: Watched, fork: Sandbox
) -> None:
    before, _ = watched.plan("DAI", "500", "USDC")
    router = fork.profile.protocols["uniswap_v3"]["swap_router"]
    approve(ChainEvm(fork.chain), fork.profile.tokens["DAI"], fork.trader.address, router)
    choice, planned = watched.plan("DAI", "500", "USDC")
    assert before.chosen == "Router"
    assert (choice.chosen, planned.depends_on) == ("SwapRouter02", ())


def test_sell_on_a_chain_without_our_router_goes_through_uniswaps(fork: Sandbox, tmp_path: Path) -> None:
    made = Watched(fork, tmp_path, without(fork.profile, "onchain_exec"))
    with made.desk as desk:
        order = desk.sell("WETH", "600", buy="USDC")
        quote = desk.quote("WETH", "USDC", "600")
    assert order.fill is not None
    assert {hop.pool.kind for hop in quote.route.hops} <= {"uniswap_v2", "uniswap_v3"}
    assert made.choices[-1].chosen == "SwapRouter02"


def test_sell_of_a_route_over_all_venues_fills_as_quoted(watched: Watched) -> None:
    with watched.desk as desk:
        quote = desk.quote("WETH", "USDC", "600")
        order = desk.execute(quote)
    assert {hop.pool.kind for hop in quote.route.hops} >= {"uniswap_v2", "uniswap_v3", "balancer_weighted"}
    assert order.fill is not None
    assert order.fill.amount_out == quote.amount_out
