"""Panoptic's positions, beside what its own libraries answered (tests/golden/panoptic_positions.json)."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.options.panoptic.codec import (
    NO_SPREAD_LIMIT,
    TickLimits,
    encode_burn,
    encode_deposit,
    encode_mint,
    encode_withdraw,
)
from onchain_exec.venues.options.panoptic.position import Leg, PanopticPosition

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/panoptic_positions.json").read_text("utf-8"))
LEG = Leg(0, 1, False, 0, 0, 0, 2)
POOL, OWNER = to_address("0x" + "aa" * 20), to_address("0x" + "bb" * 20)
LEGS = st.builds(
    Leg,
    st.integers(0, 1),
    st.integers(1, 127),
    st.booleans(),
    st.integers(0, 1),
    st.integers(0, 3),
    st.integers(-887_272, 887_272),
    st.integers(0, 4_095),
)


def outcome(compute: Any) -> Any:
    """Return what a computation gives, or the reason that it is refused for."""
    try:
        return compute()
    except PoolRevertError as error:
        return error.reason


@pytest.mark.parametrize("row", GOLDEN["positions"])
def test_position_is_numbered_validated_and_sized_as_by_the_libraries(row: list[Any]) -> None:
    token_id, pool_id, spacing, legs, validity, size, sizes = row
    position = PanopticPosition(pool_id, spacing, tuple(Leg(*leg) for leg in legs))
    assert position.token_id == int(token_id, 16)
    assert (outcome(position.validate) or "valid") == validity
    if sizes is not None:
        found = outcome(lambda: list(astuple(position.get_amounts(size))))
        assert [found, outcome(lambda: position.get_liquidity(0, size))] == [name(one) for one in sizes]


def name(answer: Any) -> Any:
    """Return an answer, or the name that is ours for a require without a text."""
    return "division by zero" if answer == "" else answer


@given(
    pool_id=st.integers(0, (1 << 48) - 1),
    spacing=st.integers(1, 32_767),
    legs=st.lists(LEGS, min_size=1, max_size=4),
)
def test_token_id_is_undone(pool_id: int, spacing: int, legs: list[Leg]) -> None:
    position = PanopticPosition(pool_id, spacing, tuple(legs))
    assert PanopticPosition.from_token_id(position.token_id) == position
    assert position.token_id < 1 << 256


def test_position_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="128 in 7 bits"):
        replace(LEG, ratio=128).pack()
    with pytest.raises(InputError, match="5 legs"):
        _ = PanopticPosition(1, 10, (LEG,) * 5).token_id
    with pytest.raises(InputError, match="48 bits"):
        _ = PanopticPosition(1 << 48, 10, (LEG,)).token_id
    with pytest.raises(PoolRevertError, match="leg 0 of ratio 0"):
        PanopticPosition(1, 10, (replace(LEG, ratio=0),)).validate()
    with pytest.raises(PoolRevertError, match="times 2"):
        PanopticPosition(1, 10, (replace(LEG, ratio=2),)).get_amounts(1 << 127)
    with pytest.raises(PoolRevertError, match="no leg"):
        PanopticPosition(1, 10, ()).validate()


def test_calldata_holds_the_numbers_of_all_positions() -> None:
    call, put = PanopticPosition(7, 10, (LEG,)), PanopticPosition(7, 10, (replace(LEG, token_type=1),))
    limits = TickLimits(-100, 100)
    minted = Function("mintOptions(uint256[],uint128,uint64,int24,int24)")
    arguments = minted.decode_arguments(encode_mint(POOL, [call], put, 5, limits).data)
    assert arguments == ((call.token_id, put.token_id), 5, NO_SPREAD_LIMIT, -100, 100)
    burnt = Function("burnOptions(uint256,uint256[],int24,int24)")
    arguments = burnt.decode_arguments(encode_burn(POOL, put, [call], limits).data)
    assert arguments == (put.token_id, (call.token_id,), -100, 100)
    deposited = Function("deposit(uint256,address)").decode_arguments(encode_deposit(POOL, 9, OWNER).data)
    assert deposited == (9, OWNER.lower())
    withdrawn = Function("withdraw(uint256,address,address,uint256[])")
    arguments = withdrawn.decode_arguments(encode_withdraw(POOL, 9, OWNER, [call]).data)
    assert arguments == (9, OWNER.lower(), OWNER.lower(), (call.token_id,))
