"""Lyra's trades, collateral, liquidations and settlements: each preview beside what the bytecode then does,
on random markets."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from random import Random

import pytest
from evm_reading import perform
from lyra_chain import START, LyraChain, attempt, disturb, draw_order, vary

from onchain_exec.app.sandbox.derivatives.lyra_parameters import DAY, wad
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core.abi import Function
from onchain_exec.errors import PoolRevertError, RevertError
from onchain_exec.venues.options.lyra.codec import encode_liquidation
from onchain_exec.venues.options.lyra.collateral import (
    Short,
    can_liquidate,
    find_liquidation_spot_wad,
    get_collateral_min,
    split_liquidation,
)
from onchain_exec.venues.options.lyra.market import LyraMarket, read_lyra
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.state import LyraState, OptionType
from onchain_exec.venues.options.lyra.trade import Holding, LyraOrder, Traded, liquidate, trade
from onchain_exec.venues.options.market import Position

MIN_COLLATERAL = Function("getMinCollateral(uint8,uint256,uint256,uint256,uint256)", "(uint256)")
LIQUIDATION_FEES = Function(
    "getLiquidationFees(uint256,uint256,uint256,uint256)",
    "((uint256,uint256,uint256,uint256,uint256,uint256))",
)
SHORTS = (OptionType.SHORT_CALL_BASE, OptionType.SHORT_CALL_QUOTE, OptionType.SHORT_PUT_QUOTE)


def check_trade(chain: LyraChain, state: LyraState, order: LyraOrder) -> str:
    """Hold a preview against the chain, which is left as it was; return what came of it."""
    mark = chain.evm.snapshot()
    done = attempt(chain, order)
    chain.evm.revert(mark)
    try:
        previewed: Traded | PoolRevertError = trade(state, order)
    except PoolRevertError as error:
        previewed = error
    match done, previewed:
        case RevertError(), PoolRevertError():
            assert previewed.reason in (done.name, *done.arguments), order
            return previewed.reason
        case (cost, fee, quote, base), Traded():
            assert (previewed.cost, previewed.fee) == (cost, fee), order
            assert (previewed.quote_paid, previewed.base_paid) == (quote, base), order
            return order.direction.name
    pytest.fail(f"{order}: {done} on chain, {previewed} previewed")


@pytest.mark.parametrize(
    ("markets", "kinds"),
    [(10, 5), pytest.param(1_000, 10, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])],
)
def test_trade_preview_equals_the_chain(lyra: LyraChain, rng: Random, markets: int, kinds: int) -> None:
    outcomes = Counter[str]()
    for _ in range(markets):
        mark, timestamp = lyra.evm.snapshot(), lyra.evm.timestamp
        vary(lyra, rng)
        disturb(lyra, rng)
        state = lyra.read()
        outcomes.update(check_trade(lyra, state, draw_order(lyra, rng)) for _ in range(6))
        lyra.evm.revert(mark)
        lyra.evm.timestamp = timestamp
    assert len(outcomes) >= kinds, outcomes
    assert outcomes["OPEN"] > markets


@pytest.mark.parametrize(
    "shorts", [40, pytest.param(1_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_collateral_min_equals_the_chain_and_its_spot_is_the_edge(
    lyra: LyraChain, rng: Random, shorts: int
) -> None:
    state, edges = lyra.read(), 0
    for _ in range(shorts):
        kind, spot = rng.choice(SHORTS), int(wad("1700") * rng.uniform(0.3, 3))
        strike, expiry = int(wad("1700") * rng.uniform(0.3, 3)), START + rng.randrange(100 * DAY)
        amount = int(wad("1") * 10 ** rng.uniform(-3, 3))
        arguments = (kind.value, strike, expiry, spot, amount)
        answer = lyra.evm.static_call(state.contracts.greek_cache, MIN_COLLATERAL.encode(*arguments))
        short = Short(kind, strike, expiry, amount, 0)
        least = get_collateral_min(short, spot, state.timestamp, state.parameters)
        assert (least,) == MIN_COLLATERAL.decode(answer), arguments
        held = Short(kind, strike, expiry, amount, least)
        edge = find_liquidation_spot_wad(held, state.timestamp, state.parameters)
        if edge is not None:
            edges += 1
            safer = edge - 1 if kind.is_call else edge + 1
            assert can_liquidate(held, edge, state.timestamp, state.parameters)
            assert not can_liquidate(held, safer, state.timestamp, state.parameters)
    assert edges > shorts // 4


@pytest.mark.parametrize(
    "cases", [12, pytest.param(500, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_liquidation_preview_equals_the_chain(lyra: LyraChain, rng: Random, cases: int) -> None:
    outcomes = Counter[bool]()
    for _ in range(cases):
        mark, timestamp = lyra.evm.snapshot(), lyra.evm.timestamp
        kind, amount = rng.choice(SHORTS), wad(str(rng.randint(1, 20)))
        collateral = amount // 2 if kind is OptionType.SHORT_CALL_BASE else amount * rng.randint(900, 1_300)
        lyra.trade(LyraOrder(2, kind, Direction.OPEN, amount, Holding(), collateral))
        lyra.set_spot(int(wad("1742") * rng.uniform(0.3, 2.5)))
        lyra.pass_time(rng.randrange(27 * DAY))
        holding = Holding(1, amount, collateral)
        order = LyraOrder(2, kind, Direction.LIQUIDATE, amount, holding)
        state, before = lyra.read(), lyra.get_balances()
        try:
            _, split = liquidate(state, order)
        except PoolRevertError as error:
            with pytest.raises(RevertError, match=error.reason):
                lyra.run(encode_liquidation(lyra.contracts, 1, DEPLOYER))
            outcomes[False] += 1
        else:
            lyra.run(encode_liquidation(lyra.contracts, 1, DEPLOYER))
            after = lyra.get_balances()
            got = [now - then for then, now in zip(before, after, strict=True)]
            assert got[kind is OptionType.SHORT_CALL_BASE] == split.returned + split.liquidator_fee
            outcomes[True] += 1
        lyra.evm.revert(mark)
        lyra.evm.timestamp = timestamp
    assert len(outcomes) == 2


def test_liquidation_split_equals_the_chain(lyra: LyraChain, rng: Random) -> None:
    state = lyra.read()
    for _ in range(60):
        spot = int(wad("1") * 10 ** rng.uniform(0, 4))
        premium, collateral, least = (int(wad("1") * 10 ** rng.uniform(-2, 4)) for _ in range(3))
        answer = lyra.evm.static_call(
            lyra.contracts.option_token, LIQUIDATION_FEES.encode(premium, collateral, least, spot)
        )
        (theirs,) = LIQUIDATION_FEES.decode(answer)
        split = split_liquidation(premium, collateral, least, state.parameters.liquidation, spot)
        assert astuple(split) == theirs


def count_arriving(market: LyraMarket, positions: tuple[Position, ...]) -> Counter[str]:
    """Add up what settling positions should give, by token."""
    arriving = Counter[str]()
    for position in positions:
        for flow in market.preview_settlement(position):
            arriving[flow.token.symbol] -= flow.amount
    return arriving


@pytest.mark.parametrize(
    "cases", [4, pytest.param(300, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_settlement_preview_equals_the_chain(lyra: LyraChain, rng: Random, cases: int) -> None:
    for _ in range(cases):
        mark, timestamp = lyra.evm.snapshot(), lyra.evm.timestamp
        for kind in OptionType:
            amount = wad(str(rng.randint(1, 9)))
            full = amount if kind is OptionType.SHORT_CALL_BASE else 2_500 * amount
            lyra.trade(LyraOrder(2, kind, Direction.OPEN, amount, Holding(), 0 if kind.is_long else full))
        lyra.set_spot(int(wad("2000") * rng.uniform(0.5, 1.5)))
        lyra.pass_time(28 * DAY)
        market, positions = perform(lyra.evm, read_lyra(lyra.contracts, DEPLOYER))
        board, settle_all = market.encode_settlement(positions)
        expected = count_arriving(market, positions)
        lyra.run(board)
        market, positions = perform(lyra.evm, read_lyra(lyra.contracts, DEPLOYER))
        arriving = count_arriving(market, positions)
        assert arriving == expected
        before = lyra.get_balances()
        assert market.encode_settlement(positions) == (settle_all,)
        lyra.run(settle_all)
        got = [now - then for then, now in zip(before, lyra.get_balances(), strict=True)]
        assert got == [arriving["sUSD"], arriving["sETH"]]
        lyra.evm.revert(mark)
        lyra.evm.timestamp = timestamp
