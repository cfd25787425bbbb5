"""What the sandbox's tokens are worth, and pools' prices from it."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from onchain_exec.core import Token, address_bytes

USD_PRICES = {"ETH": 3_000, "WETH": 3_000, "USDC": 1, "DAI": 1, "WBTC": 60_000}
_BPS = 10_000


def get_amount(token: Token, usd: int) -> int:
    """Return base units of ``token`` worth ``usd`` dollars, rounded down."""
    return int(usd * 10**token.decimals) // USD_PRICES[token.symbol]


def sort_tokens(one: Token, other: Token) -> tuple[Token, Token]:
    """Return the pair in the contracts' order, by address."""
    return (one, other) if address_bytes(one.address) < address_bytes(other.address) else (other, one)


def get_price(base: Token, quote: Token, skew_bps: int) -> Fraction:
    """Return base units of ``quote`` per base unit of ``base``, off the fair price by ``skew_bps``."""
    fair = Fraction(USD_PRICES[base.symbol], USD_PRICES[quote.symbol])
    scale = Fraction(10**quote.decimals, 10**base.decimals)
    return fair * scale * Fraction(_BPS + skew_bps, _BPS)


def get_sqrt_price_x96(base: Token, quote: Token, skew_bps: int) -> int:
    """Return the square root price of the pair's pool (token1 per token0), rounded down."""
    price = get_price(base, quote, skew_bps)
    if sort_tokens(base, quote)[0] != base:
        price = 1 / price
    return isqrt((price.numerator << 192) // price.denominator)
