"""Limits on what an action leaves an account: found and needed, and never in the way of what is safer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import ZERO_ADDRESS, BlockRef
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import ConfigError, PoolRevertError
from onchain_exec.risk.action import ApprovedAction, DeniedAction
from onchain_exec.risk.collateral import NO_LIMITS, CollateralLimits, Preview, check_action
from onchain_exec.risk.collateral_care import find_least_care
from onchain_exec.risk.verdict import DenialCode
from onchain_exec.venues.collateral import Health, LiquidationPrice

BLOCK = BlockRef(1, 1, "0x" + "00" * 32, 100, 0, 30_000_000)
CALL = VenueCall("supply", ZERO_ADDRESS, b"", spends=(Spend(ZERO_ADDRESS, 7, ZERO_ADDRESS),))
ORDER = ActionOrder("a", "a", ZERO_ADDRESS, "aave_v3:pool", (CALL,), (), 200)
FUNDS = {ZERO_ADDRESS: 7}

healths = st.builds(
    Health,
    st.one_of(st.integers(0, 5 * WAD), st.just(MAX_UINT256)),
    st.integers(-(10**12), 10**12),
    st.just(10**8),
    st.lists(
        st.builds(LiquidationPrice, st.just("WETH"), st.integers(1, 10**12), st.integers(1, 10**12)),
        max_size=2,
    ).map(tuple),
    st.one_of(st.none(), st.integers(0, 5 * WAD)),
)
limits = st.builds(
    CollateralLimits,
    st.one_of(st.none(), st.integers(WAD, 5 * WAD)),
    st.one_of(st.none(), st.integers(0, 5 * WAD)),
    st.one_of(st.none(), st.integers(-(10**12), 10**12)),
    st.one_of(st.none(), st.integers(0, 9_999)),
)


@given(before=healths, after=healths, bounds=limits)
def test_check_action_that_worsens_nothing_passes_whatever_the_limits(before, after, bounds):
    same = Preview(BLOCK, after, after)
    assert isinstance(check_action(ORDER, same, FUNDS, bounds, 100), ApprovedAction)
    verdict = check_action(ORDER, Preview(BLOCK, before, after), FUNDS, bounds, 100)
    if isinstance(verdict, DeniedAction):
        assert (verdict.found, verdict.limit) != ("", "")
        assert isinstance(
            check_action(ORDER, Preview(BLOCK, before, after), FUNDS, NO_LIMITS, 100), ApprovedAction
        )


@given(
    before=healths,
    after=healths,
    bounds=limits,
    field=st.sampled_from(
        (
            "min_health_factor_wad",
            "min_margin_ratio_wad",
            "min_free_collateral",
            "min_liquidation_distance_bps",
        )
    ),
)
def test_check_action_with_one_limit_less_never_denies_what_passed(before, after, bounds, field):
    preview = Preview(BLOCK, before, after)
    if isinstance(check_action(ORDER, preview, FUNDS, bounds, 100), ApprovedAction):
        wider = replace(bounds, **{field: None})
        assert isinstance(check_action(ORDER, preview, FUNDS, wider, 100), ApprovedAction)


def test_check_action_too_late_or_without_the_funds_is_denied():
    preview = Preview(BLOCK, Health(WAD, 0, 1), Health(WAD, 0, 1))
    late = check_action(ORDER, preview, FUNDS, NO_LIMITS, 200)
    poor = check_action(ORDER, preview, {ZERO_ADDRESS: 6}, NO_LIMITS, 100)
    assert isinstance(late, DeniedAction)
    assert isinstance(poor, DeniedAction)
    assert (late.code, poor.code) == (DenialCode.DEADLINE_PASSED, DenialCode.BALANCE_BELOW_AMOUNT)
    assert (poor.found.split()[0], poor.limit) == ("6", "7")


@pytest.mark.parametrize(
    "bounds", [{"min_health_factor_wad": WAD - 1}, {"min_liquidation_distance_bps": 10_000}]
)
def test_collateral_limits_that_mean_nothing_raise(bounds):
    with pytest.raises(ConfigError):
        CollateralLimits(**bounds)


class Debtor:
    """An account whose health factor is what it was given, up to all that it can take."""

    def __init__(self, factor: int, capacity: int) -> None:
        self.factor, self.capacity = factor, capacity
        self.health = Health(factor, 0, 1)

    def after(self, amount: int) -> "Debtor":
        if amount > self.capacity:
            raise PoolRevertError("26", found=f"{amount}")
        return Debtor(self.factor + amount, self.capacity)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_find_least_care_is_the_least_that_reaches_the_target(factor, target, at_most):
    account = Debtor(factor, 10**6)
    amount, reaches = find_least_care(account, lambda n: n, factor + target, at_most)
    assert (amount, reaches) == ((target, True) if target <= at_most else (at_most, False))


def test_find_least_care_that_the_chain_refuses_raises():
    with pytest.raises(PoolRevertError):
        find_least_care(Debtor(0, 5), lambda n: n, 100, 10)
