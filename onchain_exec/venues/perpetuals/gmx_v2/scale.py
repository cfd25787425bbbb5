"""Between GMX's units and those of every venue: dollars and factors of 1e30, base units, and 1e18."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Token
from onchain_exec.core.fixed_point import WAD, div_trunc, div_up
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT

_PER_WAD: Final = FLOAT // WAD


def to_wad(usd: int) -> int:
    """Return dollars or a factor in 1e18, rounded towards zero."""
    return div_trunc(usd, _PER_WAD)


def price_to_wad(price: int, token: Token) -> int:
    """Return the price of a whole token in 1e18, rounded down."""
    return int(price * 10**token.decimals // _PER_WAD)


def price_from_wad(price_wad: int, token: Token) -> int:
    """Return a price in dollars of 1e30 per base unit, rounded down."""
    return price_wad * _PER_WAD // int(10**token.decimals)


def size_to_wad(tokens: int, token: Token) -> int:
    """Return base units of the index token in 1e18, rounded towards zero."""
    return div_trunc(tokens * WAD, 10**token.decimals)


def size_from_wad(size_wad: int, token: Token) -> int:
    """Return a size in base units of the index token, rounded towards zero."""
    return div_trunc(size_wad * 10**token.decimals, WAD)


def bound_to_price(bound_wad: int, tokens: int, *, buys: bool) -> int:
    """Return the price per base unit that money to pay at most, or get at least, comes to."""
    usd = bound_wad * _PER_WAD
    return usd // tokens if buys else div_up(usd, tokens)
