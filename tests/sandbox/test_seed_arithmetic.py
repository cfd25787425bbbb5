from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onchain_exec.app.sandbox import Deployment
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.seed import uniswap_v3
from onchain_exec.app.sandbox.seed.liquidity import get_liquidity
from onchain_exec.app.sandbox.seed.prices import (
    USD_PRICES,
    get_amount,
    get_price,
    get_sqrt_price_x96,
    sort_tokens,
)
from onchain_exec.core import Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.testing.evm import LocalEvm

LOW, HIGH = to_address("0x" + "01" * 20), to_address("0x" + "fe" * 20)
SYMBOLS = st.sampled_from(sorted(USD_PRICES))
_SLOT0 = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
_MINT = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
    "(uint256,uint128,uint256,uint256)",
)


@given(
    base=SYMBOLS,
    quote=SYMBOLS,
    decimals=st.tuples(st.integers(0, 18), st.integers(0, 18)),
    skew_bps=st.integers(-50, 50),
    flipped=st.booleans(),
)
def test_get_sqrt_price_squared_is_the_price_of_token0_rounded_down(
    base: str, quote: str, decimals: tuple[int, int], skew_bps: int, flipped: bool
) -> None:
    one = Token(1337, HIGH if flipped else LOW, base, decimals[0])
    other = Token(1337, LOW if flipped else HIGH, quote, decimals[1])
    price = get_price(one, other, skew_bps)
    if sort_tokens(one, other)[0] != one:
        price = 1 / price
    root = get_sqrt_price_x96(one, other, skew_bps)
    assert Fraction(root**2, 1 << 192) <= price < Fraction((root + 1) ** 2, 1 << 192)


@given(usd=st.integers(0, 10**12), symbol=SYMBOLS, decimals=st.integers(0, 18))
def test_get_amount_is_worth_at_most_the_dollars(usd: int, symbol: str, decimals: int) -> None:
    amount = get_amount(Token(1337, LOW, symbol, decimals), usd)
    unit = Fraction(USD_PRICES[symbol], 10**decimals)
    assert amount * unit <= usd < (amount + 1) * unit


@given(
    lower=st.integers(-400, 400),
    width=st.integers(1, 400),
    usd=st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
)
@pytest.mark.parametrize("pool_index", [0, 1, 3, 8])
def test_get_liquidity_is_what_the_position_manager_computes(
    deployed: tuple[LocalEvm, Deployment],
    pool_index: int,
    lower: int,
    width: int,
    usd: tuple[int, int],
) -> None:
    evm, deployment = deployed
    pool = uniswap_v3.POOLS[pool_index]
    key = [key for key in deployment.pools if key.startswith("uniswap_v3:")][pool_index]
    token0, token1 = sort_tokens(deployment.tokens[pool.base], deployment.tokens[pool.quote])
    slot0 = evm.static_call(to_address(key.split(":")[1]), _SLOT0.encode())
    amounts = (get_amount(token0, usd[0]), get_amount(token1, usd[1]))
    spacing = pool.tick_spacing
    sqrt_price_x96, tick = _SLOT0.decode(slot0)[:2]
    ticks = ((tick // spacing + lower) * spacing, (tick // spacing + lower + width) * spacing)
    liquidity = get_liquidity(sqrt_price_x96, ticks, *amounts)
    assume(liquidity > 0)  # the pool refuses an empty position
    order = (token0.address, token1.address, pool.fee_pips, *ticks, *amounts, 0, 0, DEPLOYER, 2**63)
    manager = deployment.protocols["uniswap_v3"]["position_manager"]
    for token in (token0, token1):
        approve(evm, token, DEPLOYER, manager)
    assert _MINT.decode(evm.static_call(manager, _MINT.encode(order)))[1] == liquidity
