"""Pools as a file: every kind survives text, and a file that cannot be read says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import ZERO_ADDRESS, BlockRef, Token, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.balancer import BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.pool_file import pool_set_from_json, pool_set_to_json
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import PancakeV3Pool, SlipstreamPool, UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import PoolKey, UniswapV4Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

PAIR = tuple(Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", 6 * n) for n in (1, 2))
ETHER = Token(1, ZERO_ADDRESS, "ETH", 18)
WETH = Token(1, to_address(bytes(19) + b"w"), "WETH", 18)
SHARE = Token(1, to_address(bytes(19) + b"s"), "VLT", 18)
POOL, VAULT = to_address(b"p" * 20), to_address(b"v" * 20)
BLOCK = BlockRef(1, 24_407_242, "0x" + "ab" * 32, 1_700_000_000, 7, 45_000_000)
CURVE = Curve(2**96, 0, 5, 500, Ticks(10, (-10, 10), (5, -5), (5, 5)))

amounts = st.integers(1, 2**112 - 1)


@st.composite
def pools(draw: Any) -> Pool:
    one, other = draw(amounts), draw(amounts)
    vault = (POOL, "0x" + "cd" * 32, VAULT, PAIR, (one, other), 10**15)
    key = PoolKey(PAIR[0].address, PAIR[1].address, 500, 10, ZERO_ADDRESS)
    made: list[Pool] = [
        UniswapV2Pool(POOL, *PAIR, one, other, draw(st.integers(0, 999_999))),
        UniswapV3Pool(POOL, *PAIR, CURVE),
        PancakeV3Pool(POOL, *PAIR, CURVE),
        SlipstreamPool(POOL, *PAIR, CURVE),
        UniswapV4Pool(POOL, *PAIR, CURVE, key, draw(st.integers(0, 1_000))),
        BalancerWeightedPool(*vault, (WAD // 5, 4 * WAD // 5), draw(st.sampled_from((1, 2)))),
        BalancerStablePool(*vault, (10**30, 10**24), 100_000, draw(st.booleans()), draw(st.booleans())),
        SolidlyPool(POOL, *PAIR, one, other, draw(st.booleans()), 500),
        Erc4626Pool(PAIR[0], SHARE, one, other, 1, draw(st.sampled_from((1, 10**12)))),
        WrappedNativePool(ETHER, WETH, one),
    ]
    return draw(st.sampled_from(made))


@given(st.lists(pools(), max_size=6))
def test_file_of_any_pools_survives_text(found: list[Pool]) -> None:
    pool_set = PoolSet(BLOCK, tuple(found))
    text = json.dumps(pool_set_to_json(pool_set))
    assert pool_set_from_json(json.loads(text, parse_int=_refuse_number)) == pool_set


def _refuse_number(digits: str) -> None:
    raise AssertionError(f"{digits} is written as a JSON number")


@given(pools())
def test_file_without_any_one_field_of_its_block_or_lists_is_refused_or_read(pool: Pool) -> None:
    file = pool_set_to_json(PoolSet(BLOCK, (pool,)))
    for name in ("chain_id", "block_number", "block_hash", "tokens", "pools"):
        with pytest.raises(InputError, match="cannot be read"):
            pool_set_from_json({key: value for key, value in file.items() if key != name})
    for name in ("block_timestamp", "base_fee_wei", "gas_limit"):
        less = pool_set_from_json({key: value for key, value in file.items() if key != name})
        assert less.pools == (pool,)


@given(pools(), st.data())
def test_file_with_any_unsigned_number_below_zero_is_refused(pool: Pool, data: Any) -> None:
    file = pool_set_to_json(PoolSet(BLOCK, (pool,)))
    (state,) = file["pools"]
    numbers = {name: value for name, value in state.items() if _is_number(value) and name != "tick"}
    name = data.draw(st.sampled_from(sorted(numbers)))
    value = numbers[name]
    state[name] = [f"-{value[0]}", *value[1:]] if isinstance(value, list) else f"-{value}"
    with pytest.raises(InputError, match=f"the {name} of .* is below zero"):
        pool_set_from_json(file)


def _is_number(value: Any) -> bool:
    return all(map(_is_number, value)) if isinstance(value, list) else str(value).isdecimal()


@pytest.mark.parametrize("change", [{"kind": "uniswap_v9"}, {"tokens": [VAULT, POOL]}, {"reserves": "1"}])
def test_file_with_a_pool_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    file = pool_set_to_json(PoolSet(BLOCK, (UniswapV2Pool(POOL, *PAIR, 1, 1),)))
    file["pools"][0] |= change
    with pytest.raises(InputError):
        pool_set_from_json(file)


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": None},
        {"pools": [{"kind": "uniswap_v2", "address": ZERO_ADDRESS, "tokens": []}]},
        {"pools": [{"kind": "uniswap_v2", "tokens": [ZERO_ADDRESS]}]},
    ],
    ids=str,
)
def test_file_that_is_malformed_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        pool_set_from_json(pool_set_to_json(PoolSet(BLOCK, ())) | change)
