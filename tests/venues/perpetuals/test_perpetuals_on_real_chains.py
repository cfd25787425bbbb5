"""Markets of real chains against what their own contracts say, at the newest block of FORK_URL's node."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Final

import pytest
from connected import connected

from onchain_exec.chain import Node
from onchain_exec.core import Address, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError
from onchain_exec.venues.asking import Ask, ask_one_value_each
from onchain_exec.venues.perpetuals.gmx_v2.mirror.accrual import accrue, get_borrowing, get_funding
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Cell
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import OraclePrice, State
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxContracts
from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices, read_gmx_v2
from onchain_exec.venues.perpetuals.synthetix_v3.reads import read_synthetix_v3

ARBITRUM, BASE = 42161, 8453
GMX = GmxContracts(
    exchange_router=to_address("0x1C3fa76e6E1088bCE750f23a5BFcffa1efEF6A41"),
    order_vault=to_address("0x31eF83a530Fde1B38EE9A18093A333D8Bbbc40D5"),
    router=to_address("0x7452c558d45f8afC8c83dAe62C3f8A5BE19c71f6"),
    data_store=to_address("0xFD70de6b91282D8017aA4E741e9Ae325CAb992d8"),
    referral_storage=to_address("0xe6fab3F0c7199b0d34d7FbE83394fc0e0D06e99d"),
    event_emitter=to_address("0xC8ee91A54287DB53897056e12D9819156D3822Fb"),
)
GMX_READER = to_address("0x470fbC46bcC0f16532691Df360A07d8Bf5ee0789")
GMX_ETH = to_address("0x70d95587d40A2caf56bd97485aB3Eec10Bee6336")
WETH = Token(ARBITRUM, to_address("0x82aF49447D8a07e3bd95BD0d56f35241523fBab1"), "WETH", 18)
USDC = Token(ARBITRUM, to_address("0xaf88d065e77c8cC2239327C5EDb3A432268e5831"), "USDC", 6)
PERPS_MARKET = to_address("0x0A2AF931eFFd34b81ebcc57E3d3c9B1E1dE1C9Ce")

_PRICE: Final = "(uint256,uint256)"
_BY_TOKEN: Final = "(uint256,uint256)"
_BY_SIDE: Final = f"({_BY_TOKEN},{_BY_TOKEN})"
_NEXT: Final = f"(bool,uint256,int256,{_BY_SIDE},{_BY_SIDE})"
MARKET_INFO: Final = Function(
    f"getMarketInfo(address,({_PRICE},{_PRICE},{_PRICE}),address)",
    "(((address,address,address,address),uint256,uint256,"
    f"({_BY_SIDE},{_BY_SIDE}),{_NEXT},(uint256,uint256,int256),bool))",
)
FUNDING_RATE: Final = Function("currentFundingRate(uint128)", "(int256)")
FUNDING_VELOCITY: Final = Function("currentFundingVelocity(uint128)", "(int256)")


on_a_real_chain = pytest.mark.skipif(
    "FORK_URL" not in os.environ, reason="FORK_URL names no node of a real chain"
)


def require_chain(node: Node, chain_id: int) -> None:
    if node.chain_id != chain_id:
        pytest.skip(f"FORK_URL serves chain {node.chain_id}, the market stands on {chain_id}")


def read_market_info(reader: Address, state: State, market: Address) -> Reading[Any]:
    """Read what GMX's own Reader makes of a market at the state's prices."""
    prices = state.get_prices(state.get_market(market))
    three = tuple((one.least, one.most) for one in (prices.index, prices.long, prices.short))
    store = state.contracts.data_store
    (info,) = yield from ask_one_value_each([Ask(reader, MARKET_INFO, (store, three, market))])
    return info


def require_market_info(state: State, market: Address, info: Any) -> None:
    """Borrowing and funding, now and until now, are the Reader's."""
    found, rules = state.get_market(market), state.rules
    prices = state.get_prices(found)
    tokens, longs, shorts, _, (longs_pay, rate, saved, fees, claims), _, is_disabled = info
    assert tuple(map(to_address, tokens)) == (market, found.index_token, *found.tokens)
    assert found.is_enabled == (not is_disabled)
    assert [get_borrowing(found, rules, prices, side) for side in (True, False)] == [longs, shorts]
    assert tuple(get_funding(found, rules, prices, state.at)) == (rate, longs_pay, saved)
    accrued = accrue(found, rules, prices, state.at)
    for kind, grown in (("fee_per_size", fees), ("claimable_per_size", claims)):
        expected: Counter[Cell] = Counter()
        for is_long, by_token in zip((True, False), grown, strict=True):
            for token, delta in zip(found.tokens, by_token, strict=True):
                expected[Cell(token, is_long)] += delta
        before, after = getattr(found, kind), getattr(accrued, kind)
        assert {cell: after[cell] - before[cell] for cell in before} == dict(expected)


async def read_gmx(node: Node) -> State:
    block = await node.get_block("latest")
    prices = (
        OraclePrice(WETH, 2_999 * 10**12, 3_001 * 10**12),
        OraclePrice(USDC, 999 * 10**21, 1_001 * 10**21),
    )
    signed = SignedPrices(block.timestamp, prices)
    return await node.perform(read_gmx_v2(GMX, signed, (), (GMX_ETH,)), block)


@pytest.mark.fork
@on_a_real_chain
async def test_gmx_v2_market_of_arbitrum_is_what_its_reader_says() -> None:
    async with connected(os.environ["FORK_URL"]) as node:
        require_chain(node, ARBITRUM)
        state = await read_gmx(node)
        info = await node.perform(read_market_info(GMX_READER, state, GMX_ETH), state.block)
        require_market_info(state, GMX_ETH, info)


@pytest.mark.fork
@on_a_real_chain
async def test_synthetix_v3_markets_of_base_are_what_they_say() -> None:
    async with connected(os.environ["FORK_URL"]) as node:
        require_chain(node, BASE)
        block = await node.get_block("latest")
        try:
            state = await node.perform(read_synthetix_v3(PERPS_MARKET, (), (100, 200)), block)
        except InputError as error:
            pytest.skip(f"the oracle has no price at this block: {error}")
        for market in state.markets.values():
            asks = [Ask(PERPS_MARKET, one, (market.id,)) for one in (FUNDING_RATE, FUNDING_VELOCITY)]
            rate, velocity = await node.perform(ask_one_value_each(asks), block)
            assert (market.get_funding_rate(state.at), market.velocity) == (rate, velocity)
