"""Laws of EVM integer arithmetic, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core.fixed_point import MAX_UINT256, div_trunc, div_up, mul_div_down, mul_div_up
from onchain_exec.errors import PoolRevertError

words = st.integers(0, MAX_UINT256)


@given(a=words, b=words, denominator=st.integers(1, MAX_UINT256))
def test_mul_div_rounds_as_named_or_reverts_beyond_uint256(a: int, b: int, denominator: int) -> None:
    exact = Fraction(a * b, denominator)
    for function, rounded in ((mul_div_down, floor(exact)), (mul_div_up, ceil(exact))):
        if rounded > MAX_UINT256:
            with pytest.raises(PoolRevertError):
                function(a, b, denominator)
        else:
            assert function(a, b, denominator) == rounded


@given(a=words, b=words)
def test_mul_div_by_zero_reverts(a: int, b: int) -> None:
    for function in (mul_div_down, mul_div_up):
        with pytest.raises(PoolRevertError):
            function(a, b, 0)


@given(a=words, b=st.integers(1, MAX_UINT256))
def test_div_up_is_the_ceiling(a: int, b: int) -> None:
    assert div_up(a, b) == ceil(Fraction(a, b))


@given(a=st.integers(), b=st.integers().filter(bool))
def test_div_trunc_truncates_towards_zero(a: int, b: int) -> None:
    assert div_trunc(a, b) == trunc(Fraction(a, b))
