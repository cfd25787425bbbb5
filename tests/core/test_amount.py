"""Laws of the human edge: nothing is rounded, nothing is guessed, a float never passes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import (
    Token,
    format_amount,
    format_swap,
    format_tokens,
    parse_amount,
    require_base_units,
    to_address,
)
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import AmountError

tokens = st.builds(
    Token,
    chain_id=st.just(1),
    address=st.just(to_address("0x" + "11" * 20)),
    symbol=st.just("TKN"),
    decimals=st.sampled_from([0, 2, 6, 8, 18, 27, 77, 255]),
)
usdc = Token(1, to_address("0x" + "22" * 20), "USDC", 6)


@given(token=tokens, units=st.integers(1, MAX_UINT256))
def test_parse_amount_of_formatted_units_returns_the_units(token: Token, units: int) -> None:
    assert parse_amount(format_amount(units, token), token) == units


@given(token=tokens, units=st.integers(1, 10**30))
def test_parse_amount_accepts_decimal_and_text_alike(token: Token, units: int) -> None:
    text = format_amount(units, token)
    assert parse_amount(Decimal(text), token) == parse_amount(text, token) == units


@pytest.mark.parametrize("bad", [1.5, 25, True, float("nan")])
def test_parse_amount_of_a_number_that_is_not_text_is_refused(bad: object) -> None:
    with pytest.raises(AmountError, match=type(bad).__name__):
        parse_amount(bad, usdc)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        *("", "abc", "1,000", "1_000", "0", "-1", "NaN", "Infinity", "0.0000001", "1e80", "１２３x", "0x10"),
        *("1e400000", "-1e400000", "1e999999999", "1e-999999999", "1" * 500, f"1.{'0' * 130}1"),
    ],
    ids=lambda text: text[:12],
)
def test_parse_amount_of_bad_text_is_refused(bad: str) -> None:
    with pytest.raises(AmountError):
        parse_amount(bad, usdc)


@pytest.mark.parametrize("bad", [0, -1, MAX_UINT256 + 1, True, 1.0, "7"])
def test_require_base_units_outside_uint256_is_refused(bad: object) -> None:
    with pytest.raises(AmountError):
        require_base_units(bad, usdc)  # type: ignore[arg-type]


@given(token=tokens, units=st.integers(1, 10**30))
def test_format_tokens_is_the_exact_amount_and_its_symbol(token: Token, units: int) -> None:
    amount, symbol = format_tokens(units, token).split(" ")
    assert (parse_amount(amount, token), symbol) == (units, "TKN")


def test_format_swap_tells_what_goes_in_and_comes_out() -> None:
    assert format_swap(1_500_000, usdc, 10_000_000, usdc) == "1.5 USDC → 10 USDC"
