"""The dual over constant products in 60-digit decimals: arithmetic that knows nothing of the solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from itertools import permutations

from onchain_exec.core import Token
from onchain_exec.routing import Certificate
from onchain_exec.venues import PoolSet


def best_profit(pool, token_in, token_out, prices):
    """What selling into the pool earns at most, (sqrt(q y) - sqrt(p x / keep)) ** 2 for reserves (x, y)
    at prices (p, q), and what floats may lose of it: they know the price to 1e-12."""
    reserves = {pool.token0: pool.reserve0, pool.token1: pool.reserve1}
    keep = 1 - Decimal(pool.swap_fee_pips) / 10**6
    high = (prices[token_out.address] * reserves[token_out]).sqrt()
    low = (prices[token_in.address] * reserves[token_in] / keep).sqrt()
    profit = max(high - low, Decimal(0))
    return profit**2, Decimal("1e-11") * profit * (high + low) + Decimal("1e-23") * (high**2 + low**2)


def dual_value(
    market: PoolSet,
    certificate: Certificate,
    owned: Mapping[Token, int],
    may_trade: Callable[[Token, Token], bool],
) -> tuple[Decimal, Decimal]:
    """The value at the reported prices of what is owned (negative: owed) and of the best trades of all
    pools that may trade, and what floats may lose of it."""
    with localcontext() as context:
        context.prec = 60
        prices = {token.address: Decimal(price) for token, price in certificate.prices.items()}
        total = sum((prices[token.address] * amount for token, amount in owned.items()), Decimal(0))
        slack = Decimal("1e-11") * sum(abs(prices[token.address] * amount) for token, amount in owned.items())
        for pool in market.pools:
            for token_in, token_out in permutations(pool.tokens):
                inside = token_in.address in prices and token_out.address in prices
                if inside and may_trade(token_in, token_out):
                    profit, lost = best_profit(pool, token_in, token_out, prices)
                    total, slack = total + profit, slack + lost
        return total, slack
