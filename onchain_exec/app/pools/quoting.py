"""What one pool gives for exact amounts, on any chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain_exec.app.pools.reading import read_named_pools
from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, Exact, Token
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues import Pool
from onchain_exec.venues.pool_name import PoolName


@dataclass(frozen=True, slots=True)
class PoolQuote:
    """One amount of base units and what it gives, or why the pool would revert on it."""

    amount_in: int
    amount_out: int | None
    error: PoolRevertError | None = None


@dataclass(frozen=True, slots=True)
class PoolQuotes:
    """Quotes of one pool in one direction at one block, in the order asked."""

    block: BlockRef
    pool: Pool
    token_in: Token
    token_out: Token
    quotes: tuple[PoolQuote, ...]


async def quote_pool(
    node: Node,
    name: PoolName,
    token_in: Address,
    token_out: Address | None,
    amounts_in: Sequence[int],
) -> PoolQuotes:
    """Return what a pool gives for each amount at the newest block; each is quoted alone.

    ``token_out`` may be None where the pool trades two tokens.

    Raises:
        InputError: the pool does not trade these tokens, or ``token_out`` is needed.
        StateError, NodeError: as `read_named_pools`.
    """
    block = await node.get_block()
    (pool,) = (await read_named_pools(node, [name], block)).pools
    sold = _get_token(pool, token_in)
    bought = _get_token(pool, token_out) if token_out else _get_other(pool, sold)
    quotes = tuple(_quote(pool, sold, bought, amount) for amount in amounts_in)
    return PoolQuotes(block, pool, sold, bought, quotes)


def _quote(pool: Pool, token_in: Token, token_out: Token, amount_in: int) -> PoolQuote:
    try:
        return PoolQuote(amount_in, pool.quote(token_in, token_out, amount_in, Exact.IN))
    except PoolRevertError as error:
        return PoolQuote(amount_in, None, error)


def _get_token(pool: Pool, address: Address) -> Token:
    for token in pool.tokens:
        if token.address == address:
            return token
    traded = ", ".join(f"{token} {token.address}" for token in pool.tokens)
    raise InputError(f"{pool.key} does not trade {address}", needed=f"one of {traded}")


def _get_other(pool: Pool, token_in: Token) -> Token:
    others = [token for token in pool.tokens if token != token_in]
    if len(others) != 1:
        raise InputError(
            f"{pool.key} trades {token_in} for {len(others)} tokens",
            needed=f"--token-out, one of {', '.join(f'{token} {token.address}' for token in others)}",
        )
    return others[0]
