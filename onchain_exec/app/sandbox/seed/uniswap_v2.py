"""Uniswap v2 pairs with balanced reserves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm, create_through
from onchain_exec.app.sandbox.seed.prices import get_amount, get_price
from onchain_exec.core import Address, Token
from onchain_exec.core.abi import Function

_CREATE_PAIR = Function("createPair(address,address)")
_MINT = Function("mint(address)", "(uint256)")


class Pair(NamedTuple):
    """``usd`` is what each side's reserve is worth; ``skew_bps`` how far off the price is."""

    base: str
    quote: str
    usd: int
    skew_bps: int


PAIRS = (
    Pair("WETH", "USDC", 6_000_000, 6),
    Pair("WETH", "DAI", 2_500_000, -7),
    Pair("WBTC", "WETH", 4_000_000, 5),
    Pair("WBTC", "USDC", 900_000, -9),
    Pair("DAI", "USDC", 3_000_000, 3),
)


def seed_uniswap_v2(
    evm: Evm, contracts: Mapping[str, Address], tokens: Mapping[str, Token]
) -> tuple[str, ...]:
    """Create the pairs of ``PAIRS`` and give them reserves; return their keys in that order."""
    return tuple(f"uniswap_v2:{_seed_pair(evm, contracts['factory'], tokens, pair)}" for pair in PAIRS)


def _seed_pair(evm: Evm, factory: Address, tokens: Mapping[str, Token], pair: Pair) -> Address:
    base, quote = tokens[pair.base], tokens[pair.quote]
    address = create_through(evm, factory, _CREATE_PAIR.encode(base.address, quote.address))
    amount = get_amount(base, pair.usd)
    fund(evm, base, address, amount)
    fund(evm, quote, address, int(amount * get_price(base, quote, pair.skew_bps)))
    evm.call(DEPLOYER, address, _MINT.encode(DEPLOYER))
    return address
