"""Reads of v2 pairs: by address, and of a pair of tokens through the factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.uniswap_v2.deployment import UniswapV2Deployment
from onchain_exec.venues.uniswap_v2.pool import UniswapV2Pool

_GET_RESERVES: Final = Function("getReserves()", "(uint112,uint112,uint32)")
_TOKEN0: Final = Function("token0()", "(address)")
_TOKEN1: Final = Function("token1()", "(address)")
_GET_PAIR: Final = Function("getPair(address,address)", "(address)")


def read_v2_pool(
    address: Address, known: Mapping[Address, Token] | None = None, fee_pips: int = 3_000
) -> Reading[UniswapV2Pool]:
    """Read a pair; ``known`` tokens are taken as they are. Its fee is nowhere on chain.

    Raises:
        InputError: no pair stands at the address. Of its tokens, see `erc20.read_token`.
    """
    functions = (_GET_RESERVES, _TOKEN0, _TOKEN1)
    snapshot = yield tuple(Call(address, function.encode()) for function in functions)
    (reserve0, reserve1, _), (address0,), (address1,) = (
        decode_answer(function, address, answer)
        for function, answer in zip(functions, snapshot.answers, strict=True)
    )
    token0, token1 = yield from read_tokens((to_address(address0), to_address(address1)), known)
    return UniswapV2Pool(address, token0, token1, reserve0, reserve1, fee_pips)


def read_v2_pools(
    deployment: UniswapV2Deployment, token_a: Token, token_b: Token
) -> Reading[tuple[UniswapV2Pool, ...]]:
    """Read the pair of two tokens, if there is one with liquidity on both sides."""
    call = Call(deployment.factory, _GET_PAIR.encode(token_a.address, token_b.address))
    snapshot = yield (call,)
    (found,) = decode_answer(_GET_PAIR, deployment.factory, snapshot.answers[0])
    address = to_address(found)
    if address == ZERO_ADDRESS:
        return ()
    known = {token.address: token for token in (token_a, token_b)}
    pool = yield from read_v2_pool(address, known, deployment.fee_pips)
    return (pool,) if pool.reserve0 and pool.reserve1 else ()
