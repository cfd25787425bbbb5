"""Reads of v3 pools: a whole pool by address, and the pools of a pair through the factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, Answer, Call, Reading, Token, all_of, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import StaleStateError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.concentrated import Curve
from onchain_exec.venues.concentrated.lens import build_lens_call, list_word_ranges, unpack_ticks
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.uniswap_v3.deployment import UniswapV3Deployment
from onchain_exec.venues.uniswap_v3.pool import UniswapV3Pool

_GET_V3_POOL: Final = Function(
    "getV3Pool(address,int16,int16)",
    "((uint160,int24,uint128,uint24,int24,address,address,uint256[],uint128[]))",
)
_GET_POOL: Final = Function("getPool(address,address,uint24)", "(address)")
_LIKELY_SPACING: Final = 10
"""Words of this spacing cover all wider ones too; only narrower spacings need another round."""


def read_v3_pool(
    address: Address,
    known: Mapping[Address, Token] | None = None,
    spacing: int | None = None,
    pool_type: type[UniswapV3Pool] = UniswapV3Pool,
) -> Reading[UniswapV3Pool]:
    """Read a whole pool, all its ticks, in one call of the Lens; ``known`` tokens are not read.

    ``spacing`` is the tick spacing where it is known, and else found out: a pool with a narrow one
    then takes a second round.

    Raises:
        InputError: no v3 pool stands at the address. Of its tokens, see `erc20.read_token`.
        StaleStateError: the ticks read do not add up to the pool's liquidity.
    """
    states = yield from _read_words(address, spacing or _LIKELY_SPACING)
    found = states[0][4]
    if spacing != found and (found < _LIKELY_SPACING or spacing is not None):
        states = yield from _read_words(address, found)
    sqrt_price_x96, tick, liquidity, fee_pips, _, address0, address1, *_ = states[0]
    ticks = unpack_ticks(found, (state[7:] for state in states))
    if ticks.get_liquidity(tick) != liquidity:
        raise StaleStateError(
            f"the ticks of {address} add up to liquidity {ticks.get_liquidity(tick)} at tick {tick}",
            needed=f"{liquidity}, as the pool says",
            todo="Read it again at one block; if it persists, the contract is no v3 pool",
        )
    token0, token1 = yield from read_tokens((to_address(address0), to_address(address1)), known)
    return pool_type(address, token0, token1, Curve(sqrt_price_x96, tick, liquidity, fee_pips, ticks))


def read_v3_pools(
    deployment: UniswapV3Deployment, token_a: Token, token_b: Token
) -> Reading[tuple[UniswapV3Pool, ...]]:
    """Read the pools of two tokens at every fee tier, those with a price and some liquidity."""
    factory, tiers = deployment.factory, deployment.fee_tiers
    snapshot = yield tuple(
        Call(factory, _GET_POOL.encode(token_a.address, token_b.address, fee)) for fee, _ in tiers
    )
    known = {token.address: token for token in (token_a, token_b)}
    pools = yield from all_of(
        [
            read_v3_pool(address, known, spacing, deployment.pool_type)
            for (_, spacing), answer in zip(tiers, snapshot.answers, strict=True)
            if (address := _decode_pool_address(factory, answer)) != ZERO_ADDRESS
        ]
    )
    return tuple(pool for pool in pools if pool.curve.sqrt_price_x96 and pool.curve.ticks.indexes)


def _read_words(address: Address, spacing: int) -> Reading[list[tuple[Any, ...]]]:
    """Read the pool's state with the ticks of each range of words, the ranges side by side."""
    snapshot = yield tuple(
        build_lens_call(_GET_V3_POOL.encode(address, first, last))
        for first, last in list_word_ranges(spacing)
    )
    return [decode_answer(_GET_V3_POOL, address, answer)[0] for answer in snapshot.answers]


def _decode_pool_address(factory: Address, answer: Answer) -> Address:
    return to_address(decode_answer(_GET_POOL, factory, answer)[0])
