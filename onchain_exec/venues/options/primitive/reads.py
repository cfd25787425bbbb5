"""Reads of an RMM-01 pool, and of what an account has in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import NoPoolError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.options.primitive.pool import Calibration, RmmPool

_RISKY: Final = Function("risky()", "(address)")
_STABLE: Final = Function("stable()", "(address)")
_CALIBRATIONS: Final = Function("calibrations(bytes32)", "(uint128,uint32,uint32,uint32,uint32)")
_RESERVES: Final = Function("reserves(bytes32)", "(uint128,uint128,uint128,uint32,uint256,uint256,uint256)")
_LIQUIDITY: Final = Function("liquidity(address,bytes32)", "(uint256)")
_MARGINS: Final = Function("margins(address)", "(uint128,uint128)")


@dataclass(frozen=True, slots=True)
class RmmAccount:
    """What an account has: liquidity of a pool, and tokens in the engine's margin, from which it pays without
    a callback."""

    liquidity: int
    margin_risky: int
    margin_stable: int


def read_pool(engine: Address, pool_id: bytes) -> Reading[RmmPool]:
    """Read a pool.

    Raises:
        NoPoolError: the engine has no such pool.
        InputError: no engine stands at the address.
    """
    asked = ((_RISKY, ()), (_STABLE, ()), (_CALIBRATIONS, (pool_id,)), (_RESERVES, (pool_id,)))
    snapshot = yield tuple(Call(engine, function.encode(*given)) for function, given in asked)
    (risky,), (stable,), terms, reserves = (
        decode_answer(function, engine, answer)
        for (function, _), answer in zip(asked, snapshot.answers, strict=True)
    )
    strike, sigma, maturity, last_timestamp, gamma = terms
    if last_timestamp == 0:
        raise NoPoolError(f"engine {engine} has no pool 0x{pool_id.hex()}", needed="the id of one it created")
    risky_token, stable_token = yield from read_tokens((to_address(risky), to_address(stable)))
    risky_reserve, stable_reserve, liquidity, *_ = reserves
    return RmmPool(
        engine,
        pool_id,
        risky_token,
        stable_token,
        Calibration(strike, sigma, maturity, gamma),
        risky_reserve,
        stable_reserve,
        liquidity,
        snapshot.block.timestamp,
    )


def read_account(engine: Address, pool_id: bytes, owner: Address) -> Reading[RmmAccount]:
    """Read an account's liquidity and margin, in base units."""
    snapshot = yield (
        Call(engine, _LIQUIDITY.encode(owner, pool_id)),
        Call(engine, _MARGINS.encode(owner)),
    )
    liquidity, margins = snapshot.answers
    return RmmAccount(
        *decode_answer(_LIQUIDITY, engine, liquidity), *decode_answer(_MARGINS, engine, margins)
    )
