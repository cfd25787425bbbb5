"""Which routers an order may go through, and what is searched for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from oms.builders import CHAIN_ID, KEEPER, TRADER, USDC, WETH
from path_stage import APPROVED, ORDER, Stage, open_stage, take_steps

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.path import ways
from onchain_exec.app.path.context import Policy
from onchain_exec.app.path.routers import get_search, list_executable, list_routers, list_routers_of
from onchain_exec.core import Call, Condition, Exact
from onchain_exec.errors import ConfigError, UnsupportedOrderError
from onchain_exec.risk import Limits
from onchain_exec.routing import Shape

UNISWAP: Mapping[str, Mapping[str, str]] = {
    "uniswap_v2": {"factory": KEEPER},
    "uniswap_v3": {"factory": KEEPER, "swap_router": TRADER},
}
OURS: Mapping[str, Mapping[str, str]] = {
    "onchain_exec": {"router": KEEPER},
    "uniswap_v4": {"pool_manager": KEEPER},
}
GUARDED = replace(ORDER, conditions=(Condition.at_least(Call(KEEPER, b""), 1),))


def profile(*protocols: Mapping[str, Mapping[str, str]]) -> ChainProfile:
    listed = {name: contracts for some in protocols for name, contracts in some.items()}
    return ChainProfile(CHAIN_ID, "a test", "ETH", WETH, {"WETH": WETH, "USDC": USDC}, listed)  # type: ignore[arg-type]


def test_list_routers_of_an_order_with_conditions_is_ours_alone() -> None:
    both = profile(UNISWAP, OURS)
    assert list(list_routers_of(both, ORDER)) == ["Router", "SwapRouter02"]
    assert list(list_routers_of(both, GUARDED)) == ["Router"]
    with pytest.raises(UnsupportedOrderError, match="1 conditions"):
        list_routers_of(profile(UNISWAP), GUARDED)
    with pytest.raises(ConfigError, match="no complete router"):
        list_routers(profile({"uniswap_v3": UNISWAP["uniswap_v3"]}))


@pytest.mark.parametrize(
    ("listed", "exact", "shape"),
    [
        ((UNISWAP, OURS), Exact.IN, Shape.GRAPH),
        ((UNISWAP, OURS), Exact.OUT, Shape.PATHS),  # only a path can be given what rounding takes on the way
        ((UNISWAP,), Exact.IN, Shape.PATHS),
    ],
)
def test_get_search_is_for_what_the_routers_of_the_chain_run(
    listed: tuple[Mapping[str, Mapping[str, str]], ...], exact: Exact, shape: Shape
) -> None:
    assert get_search(profile(*listed), exact).shape is shape
    assert ("balancer_v2" in list_executable(profile(*listed))) is (OURS in listed)


@pytest.fixture
def stage() -> Stage:
    return open_stage()


async def test_find_ways_are_those_whose_allowance_the_limits_approve(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, rich = APPROVED.account, replace(APPROVED.account, spender=TRADER)
    accounts = {"own": own, "poor": replace(rich, allowance=0), "rich": rich}
    stage.policy = Policy(Limits(may_approve=False))
    take_steps(stage, monkeypatch, ways, read_accounts=accounts)
    monkeypatch.setattr(ways, "list_routers_of", lambda *_: dict.fromkeys(accounts))
    found = await ways.find_ways(stage.context, APPROVED)
    assert [(way.name, way.approved.account) for way in found] == [("own", own), ("rich", rich)]
