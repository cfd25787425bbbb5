"""What Synthetix v3's perpetuals refuse, by settings that recorded states come near: with the own reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from perps_market import list_deeds

from onchain_exec.core import ZERO_ADDRESS, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.synthetix_v3.mirror import orders
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.liquidation import liquidate_margin
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.market import Liquidated
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.orders import commit, modify_collateral, pay_debt
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import State

ETH = 100
KEEPER = to_address(b"\x12" * 20)


@cache
def find_free() -> tuple[State, int]:
    """A state and an account that may buy a little ether."""
    for deed in list_deeds():
        for account in deed.after.accounts.values():
            try:
                commit(deed.after, account.id, ETH, WAD // 100, 2**255)
            except PoolRevertError:
                continue
            if account.usd > WAD:
                return deed.after, account.id
    raise AssertionError("nobody may buy")


def with_rules(state: State, **changed: object) -> State:
    market = state.markets[ETH]
    rules = replace(market.rules, **changed)  # type: ignore[arg-type]
    return state.with_market(replace(market, rules=rules))


def with_account(state: State, account: int, **changed: object) -> State:
    return state.with_account(replace(state.accounts[account], **changed))  # type: ignore[arg-type]


def disable(state: State, _: int) -> State:
    market = state.markets[ETH]
    return state.with_market(replace(market, strategy=market.strategy._replace(is_disabled=True)))


COMMITS: dict[str, Callable[[State, int], State]] = {
    "FeatureUnavailable": lambda state, _: replace(state, is_open=False),
    "InvalidSettlementStrategy": disable,
    "MaxPositionsPerAccountReached": lambda state, account: replace(
        with_account(state, account, positions={}), max_positions=0
    ),
    "AccountLiquidatable": lambda state, account: with_account(state, account, is_flagged=True),
    "MaxOpenInterestReached": lambda state, _: with_rules(state, max_size=0),
    "MaxUSDOpenInterestReached": lambda state, _: with_rules(state, max_size=2**200, max_value=1),
    "InsufficientMargin": lambda state, _: with_rules(state, taker_fee=10**6 * WAD, maker_fee=10**6 * WAD),
    "ExceedsMarketCreditCapacity": lambda state, _: state.with_cash(-state.pool.withdrawable),
}


@pytest.mark.parametrize("reason", COMMITS)
def test_commit_beyond_a_limit_raises_its_reason(reason: str) -> None:
    state, account = find_free()
    held = state.accounts[account].positions.get(ETH)
    size = WAD // 100 * (-1 if held and held.size < 0 else 1)
    with pytest.raises(PoolRevertError) as refused:
        commit(COMMITS[reason](state, account), account, ETH, size, 2**255 if size > 0 else 0)
    assert refused.value.reason == reason


def test_commit_of_no_size_and_settle_of_no_order_raise_pool_revert() -> None:
    state, account = find_free()
    with pytest.raises(PoolRevertError) as refused:
        commit(state, account, ETH, 0, 0)
    assert refused.value.reason == "ZeroSizeOrder"
    bare = with_account(state, account, order=None)
    with pytest.raises(PoolRevertError) as refused:
        orders.settle(bare, account, 1)
    assert refused.value.reason == "OrderNotValid"
    with pytest.raises(InputError, match="account 77 was not read"):
        orders.settle(bare, 77, 1)


COLLATERAL: dict[str, tuple[int, Callable[[State, int], State]]] = {
    "InvalidAmountDelta": (0, lambda state, _: state),
    "MaxCollateralExceeded": (WAD, lambda state, _: replace(state, pool=replace(state.pool, max_usd=1))),
    "SynthNotEnabledForCollateral": (
        WAD,
        lambda state, _: replace(state, pool=replace(state.pool, max_usd=0)),
    ),
    "MaxCollateralsPerAccountReached": (
        WAD,
        lambda state, account: replace(with_account(state, account, usd=0), max_collaterals=0),
    ),
}


@pytest.mark.parametrize("reason", COLLATERAL)
def test_modify_collateral_beyond_a_limit_raises_its_reason(reason: str) -> None:
    state, account = find_free()
    amount, change = COLLATERAL[reason]
    with pytest.raises(PoolRevertError) as refused:
        modify_collateral(change(state, account), account, amount)
    assert refused.value.reason == reason


def test_pay_debt_takes_no_more_than_the_debt() -> None:
    state, account = find_free()
    indebted = with_account(state, account, debt=3 * WAD, order=None)
    paid = pay_debt(indebted, account, 5 * WAD)
    assert paid.accounts[account].debt == 0
    assert paid.pool.withdrawable - indebted.pool.withdrawable == 3 * WAD
    with pytest.raises(PoolRevertError) as refused:
        pay_debt(paid, account, 1)
    assert refused.value.reason == "NonexistentDebt"


def test_liquidate_margin_of_an_account_with_positions_raises_pool_revert() -> None:
    state, account = next(
        (deed.after, one.id) for deed in list_deeds() for one in deed.after.accounts.values() if one.positions
    )
    with pytest.raises(PoolRevertError) as refused:
        liquidate_margin(state, KEEPER, account)
    assert refused.value.reason == "AccountHasOpenPositions"


def test_get_liquidatable_is_what_the_window_leaves() -> None:
    state, _ = find_free()
    market = with_rules(
        state,
        maker_fee=WAD // 1000,
        taker_fee=WAD // 1000,
        skew_scale=1_000 * WAD,
        liquidation_multiplier=WAD,
        liquidation_window_s=10,
        max_liquidation_pd=WAD,
        endorsed_liquidator=KEEPER,
    ).markets[ETH]
    market, anybody = replace(market, skew=0, liquidated=()), ZERO_ADDRESS
    most = market.rules.most_per_window
    assert most == 20 * WAD
    assert market.get_liquidatable(30 * WAD, anybody, 100) == most
    assert market.get_liquidatable(30 * WAD, KEEPER, 100) == 30 * WAD
    half = market.with_liquidated(12 * WAD, anybody, 100)
    assert half.liquidated == (Liquidated(12 * WAD, 100),)
    assert half.get_liquidatable(30 * WAD, anybody, 100) == 8 * WAD
    full = half.with_liquidated(8 * WAD, anybody, 100)
    assert full.liquidated == (Liquidated(20 * WAD, 100),)
    assert full.get_liquidatable(30 * WAD, anybody, 100) == 0
    assert full.get_liquidatable(30 * WAD, anybody, 101) == most  # a balanced market takes one more block
    assert full.with_liquidated(WAD, anybody, 101).get_liquidatable(30 * WAD, anybody, 101) == 0
    assert full.get_liquidatable(30 * WAD, anybody, 111) == most


def test_fill_price_without_a_skew_scale_is_the_oracles() -> None:
    state, _ = find_free()
    flat = with_rules(state, skew_scale=0).markets[ETH]
    assert flat.get_fill_price(5 * WAD, 3_000 * WAD) == 3_000 * WAD
    assert flat.velocity == 0
