"""A covered call's life in an RMM-01 pool: provided, traded against, matured, taken out."""

from __future__ import annotations

import pytest
from rmm_chain import DAY, START, RmmChain

from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Call
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError, UnsupportedOrderError
from onchain_exec.venues.options.market import OptionMarket, OptionOrder, Position, SeriesState, Side
from onchain_exec.venues.options.primitive.codec import encode_swap
from onchain_exec.venues.options.primitive.market import RmmMarket
from onchain_exec.venues.options.primitive.pool import Calibration

TERMS = Calibration(2_000 * 10**6, 8_000, START + 30 * DAY, 9_985)


def run(chain: RmmChain, *calls: Call) -> None:
    for call in calls:
        assert call.to is not None
        chain.evm.call(DEPLOYER, call.to, call.data)


def get_margin(chain: RmmChain, pool_id: bytes) -> tuple[int, int]:
    account = chain.read_account(pool_id, DEPLOYER)
    return account.margin_risky, account.margin_stable


def test_covered_call_is_provided_traded_against_and_taken_out_at_maturity() -> None:
    chain = RmmChain.start()
    pool_id = chain.create(TERMS, 5 * 10**17, 100 * 10**18)
    chain.primitive.call("router", "deposit", DEPLOYER, 50 * 10**18, 50_000 * 10**6, b"")
    market = RmmMarket(chain.read(pool_id), DEPLOYER)
    (series,) = market.series
    assert (series.strike_wad, market.get_vol_wad(series)) == (2_000 * WAD, 8 * WAD // 10)
    assert market.get_forward(series) == pytest.approx(1_937, abs=1)
    assert market.get_greeks(series).delta == pytest.approx(0.49, abs=0.01)

    before = get_margin(chain, pool_id)
    opened = market.preview(OptionOrder(series, Side.SHORT, 10 * WAD))
    run(chain, *market.encode(opened, slippage_bps=0))
    paid = [then - now for then, now in zip(before, get_margin(chain, pool_id), strict=True)]
    assert paid == [flow.amount for flow in opened.flows]
    held = chain.read_account(pool_id, DEPLOYER).liquidity
    assert held >= 10 * WAD

    # the price rises: the stable token buys the risky one, its fee stays in the pool
    pool = chain.read(pool_id)
    bought = pool.get_amount_out(False, 5_000 * 10**6)
    run(chain, encode_swap(pool, False, 5_000 * 10**6, bought, DEPLOYER))
    assert chain.read(pool_id) == pool.swap(False, 5_000 * 10**6, bought)

    position = Position(0, DEPLOYER, series, Side.SHORT, held)
    market = RmmMarket(chain.read(pool_id), DEPLOYER)
    with pytest.raises(UnsupportedOrderError, match="before maturity"):
        market.preview_settlement(position)
    closed = market.preview(OptionOrder(series, Side.SHORT, held // 2, is_close=True, position=position))
    check_paid_out(chain, market, closed.flows, market.encode(closed, slippage_bps=0))

    chain.evm.timestamp = TERMS.maturity + 1
    market = RmmMarket(chain.read(pool_id), DEPLOYER)
    assert market.get_state(series) is SeriesState.SETTLED
    rest = Position(0, DEPLOYER, series, Side.SHORT, held - held // 2)
    check_paid_out(chain, market, market.preview_settlement(rest), market.encode_settlement((rest,)))
    assert chain.read_account(pool_id, DEPLOYER).liquidity == 0
    with pytest.raises(PoolRevertError, match="matured 1 s ago"):
        market.preview(OptionOrder(series, Side.SHORT, WAD))


def check_paid_out(chain: RmmChain, market: OptionMarket, flows: tuple, calls: tuple[Call, ...]) -> None:
    """Hold the tokens that arrive to the preview."""
    tokens = [flow.token for flow in flows]
    before = [get_balance(chain.evm, token, DEPLOYER) for token in tokens]
    run(chain, *calls)
    after = [get_balance(chain.evm, token, DEPLOYER) for token in tokens]
    assert [then - now for then, now in zip(before, after, strict=True)] == [flow.amount for flow in flows]


def test_market_refuses_longs_and_more_than_is_held() -> None:
    chain = RmmChain.start()
    market = RmmMarket(chain.read(chain.create(TERMS, 5 * 10**17, 100 * 10**18)), DEPLOYER)
    (series,) = market.series
    assert market.get_collateral_min(OptionOrder(series, Side.SHORT, WAD)) == 0
    with pytest.raises(UnsupportedOrderError, match="long side"):
        market.preview(OptionOrder(series, Side.LONG, WAD))
    position = Position(0, DEPLOYER, series, Side.SHORT, WAD)
    with pytest.raises(PoolRevertError, match=f"at most the {WAD} held"):
        market.preview(OptionOrder(series, Side.SHORT, WAD + 1, is_close=True, position=position))
