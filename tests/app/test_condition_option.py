"""Conditions as the command line takes them."""

from __future__ import annotations

import pytest
from cli_runner import Cli
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.cli.trading.conditions import parse_condition
from onchain_exec.core import Call, Comparison, Condition, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError

TARGET, OWNER = to_address("0x" + "11" * 20), to_address("0x" + "22" * 20)
BALANCE_OF = Function("balanceOf(address)")
SIGNS = {"AT_LEAST": ">=", "AT_MOST": "<=", "EQUAL": "==", "SIGNED_AT_LEAST": "s>=", "SIGNED_AT_MOST": "s<="}


@given(st.sampled_from(Comparison), st.integers(0, 2**255 - 1), st.integers(0, 99))
def test_parse_condition_of_what_it_says_is_the_condition(kind: Comparison, bound: int, word: int) -> None:
    text = f"{TARGET} balanceOf(address)[{word}] {OWNER} {SIGNS[kind.name]} {bound}"
    assert parse_condition(text) == Condition(TARGET, BALANCE_OF.encode(OWNER), kind, bound, word)


def test_parse_condition_reads_every_elementary_type() -> None:
    function = Function("f(address,uint8,int24,bool,bytes4,bytes)")
    text = f"{TARGET} {function.signature} {OWNER} 255 -7 true 0x01020304 0xabcd s>= -5"
    data = function.encode(OWNER, 255, -7, True, b"\1\2\3\4", b"\xab\xcd")
    assert parse_condition(text) == Condition.at_least(Call(TARGET, data), -5, signed=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{TARGET} balanceOf(address) {OWNER} 5",
        f"{TARGET} balanceOf(address) {OWNER} => 5",
        f"{TARGET} balanceOf {OWNER} >= 5",
        f"{TARGET} balanceOf(address) >= 5",
        f"{TARGET} balanceOf(address) {OWNER} {OWNER} >= 5",
        f"{TARGET} balanceOf(address) {OWNER}00 >= 5",
        f"{TARGET} balanceOf(address) {OWNER} >= five",
        f"{TARGET} balanceOf(address) {OWNER} >= -5",
        f"0x11 balanceOf(address) {OWNER} >= 5",
        f"{TARGET} f(uint8) 256 >= 5",
        f"{TARGET} f(bool) maybe >= 5",
        f"{TARGET} f(tuple) 1 >= 5",
        f"{TARGET} f(bytes4) 0x0102030405 >= 5",
    ],
)
def test_parse_condition_of_another_form_raises_input_error(text: str) -> None:
    with pytest.raises(InputError):
        parse_condition(text)


def test_swap_with_a_condition_that_would_not_hold_is_denied(cli: Cli, fork: Sandbox) -> None:
    usdc, trader = fork.profile.tokens["USDC"].address, fork.trader.address
    held = f"{usdc} balanceOf(address) {trader}"
    swap = ("swap", "--yes", "--sell", "WETH", "--amount", "1", "--buy", "USDC")
    conditions = ("--condition", f"{held} >= 1000", "--condition", f"{held} <= 1000")
    denied = cli.json(*swap, *conditions, expect=3)
    assert (denied["state"], denied["failure"]["code"]) == ("DENIED", "CONDITION_FAILED")
    assert denied["failure"]["needed"] == "at most 1000"
    assert [condition["comparison"] for condition in denied["conditions"]] == ["AT_LEAST", "AT_MOST"]
