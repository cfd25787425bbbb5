"""The human edge of amounts: text or Decimal in, base units inside, text out. Never a float."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation

from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.core.token import Token
from onchain_exec.errors import AmountError

_EXACT = Context(prec=120, Emax=120, traps=[InvalidOperation, Inexact])
"""The default context keeps 28 digits and would silently round a uint256; this one raises where it would,
and where a number is so large that to write it out would take minutes."""


def parse_amount(amount: str | Decimal, token: Token) -> int:
    """Return base units of a human amount ("25", "0.000001", Decimal("1.5")) of ``token``.

    Raises:
        AmountError: neither text nor Decimal, not a number, zero or negative, more decimals than the token
            has (nothing is rounded), or beyond uint256.
    """
    if not isinstance(amount, (str, Decimal)):
        raise AmountError(
            f"the amount {amount!r} is of type {type(amount).__name__}",
            needed="text or a Decimal in whole tokens, or base units as amount_base_units=...",
            todo='Write "0.5" or Decimal("0.5"); a binary float cannot hold most decimal amounts',
        )
    try:
        # underscores are Python's, not people's: "1_000" and "1,000" are refused alike
        value = Decimal(amount) if isinstance(amount, Decimal) or "_" not in amount else Decimal("nan")
        scaled = value.scaleb(token.decimals, context=_EXACT)
    except InvalidOperation:
        value = scaled = Decimal("nan")
    except Inexact as error:
        raise AmountError(
            f"the amount has too many digits for {token.symbol}", needed="1 to 2**256-1 base units"
        ) from error
    if not value.is_finite():
        raise AmountError(f"{amount!r} is not an amount", needed='a number like "25" or "0.5"')
    if value <= 0:
        raise AmountError(f"the amount is {amount}", needed="more than zero")
    units = int(scaled)
    if scaled != units:
        raise AmountError(
            f"{amount} {token.symbol} has more decimals than the token",
            needed=f"at most {token.decimals} decimals",
            todo="Shorten it; nothing is rounded for you",
        )
    return require_base_units(units, token)


def require_base_units(units: int, token: Token) -> int:
    """Return ``units`` if it is an int in 1..2**256-1, else raise AmountError."""
    if isinstance(units, bool) or not isinstance(units, int):
        raise AmountError(
            f"base units {units!r} are of type {type(units).__name__}", needed="an int of base units"
        )
    if not 0 < units <= MAX_UINT256:
        raise AmountError(f"{units} base units of {token.symbol}", needed="1 to 2**256-1")
    return units


def format_amount(units: int, token: Token) -> str:
    """Return base units as exact plain text in whole tokens, without an exponent or padding."""
    text = format(Decimal(units).scaleb(-token.decimals, context=_EXACT), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_tokens(units: int, token: Token) -> str:
    """Return base units as `format_amount` does, with the token's symbol: ``"2998.30042 USDC"``."""
    return f"{format_amount(units, token)} {token}"


def format_swap(amount_in: int, token_in: Token, amount_out: int, token_out: Token) -> str:
    """Return what goes in and what comes out as text: ``"1 WETH → 2998.30042 USDC"``."""
    return f"{format_tokens(amount_in, token_in)} → {format_tokens(amount_out, token_out)}"
