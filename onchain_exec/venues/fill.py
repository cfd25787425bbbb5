"""What a pool says that it did: one swap of a transaction's logs."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Token


@dataclass(frozen=True, slots=True)
class PoolFill:
    """One executed swap by the pool's own event, in base units: what the pool got and what it gave."""

    token_in: Token
    token_out: Token
    amount_in: int
    amount_out: int


def make_pair_fill(pair: tuple[Token, ...], amount0: int, amount1: int) -> PoolFill:
    """Return the fill of a pool that got these amounts of its ``pair``, negative where it gave."""
    token0, token1 = pair
    if amount1 < 0 or amount0 > 0:
        return PoolFill(token0, token1, amount0, -amount1)
    return PoolFill(token1, token0, amount1, -amount0)
