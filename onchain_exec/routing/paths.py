"""Chains of pools from one token to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from onchain_exec.core import Exact, Token
from onchain_exec.errors import NoPoolError
from onchain_exec.venues import Pool, PoolSet


@dataclass(frozen=True, slots=True)
class Path:
    """``pools[i]`` turns ``tokens[i]`` into ``tokens[i + 1]``."""

    pools: tuple[Pool, ...]
    tokens: tuple[Token, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The pools' names in order: what makes a search repeatable."""
        return tuple(pool.key for pool in self.pools)

    def quoter(self, exact: Exact) -> Callable[[int], int]:
        """Return the composed quoter: amount_in to amount_out, or back for Exact.OUT."""
        sides = zip(self.pools, self.tokens, self.tokens[1:], strict=False)
        quoters = [pool.quoter(token_in, token_out, exact) for pool, token_in, token_out in sides]
        if exact is Exact.OUT:
            quoters.reverse()
        if len(quoters) == 1:
            return quoters[0]
        return lambda amount: reduce(lambda flow, quote: quote(flow), quoters, amount)


def find_paths(token_in: Token, token_out: Token, pools: PoolSet) -> tuple[Path, ...]:
    """Return every path of one or two pools, in an order that depends on the pools' keys alone.

    Raises:
        NoPoolError: no pool holds one of the tokens, or none connects them within two hops.
    """
    by_token: dict[Token, list[Pool]] = defaultdict(list)
    for pool in sorted(pools.pools, key=lambda pool: pool.key):
        for token in pool.tokens:
            by_token[token].append(pool)
    for token in (token_in, token_out):
        if token not in by_token:
            raise NoPoolError(
                f"none of the {len(pools.pools)} pools at {pools.block} holds {token}",
                needed=f"a pool with {token} ({token.address})",
                todo="Check the token's address, or add a protocol or fee tier to the search",
            )
    direct = (Path((pool,), (token_in, token_out)) for pool in by_token[token_in] if token_out in pool.tokens)
    paths = (*direct, *_two_hops(token_in, token_out, by_token))
    if not paths:
        raise NoPoolError(
            f"no pool at {pools.block} trades {token_in} for {token_out}, directly or through one token",
            needed=f"a pool of {token_in} and one of {token_out} that share a token",
            todo="Add a protocol, a fee tier or a connecting token to the search",
        )
    return paths


def _two_hops(token_in: Token, token_out: Token, by_token: dict[Token, list[Pool]]) -> Iterator[Path]:
    for first in by_token[token_in]:
        for middle in _others(first.tokens, token_in, token_out):
            for second in by_token[middle]:
                if token_out in second.tokens and second.key != first.key:
                    yield Path((first, second), (token_in, middle, token_out))


def _others(tokens: Iterable[Token], *known: Token) -> Iterator[Token]:
    return (token for token in tokens if token not in known)
