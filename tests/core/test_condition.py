"""Conditions on what a swap leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import Call, Comparison, Condition, to_address
from onchain_exec.errors import InputError

TARGET = to_address("0x" + "11" * 20)
CALL = Call(TARGET, b"\x01\x02\x03\x04")
WORDS = st.integers(0, 2**256 - 1)


@given(WORDS, st.integers(0, 2**40))
def test_builders_keep_the_call_and_say_the_comparison(bound: int, word: int) -> None:
    built = {
        Comparison.AT_LEAST: Condition.at_least(CALL, bound, word=word),
        Comparison.AT_MOST: Condition.at_most(CALL, bound, word=word),
        Comparison.EQUAL: Condition.equal(CALL, bound, word=word),
    }
    for kind, condition in built.items():
        assert condition == Condition(TARGET, CALL.data, kind, bound, word)


@given(st.integers(-(2**255), 2**255 - 1))
def test_read_word_of_a_signed_comparison_reads_twos_complement(value: int) -> None:
    for build in (Condition.at_least, Condition.at_most):
        assert build(CALL, value, signed=True).read_word(value % 2**256) == value


@given(WORDS)
def test_read_word_of_an_unsigned_comparison_is_the_word(word: int) -> None:
    assert Condition.at_least(CALL, 0).read_word(word) == Condition.equal(CALL, 0).read_word(word) == word


@pytest.mark.parametrize(
    ("bound", "signed"), [(-1, False), (2**256, False), (2**255, True), (-(2**255) - 1, True)]
)
def test_at_least_bound_beyond_its_type_raises_input_error(bound: int, signed: bool) -> None:
    with pytest.raises(InputError, match="bound"):
        Condition.at_least(CALL, bound, signed=signed)


@pytest.mark.parametrize(
    "call",
    [
        Call(None, b"\x00"),
        Call(TARGET, b"", value_wei=1),
        Call(TARGET, b"", sender=TARGET),
        Call(TARGET, b"", code=b"\x00"),
    ],
)
def test_at_least_call_that_no_router_can_make_raises_input_error(call: Call) -> None:
    with pytest.raises(InputError, match="plain call"):
        Condition.at_least(call, 1)


def test_label_is_for_people_and_no_part_of_the_terms() -> None:
    told = Condition.at_least(CALL, 1, label="health factor")
    assert told == Condition.at_least(CALL, 1)
    assert told.name == "health factor"
    assert Condition.at_least(CALL, 1, word=5).name == f"word 5 of 0x01020304 at {TARGET}"
