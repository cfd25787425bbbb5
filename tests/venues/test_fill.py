"""Fills of pools of two tokens, from what the pool got (negative: gave) of each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import Token, to_address
from onchain_exec.venues import PoolFill
from onchain_exec.venues.fill import make_pair_fill

PAIR = tuple(Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", 18) for n in (1, 2))
amounts = st.integers(0, 2**255)


@given(amounts, amounts)
def test_make_pair_fill_names_what_came_in_first(got: int, gave: int) -> None:
    if got or gave:
        assert make_pair_fill(PAIR, got, -gave) == PoolFill(*PAIR, got, gave)
        assert make_pair_fill(PAIR, -gave, got) == PoolFill(*PAIR[::-1], got, gave)
