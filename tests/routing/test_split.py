"""The split of one amount among independent concave values."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.errors import PoolRevertError
from onchain_exec.routing.split import UNFILLABLE, split_amount, value_of


def constant_product(reserve_in, reserve_out):
    return lambda amount: amount * reserve_out // (reserve_in + amount)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(100_000, 10**9)), min_size=1, max_size=3))
def test_split_amount_small_amounts_equals_exhaustive_search(pools):
    values = [constant_product(*reserves) for reserves in pools]
    amounts = split_amount(24, values)
    assert sum(amounts) == 24
    found = sum(value(amount) for value, amount in zip(values, amounts, strict=True))
    best = max(
        sum(value(amount) for value, amount in zip(values, choice, strict=True))
        for choice in product(range(25), repeat=len(values))
        if sum(choice) == 24
    )
    assert best - found <= len(pools)


def test_value_of_reverting_quote_is_unfillable():
    def reverts(amount):
        raise PoolRevertError("SPL")

    value = value_of(reverts, -1)
    assert value(0) == 0
    assert value(1) == UNFILLABLE
