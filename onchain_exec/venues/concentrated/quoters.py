"""The fast path of one direction: closures over a ladder's columns.

A quote is one comparison with the head step, one bisection and one partial step, whatever the number
of ticks crossed. The partial steps are `swap_math` with its sums left out and its formulas inlined, as
a call costs as much as the arithmetic. What they do not cover (amounts that are none, steps not yet
built, overflow) goes to ``slow``, which raises, or swaps and so builds the steps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable

from onchain_exec.core import Exact
from onchain_exec.core.fixed_point import MAX_UINT256, PIPS
from onchain_exec.venues.concentrated.curve import Path

Quoter = Callable[[int], int]


def make_quoter(path: Path, exact: Exact, slow: Quoter) -> Quoter:
    """Return the function from amount to the other side's amount along ``path``."""
    if exact is Exact.IN:
        return _sell_token0(path, slow) if path.down else _sell_token1(path, slow)
    return _buy_token1(path, slow) if path.down else _buy_token0(path, slow)


def _sell_token0(path: Path, slow: Quoter) -> Quoter:
    """Exact input of token 0 to token 1: the price falls."""
    price0, liquidity0 = path.curve.sqrt_price_x96, path.curve.liquidity
    prices, liquidities = path.ladder.prices, path.ladder.liquidities
    sum_in, sum_out = path.ladder.sum_in, path.ladder.sum_out
    head_in = path.head.amount_in + path.head.fee_amount
    offset_in, offset_out = path.offset_in, path.offset_out
    keep_pips = PIPS - path.curve.fee_pips

    def quote(amount: int) -> int:
        if amount < head_in:
            price, liquidity, before, rest = price0, liquidity0, 0, amount
        else:
            total = amount - offset_in
            step = bisect_right(sum_in, total) - 1
            try:
                liquidity = liquidities[step]
            except IndexError:
                return slow(amount)
            price, before, rest = prices[step], sum_out[step] + offset_out, total - sum_in[step]
        numerator = liquidity << 96
        denominator = numerator + rest * keep_pips // PIPS * price
        if amount <= 0 or denominator > MAX_UINT256:
            return slow(amount)
        return before + (liquidity * (price + -numerator * price // denominator) >> 96)

    return quote


def _sell_token1(path: Path, slow: Quoter) -> Quoter:
    """Exact input of token 1 to token 0: the price rises."""
    price0, liquidity0 = path.curve.sqrt_price_x96, path.curve.liquidity
    prices, liquidities = path.ladder.prices, path.ladder.liquidities
    sum_in, sum_out = path.ladder.sum_in, path.ladder.sum_out
    head_in = path.head.amount_in + path.head.fee_amount
    offset_in, offset_out = path.offset_in, path.offset_out
    keep_pips = PIPS - path.curve.fee_pips

    def quote(amount: int) -> int:
        if amount < head_in:
            price, liquidity, before, rest = price0, liquidity0, 0, amount
        else:
            total = amount - offset_in
            step = bisect_right(sum_in, total) - 1
            try:
                liquidity = liquidities[step]
            except IndexError:
                return slow(amount)
            price, before, rest = prices[step], sum_out[step] + offset_out, total - sum_in[step]
        if amount <= 0:
            return slow(amount)
        rise = (rest * keep_pips // PIPS << 96) // liquidity
        return before + (liquidity << 96) * rise // (price + rise) // price

    return quote


def _buy_token1(path: Path, slow: Quoter) -> Quoter:
    """Exact output of token 1 for token 0: the price falls."""
    price0, liquidity0 = path.curve.sqrt_price_x96, path.curve.liquidity
    prices, liquidities = path.ladder.prices, path.ladder.liquidities
    sum_in, sum_out = path.ladder.sum_in, path.ladder.sum_out
    head_in, head_out = path.head.amount_in + path.head.fee_amount, path.head.amount_out
    offset_in, offset_out = path.offset_in, path.offset_out
    fee_pips, keep_pips = path.curve.fee_pips, PIPS - path.curve.fee_pips

    def quote(amount: int) -> int:
        if amount < head_out:
            price, liquidity, before, rest = price0, liquidity0, 0, amount
        elif amount == head_out:
            return head_in if amount else slow(amount)
        else:
            total = amount - offset_out
            end = bisect_left(sum_out, total)
            try:
                if sum_out[end] == total:
                    return sum_in[end] + offset_in
            except IndexError:
                return slow(amount)
            step = end - 1
            price, liquidity, before = prices[step], liquidities[step], sum_in[step] + offset_in
            rest = total - sum_out[step]
        if amount <= 0:
            return slow(amount)
        fall = -(-(rest << 96) // liquidity)
        amount_in = -(-(liquidity << 96) * fall // price // (price - fall))
        return before + amount_in - (-amount_in * fee_pips // keep_pips)

    return quote


def _buy_token0(path: Path, slow: Quoter) -> Quoter:
    """Exact output of token 0 for token 1: the price rises."""
    price0, liquidity0 = path.curve.sqrt_price_x96, path.curve.liquidity
    prices, liquidities = path.ladder.prices, path.ladder.liquidities
    sum_in, sum_out = path.ladder.sum_in, path.ladder.sum_out
    head_in, head_out = path.head.amount_in + path.head.fee_amount, path.head.amount_out
    offset_in, offset_out = path.offset_in, path.offset_out
    fee_pips, keep_pips = path.curve.fee_pips, PIPS - path.curve.fee_pips

    def quote(amount: int) -> int:
        if amount < head_out:
            price, liquidity, before, rest = price0, liquidity0, 0, amount
        elif amount == head_out:
            return head_in if amount else slow(amount)
        else:
            total = amount - offset_out
            end = bisect_left(sum_out, total)
            try:
                if sum_out[end] == total:
                    return sum_in[end] + offset_in
            except IndexError:
                return slow(amount)
            step = end - 1
            price, liquidity, before = prices[step], liquidities[step], sum_in[step] + offset_in
            rest = total - sum_out[step]
        if amount <= 0:
            return slow(amount)
        numerator = liquidity << 96
        reached = -(-numerator * price // (numerator - rest * price))
        amount_in = -(-liquidity * (reached - price) >> 96)
        return before + amount_in - (-amount_in * fee_pips // keep_pips)

    return quote
