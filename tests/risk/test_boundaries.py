"""Where a limit lies to the unit: what meets it exactly passes, and the next unit does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_check import ACCOUNT, NOW, QUOTE, USDC, WETH, tell, with_order
from test_collateral import BLOCK, CALL, FUNDS, ORDER
from test_judge_revert import HEALTH, revert

from onchain_exec.core import ZERO_ADDRESS
from onchain_exec.core.action import Spend
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import RevertError
from onchain_exec.risk import AccountState, Approved, DenialCode, Denied, Limits, check
from onchain_exec.risk.action import ApprovedAction, DeniedAction, check_funds, judge_action
from onchain_exec.risk.collateral import CollateralLimits, Preview, check_action
from onchain_exec.routing import Quote
from onchain_exec.venues.collateral import Health, LiquidationPrice

COST_WEI = QUOTE.gas_cost_wei
HALF_A_PERCENT = replace(QUOTE, fee_cost=10_000_000, impact_cost=10_000_000)


def with_account(**changes: int) -> AccountState:
    return replace(ACCOUNT, **changes)


@pytest.mark.parametrize(
    ("code", "met", "broken"),
    [
        pytest.param(code, met, broken, id=code.name)
        for code, met, broken in (
            (
                DenialCode.BALANCE_BELOW_AMOUNT,
                (QUOTE, with_account(balance_in=2 * 10**18), Limits()),
                (QUOTE, with_account(balance_in=2 * 10**18 - 1), Limits()),
            ),
            (
                DenialCode.GAS_BALANCE_BELOW_COST,
                (QUOTE, with_account(balance_wei=COST_WEI + 7), Limits(gas_reserve_wei=7)),
                (QUOTE, with_account(balance_wei=COST_WEI + 6), Limits(gas_reserve_wei=7)),
            ),
            (
                DenialCode.DEADLINE_PASSED,
                (with_order(expires_at=NOW + 1), ACCOUNT, Limits()),
                (with_order(expires_at=NOW), ACCOUNT, Limits()),
            ),
            (
                DenialCode.PRICE_SHORTFALL_EXCEEDS_MAXIMUM,
                (HALF_A_PERCENT, ACCOUNT, Limits(max_shortfall_bps=50)),
                (replace(HALF_A_PERCENT, fee_cost=10_000_001), ACCOUNT, Limits(max_shortfall_bps=50)),
            ),
            (
                DenialCode.QUOTE_STALE,
                (replace(QUOTE, made_at=NOW - 60), ACCOUNT, Limits(max_quote_age_s=60)),
                (replace(QUOTE, made_at=NOW - 61), ACCOUNT, Limits(max_quote_age_s=60)),
            ),
            (
                DenialCode.AMOUNT_OUT_MIN_MISSING,
                (replace(QUOTE, amount_out_min=1), ACCOUNT, Limits()),
                (replace(QUOTE, amount_out_min=0), ACCOUNT, Limits()),
            ),
            (
                DenialCode.SLIPPAGE_EXCEEDS_MAXIMUM,
                (QUOTE, ACCOUNT, Limits(max_slippage_bps=50)),
                (QUOTE, ACCOUNT, Limits(max_slippage_bps=49)),
            ),
            (
                DenialCode.PRICE_IMPACT_EXCEEDS_MAXIMUM,
                (QUOTE, ACCOUNT, Limits(max_impact_bps=20)),
                (replace(QUOTE, impact_cost=8_000_001), ACCOUNT, Limits(max_impact_bps=20)),
            ),
            (
                DenialCode.NOTIONAL_EXCEEDS_MAXIMUM,
                (
                    QUOTE,
                    ACCOUNT,
                    Limits(max_notional={WETH.address: 2 * 10**18, USDC.address: 3_980 * 10**6}),
                ),
                (QUOTE, ACCOUNT, Limits(max_notional={USDC.address: 3_980 * 10**6 - 1})),
            ),
            (
                DenialCode.ALLOWANCE_FORBIDDEN,
                (QUOTE, with_account(allowance=2 * 10**18 + 5, waiting=5), Limits(may_approve=False)),
                (QUOTE, with_account(allowance=2 * 10**18 + 4, waiting=5), Limits(may_approve=False)),
            ),
        )
    ],
)
def test_check_what_meets_a_limit_passes_and_the_next_unit_does_not(
    code: DenialCode,
    met: tuple[Quote, AccountState, Limits],
    broken: tuple[Quote, AccountState, Limits],
) -> None:
    assert isinstance(check(*met, NOW), Approved)
    denied = check(*broken, NOW)
    assert isinstance(denied, Denied)
    assert denied.code is code


def test_check_what_meets_the_shortfall_from_the_reference_passes_and_the_next_unit_does_not() -> None:
    """Half a percent of the 4,002 USDC that others than pools tell."""
    limits, reference = Limits(max_shortfall_bps=50), tell(FEED=2_001)
    met = replace(QUOTE, route=replace(QUOTE.route, amount_out=3_981_990_000))
    assert isinstance(check(met, ACCOUNT, limits, NOW, reference), Approved)
    broken = replace(met, route=replace(met.route, amount_out=3_981_989_999))
    denied = check(broken, ACCOUNT, limits, NOW, reference)
    assert isinstance(denied, Denied)
    assert denied.code is DenialCode.PRICE_SHORTFALL_EXCEEDS_MAXIMUM


def test_free_allowance_is_never_below_nothing() -> None:
    assert with_account(allowance=3, waiting=2).free_allowance == 1
    assert with_account(allowance=2, waiting=3).free_allowance == 0


def test_check_funds_that_are_in_time_and_enough_pass_and_a_second_or_a_unit_less_does_not() -> None:
    assert isinstance(check_funds(ORDER, BLOCK, FUNDS, ORDER.expires_at - 1), ApprovedAction)
    late = check_funds(ORDER, BLOCK, FUNDS, ORDER.expires_at)
    assert isinstance(late, DeniedAction)
    assert late.code is DenialCode.DEADLINE_PASSED
    for held, funds in ((6, {ZERO_ADDRESS: 6}), (0, {})):
        poor = check_funds(ORDER, BLOCK, funds, 100)
        assert isinstance(poor, DeniedAction)
        assert poor.code is DenialCode.BALANCE_BELOW_AMOUNT
        assert poor.found.startswith(f"{held} base units")


def test_check_funds_asks_for_nothing_that_a_venue_takes_without_an_allowance() -> None:
    """What it takes of need not be held as a token at all: the simulation tells."""
    taking = replace(ORDER, calls=(replace(CALL, spends=(Spend(ZERO_ADDRESS, 7),)),))
    assert isinstance(check_funds(taking, BLOCK, {}, 100), ApprovedAction)


SAFE = Health(5 * WAD, 10**12, 1, (LiquidationPrice("WETH", 2_000, 1_000),), 5 * WAD)
EDGE = Health(2 * WAD, 700, 1, (LiquidationPrice("WETH", 2_000, 1_800),), WAD // 10)


@pytest.mark.parametrize(
    ("limit", "bound", "code"),
    [
        ("min_health_factor_wad", 2 * WAD, DenialCode.HEALTH_FACTOR_BELOW_MINIMUM),
        ("min_margin_ratio_wad", WAD // 10, DenialCode.MARGIN_RATIO_BELOW_MINIMUM),
        ("min_free_collateral", 700, DenialCode.FREE_COLLATERAL_BELOW_MINIMUM),
        ("min_liquidation_distance_bps", 1_000, DenialCode.LIQUIDATION_TOO_NEAR),
    ],
)
def test_check_action_that_leaves_a_limit_met_passes_and_a_unit_less_does_not(
    limit: str, bound: int, code: DenialCode
) -> None:
    left = Preview(BLOCK, SAFE, EDGE)
    met, broken = CollateralLimits(**{limit: bound}), CollateralLimits(**{limit: bound + 1})
    assert isinstance(check_action(ORDER, left, FUNDS, met, 100), ApprovedAction)
    denied = check_action(ORDER, left, FUNDS, broken, 100)
    assert isinstance(denied, DeniedAction)
    assert denied.code is code


def test_judge_action_denies_for_a_condition_of_its_own_and_for_nothing_else() -> None:
    held = replace(ORDER, conditions=(HEALTH,))
    denied = judge_action(held, revert("CheckFailed", ["uint256"] * 3, 0, 7, 11 * 10**17))
    assert denied is not None
    assert (denied.code, denied.found) == (
        DenialCode.CONDITION_FAILED,
        "health factor: 7 after the action",
    )
    assert judge_action(held, RevertError("", (), b"")) is None
    assert judge_action(held, revert("CheckFailed", ["uint256"] * 3, 1, 7, 8)) is None
