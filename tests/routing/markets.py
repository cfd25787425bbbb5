"""Markets of exact constant-product pools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from onchain_exec.core import BlockRef, Exact, Order, Token, to_address
from onchain_exec.venues import PoolSet
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

BLOCK = BlockRef(1, 100, "0x" + "ab" * 32, 1_700_000_000, 10**9, 30_000_000)
TRADER = to_address("0x" + "77" * 20)


def make_token(number: int, decimals: int = 18) -> Token:
    return Token(1, to_address(number.to_bytes(20, "big")), f"T{number}", decimals)


A, B, C, D = (make_token(number) for number in range(1, 5))


def make_pool(number: int, tokens: tuple[Token, Token], reserves: tuple[int, int], fee: int = 3_000):
    return UniswapV2Pool(to_address((number + 2**80).to_bytes(20, "big")), *tokens, *reserves, fee)


def pool_set(*pools: UniswapV2Pool) -> PoolSet:
    return PoolSet(BLOCK, pools)


def make_order(amount: int, exact: Exact = Exact.IN, **changes: Any) -> Order:
    order = Order("1", "", TRADER, TRADER, A, B, amount, exact, 50, BLOCK.timestamp + 600)
    return replace(order, **changes)


fees = st.sampled_from((0, 100, 500, 3_000, 10_000))


@st.composite
def markets(draw, max_pools: int = 6, least: int = 10**6, most: int = 10**27) -> PoolSet:
    """A market of up to ``max_pools`` pools over four tokens that always trades A for B."""
    reserves = st.integers(least, most)
    pairs = draw(
        st.lists(st.sampled_from(((A, B), (A, C), (C, B), (B, D), (D, A), (C, D))), max_size=max_pools - 1)
    )
    return pool_set(
        *(
            make_pool(number, pair, (draw(reserves), draw(reserves)), draw(fees))
            for number, pair in enumerate([(A, B), *pairs])
        )
    )
