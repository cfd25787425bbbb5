"""What a trial's revert says of an order's own conditions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st
from test_check import ORDER

from onchain_exec.chain.reverts import decode_revert
from onchain_exec.core import Call, Condition, to_address
from onchain_exec.errors import RevertError
from onchain_exec.risk import DenialCode, judge_revert
from onchain_exec.venues.router import ROUTER_ERRORS

CALL = Call(to_address("0x" + "11" * 20), b"\1\2\3\4")
HEALTH = Condition.at_least(CALL, 11 * 10**17, word=5, label="health factor")
SIZE = Condition.at_least(CALL, -5, signed=True, label="position")
HELD = replace(ORDER, conditions=(HEALTH, SIZE))
SELECTORS = {error.name: error.selector for error in ROUTER_ERRORS}


def revert(name: str, types: list[str], *values: object) -> RevertError:
    return decode_revert(SELECTORS[name] + encode(types, values), ROUTER_ERRORS)


@given(st.integers(-(2**255), -6))
def test_judge_revert_of_a_failed_check_tells_what_was_found_and_needed(found: int) -> None:
    denied = judge_revert(HELD, revert("CheckFailed", ["uint256"] * 3, 1, found % 2**256, (-5) % 2**256))
    assert denied is not None
    assert (denied.order, denied.code) == (HELD, DenialCode.CONDITION_FAILED)
    assert (denied.found, denied.limit) == (f"position: {found} after the swap", "at least -5")
    assert denied.todo


def test_judge_revert_of_a_check_without_an_answer_tells_so() -> None:
    denied = judge_revert(HELD, revert("CheckUnanswered", ["uint256", "bytes"], 0, b"\xab"))
    assert denied is not None
    assert (denied.found, denied.limit) == (
        "health factor: no answer of 6 words, but 0xab",
        "at least 1100000000000000000",
    )


@pytest.mark.parametrize(
    "error",
    [
        revert("CheckFailed", ["uint256"] * 3, 2, 0, 1),
        revert("AmountOutTooLow", ["uint256"] * 2, 0, 1),
        RevertError("", (), b""),
    ],
)
def test_judge_revert_for_another_reason_denies_nothing(error: RevertError) -> None:
    assert judge_revert(HELD, error) is None
