"""Which of a pool's tokens a swap takes and which it gives, for pools of any number of tokens."""

from __future__ import annotations

from onchain_exec.core import Token
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Pool


def find_sides(pool: Pool, token_in: Token, token_out: Token) -> tuple[int, int]:
    """Return the indexes of ``token_in`` and ``token_out`` in the pool's tokens.

    Raises:
        InputError: the pool does not hold both, or they are the same token.
    """
    addresses = [token.address for token in pool.tokens]
    try:
        side_in, side_out = addresses.index(token_in.address), addresses.index(token_out.address)
    except ValueError:
        side_in = side_out = -1
    if side_in == side_out:
        raise InputError(
            f"{token_in} for {token_out} asked of {pool.key}",
            needed=f"two of {', '.join(str(token) for token in pool.tokens)}",
        )
    return side_in, side_out
