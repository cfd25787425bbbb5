"""What Lyra would refuse is refused before anything is signed, with what was found and needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evm_reading import perform
from lyra_chain import START, LyraChain

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.derivatives.lyra import PACKAGE
from onchain_exec.app.sandbox.derivatives.lyra_parameters import DAY, wad
from onchain_exec.core import ZERO_ADDRESS
from onchain_exec.errors import (
    AmountError,
    InputError,
    OnchainExecError,
    PoolRevertError,
    RevertError,
    StaleStateError,
    TokenRefusedError,
    UnsupportedOrderError,
)
from onchain_exec.venues.options.lyra.codec import encode_trade
from onchain_exec.venues.options.lyra.market import LyraMarket, read_lyra
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.reads import read_market
from onchain_exec.venues.options.lyra.state import OptionType
from onchain_exec.venues.options.lyra.trade import Holding, LyraOrder, trade
from onchain_exec.venues.options.market import OptionOrder, Position, SeriesState, Side

ONE = wad("1")
LONG = LyraOrder(2, OptionType.LONG_CALL, Direction.OPEN, ONE)


def check_refusal(chain: LyraChain, order: LyraOrder, reason: str) -> PoolRevertError:
    """Hold the preview's refusal against the chain's."""
    state = chain.read()
    with pytest.raises(PoolRevertError) as refused:
        trade(state, order)
    with pytest.raises(RevertError) as reverted:
        chain.run(encode_trade(chain.contracts, order, 0, 2**256 - 1))
    assert refused.value.reason == reason
    assert reason in (reverted.value.name, *reverted.value.arguments)
    assert refused.value.found
    assert refused.value.needed
    return refused.value


def test_preview_of_an_expired_series_is_refused(lyra: LyraChain) -> None:
    lyra.pass_time(28 * DAY + 5)
    assert "5 s ago" in check_refusal(lyra, LONG, "BoardExpired").found


def test_preview_of_an_unknown_strike_is_refused(lyra: LyraChain) -> None:
    check_refusal(lyra, LyraOrder(99, OptionType.LONG_CALL, Direction.OPEN, ONE), "InvalidStrikeId")


def test_preview_of_a_frozen_board_is_refused(lyra: LyraChain) -> None:
    lyra.lyra.call("OptionMarket", "setBoardFrozen", 1, True)
    check_refusal(lyra, LONG, "BoardIsFrozen")
    market, _ = perform(lyra.evm, read_lyra(lyra.contracts))
    assert market.get_state(market.series[0]) is SeriesState.FROZEN
    assert market.get_collateral_min(OptionOrder(market.series[0], Side.LONG, ONE)) == 0


def test_preview_near_expiry_is_refused_but_for_a_forced_close(lyra: LyraChain) -> None:
    lyra.trade(LONG)
    lyra.pass_time(28 * DAY - 3_600)
    check_refusal(lyra, LONG, "TradingCutoffReached")
    close = LyraOrder(2, OptionType.LONG_CALL, Direction.FORCE_CLOSE, ONE, Holding(1, ONE))
    previewed = trade(lyra.read(), close)
    assert lyra.trade(close) == (previewed.cost, previewed.fee, -previewed.cost, 0)


def test_forced_close_of_what_trades_is_refused(lyra: LyraChain) -> None:
    lyra.trade(LONG)
    close = replace(LONG, direction=Direction.FORCE_CLOSE, holding=Holding(1, ONE))
    check_refusal(lyra, close, "ForceCloseDeltaOutOfRange")


@pytest.mark.parametrize(
    ("kind", "amount", "reason"),
    [
        (OptionType.LONG_PUT, "280", "LockingMoreQuoteThanIsFree"),
        (OptionType.LONG_CALL, "300", "QuoteBaseExchangeExceedsLimit"),
        (OptionType.LONG_CALL, "1000", "VolSkewOrBaseIvOutsideOfTradingBounds"),
    ],
)
def test_preview_beyond_the_pools_liquidity_is_refused(
    lyra: LyraChain, kind: OptionType, amount: str, reason: str
) -> None:
    check_refusal(lyra, LyraOrder(2, kind, Direction.OPEN, wad(amount)), reason)


def test_preview_of_a_short_with_too_little_collateral_tells_how_much_it_needs(lyra: LyraChain) -> None:
    def write(collateral: int) -> LyraOrder:
        return LyraOrder(2, OptionType.SHORT_PUT_QUOTE, Direction.OPEN, ONE, Holding(), collateral)

    error = check_refusal(lyra, write(wad("300")), "AdjustmentResultsInMinimumCollateralNotBeingMet")
    least = int(error.needed.removeprefix("at least "))
    check_refusal(lyra, write(least - 1), "AdjustmentResultsInMinimumCollateralNotBeingMet")
    lyra.trade(write(least))


def test_preview_of_a_close_of_more_than_is_held_is_refused(lyra: LyraChain) -> None:
    lyra.trade(LONG)
    lyra.trade(LONG)
    close = LyraOrder(2, OptionType.LONG_CALL, Direction.CLOSE, ONE + 1, Holding(1, ONE))
    with pytest.raises(PoolRevertError, match=f"at most the position's {ONE}"):
        trade(lyra.read(), close)


def test_preview_of_an_order_that_is_none_is_refused(lyra: LyraChain) -> None:
    check_refusal(lyra, replace(LONG, iterations=0), "ExpectedNonZeroValue")
    check_refusal(lyra, replace(LONG, amount=3, iterations=4), "TradeIterationsHasRemainder")
    check_refusal(lyra, replace(LONG, amount=0), "CannotOpenZeroAmount")
    lyra.trade(LONG)
    close = replace(LONG, direction=Direction.CLOSE)
    check_refusal(lyra, close, "CannotClosePositionZero")
    check_refusal(
        lyra, replace(close, holding=Holding(1, ONE), collateral_to=1), "FullyClosingWithNonZeroSetCollateral"
    )


def test_preview_of_a_close_that_costs_more_than_the_collateral_is_refused(lyra: LyraChain) -> None:
    held = wad("1500")
    lyra.trade(LyraOrder(2, OptionType.SHORT_CALL_QUOTE, Direction.OPEN, 2 * ONE, Holding(), held))
    lyra.set_spot(wad("6000"))
    close = LyraOrder(
        2, OptionType.SHORT_CALL_QUOTE, Direction.FORCE_CLOSE, ONE, Holding(1, 2 * ONE, held), held
    )
    with pytest.raises(PoolRevertError, match=f"at most the collateral of {held}"):
        trade(lyra.read(), close)
    with pytest.raises(RevertError, match="Panic"):
        lyra.trade(close)


def test_preview_of_a_close_that_the_pool_cannot_pay_is_refused(lyra: LyraChain) -> None:
    put = LyraOrder(2, OptionType.LONG_PUT, Direction.OPEN, ONE)
    lyra.trade(put)
    state = lyra.read()
    poor = replace(state, liquidity=replace(state.liquidity, quote_balance=10))
    with pytest.raises(PoolRevertError, match="the pool holds 10"):
        trade(poor, replace(put, direction=Direction.CLOSE, holding=Holding(1, ONE)))


def test_sale_that_lowers_the_volatility_below_zero_is_refused(lyra: LyraChain) -> None:
    short = LyraOrder(2, OptionType.SHORT_CALL_BASE, Direction.OPEN, wad("600"), Holding(), wad("600"))
    check_refusal(lyra, short, "Panic")


def test_preview_of_an_amount_beyond_reason_is_refused(lyra: LyraChain) -> None:
    for amount in (-1, 2**128):
        with pytest.raises(AmountError):
            trade(lyra.read(), LyraOrder(2, OptionType.LONG_CALL, Direction.OPEN, amount))


def check_read_refusal(chain: LyraChain, error: type[OnchainExecError], words: str) -> None:
    with pytest.raises(error, match=words) as refused:
        chain.read()
    assert refused.value.needed


def test_read_of_a_paused_market_is_refused(lyra: LyraChain) -> None:
    lyra.lyra.call("SynthetixAdapter", "setMarketPaused", lyra.contracts.market, True)
    check_read_refusal(lyra, PoolRevertError, "MarketIsPaused")
    lyra.lyra.call("SynthetixAdapter", "setGlobalPaused", True)
    check_read_refusal(lyra, PoolRevertError, "AllMarketsPaused")


def test_read_at_a_stale_oracle_is_refused(lyra: LyraChain) -> None:
    lyra.set_spot(wad("1800"), invalid=True)
    check_read_refusal(lyra, StaleStateError, "answers 1800000000000000000000 / 1e18, marked invalid")


def test_read_of_tokens_with_other_decimals_is_refused(lyra: LyraChain) -> None:
    six = read_contract(
        PACKAGE, "dist/artifacts/contracts/test-helpers/TestERC20SetDecimals.sol/TestERC20SetDecimals.json"
    )
    quote = lyra.evm.deploy(six.creation_code("USD Coin", "USDC", 6))
    with pytest.raises(TokenRefusedError, match="USDC has 6 decimals; needed: 18"):
        perform(lyra.evm, read_market(replace(lyra.contracts, quote=quote)))


def test_read_of_another_market_is_refused(lyra: LyraChain) -> None:
    with pytest.raises(InputError, match="does not know market"):
        perform(lyra.evm, read_market(replace(lyra.contracts, market=lyra.contracts.pool)))


def test_orders_that_lyra_does_not_have_are_refused(lyra: LyraChain) -> None:
    market, _ = perform(lyra.evm, read_lyra(lyra.contracts))
    put = market.find_series(2, is_call=False)
    with pytest.raises(UnsupportedOrderError, match="short put with collateral in sETH"):
        market.preview(OptionOrder(put, Side.SHORT, ONE, collateral_token=put.underlying))
    with pytest.raises(UnsupportedOrderError, match="forced open"):
        market.preview(OptionOrder(put, Side.LONG, ONE, is_forced=True))
    with pytest.raises(InputError, match="strike 7"):
        market.find_series(7, is_call=True)


def test_settlement_before_the_board_is_refused(lyra: LyraChain) -> None:
    market = LyraMarket(lyra.read())
    position = Position(1, ZERO_ADDRESS, market.find_series(2, is_call=True), Side.LONG, ONE)
    with pytest.raises(PoolRevertError, match="no settlement price"):
        market.preview_settlement(position)
    assert market.timestamp == START
