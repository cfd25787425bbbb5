"""An option's life on Lyra: written and bought, watched, closed in part, expired, settled."""

from __future__ import annotations

import pytest
from evm_reading import perform
from lyra_chain import START, LyraChain

from onchain_exec.app.sandbox.derivatives.lyra_parameters import DAY, wad
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.errors import RevertError
from onchain_exec.pricing.smiles.fit import fit_surface
from onchain_exec.venues.options.lyra.black_scholes import OptionInputs, get_values
from onchain_exec.venues.options.lyra.codec import encode_add_collateral
from onchain_exec.venues.options.lyra.collateral import Short, find_liquidation_spot_wad
from onchain_exec.venues.options.lyra.market import LyraMarket, read_lyra
from onchain_exec.venues.options.lyra.state import OptionType
from onchain_exec.venues.options.market import (
    OptionMarket,
    OptionOrder,
    OptionPreview,
    Position,
    SeriesState,
    Side,
)
from onchain_exec.venues.options.surface import collect_smiles


def read(lyra: LyraChain) -> tuple[LyraMarket, tuple[Position, ...]]:
    return perform(lyra.evm, read_lyra(lyra.contracts, DEPLOYER))


def execute(lyra: LyraChain, market: OptionMarket, preview: OptionPreview) -> None:
    """Run what was previewed, with no room for slippage, and hold the balances to it."""
    before = lyra.get_balances()
    for call in market.encode(preview, slippage_bps=0):
        lyra.run(call)
    moved = [then - now for then, now in zip(before, lyra.get_balances(), strict=True)]
    flows = {flow.token.symbol: flow.amount for flow in preview.flows}
    assert moved == [flows.get("sUSD", 0), flows.get("sETH", 0)]


def settle(lyra: LyraChain) -> dict[str, int]:
    """Settle the board and all positions; return what arrived."""
    market, positions = read(lyra)
    board, _ = market.encode_settlement(positions)
    lyra.run(board)
    market, positions = read(lyra)
    assert {market.get_state(position.series) for position in positions} == {SeriesState.SETTLED}
    before = lyra.get_balances()
    for call in market.encode_settlement(positions):
        lyra.run(call)
    arrived = [now - then for then, now in zip(before, lyra.get_balances(), strict=True)]
    assert read(lyra)[1] == ()
    return dict(zip(("sUSD", "sETH"), arrived, strict=True))


def test_long_call_is_bought_sold_in_part_and_settles_at_its_payoff(lyra: LyraChain) -> None:
    market, _ = read(lyra)
    call = market.find_series(2, is_call=True)
    assert market.get_state(call) is SeriesState.OPEN
    assert 0.3 < market.get_greeks(call).delta < 0.4

    bought = market.preview(OptionOrder(call, Side.LONG, wad("3")))
    assert bought.cost == bought.premium + bought.fee
    execute(lyra, market, bought)

    lyra.pass_time(7 * DAY)
    lyra.set_spot(wad("2000"))
    market, (position,) = read(lyra)
    sold = market.preview(OptionOrder(call, Side.LONG, wad("1"), is_close=True, position=position))
    assert sold.cost > bought.cost // 3  # the spot has risen
    execute(lyra, market, sold)

    lyra.pass_time(21 * DAY)
    lyra.set_spot(wad("2300"))
    market, (position,) = read(lyra)
    assert (position.amount, market.get_state(call)) == (wad("2"), SeriesState.EXPIRED)
    assert settle(lyra) == {"sUSD": 2 * call.get_payoff_wad(wad("2300")), "sETH": 0}


def test_short_put_is_written_on_part_collateral_topped_up_and_settles_at_what_is_left(
    lyra: LyraChain,
) -> None:
    market, _ = read(lyra)
    put = market.find_series(1, is_call=False)
    order = OptionOrder(put, Side.SHORT, wad("2"), collateral_token=put.quote)
    least = market.get_collateral_min(order)
    assert least < 2 * put.strike_wad  # in part
    written = market.preview(
        OptionOrder(put, Side.SHORT, wad("2"), collateral_token=put.quote, collateral_to=least + wad("100"))
    )
    assert written.flows[0].amount == least + wad("100") - written.cost  # the premium is collateral, too
    execute(lyra, market, written)

    market, (position,) = read(lyra)
    short = Short(
        OptionType.SHORT_PUT_QUOTE, put.strike_wad, put.expiry_at, position.amount, position.collateral
    )
    edge = find_liquidation_spot_wad(short, market.timestamp, market.state.parameters)
    assert edge is not None
    lyra.set_spot(edge + wad("1"))
    market, (position,) = read(lyra)
    more = OptionOrder(
        put, Side.SHORT, 0, position=position, collateral_token=put.quote, collateral_to=2 * put.strike_wad
    )
    execute(lyra, market, market.preview(more))

    lyra.set_spot(wad("1200"))
    lyra.pass_time(28 * DAY)
    owed = 2 * put.get_payoff_wad(wad("1200"))
    assert settle(lyra) == {"sUSD": 2 * put.strike_wad - owed, "sETH": 0}


def test_covered_call_is_closed_by_force_when_its_delta_is_out_of_range(lyra: LyraChain) -> None:
    market, _ = read(lyra)
    call = market.find_series(2, is_call=True)
    order = OptionOrder(call, Side.SHORT, wad("1"), collateral_token=call.underlying, collateral_to=wad("1"))
    execute(lyra, market, market.preview(order))
    lyra.pass_time(20 * DAY)
    lyra.set_spot(wad("3000"))
    market, (position,) = read(lyra)
    close = OptionOrder(call, Side.SHORT, wad("1"), is_close=True, is_forced=True, position=position)
    closed = market.preview(close)
    assert closed.premium >= call.get_payoff_wad(wad("3000")) + wad("30")  # parity and 1 % of the spot
    execute(lyra, market, closed)
    assert read(lyra)[1] == ()


def test_collateral_is_added_by_anybody_without_a_trade(lyra: LyraChain) -> None:
    market, _ = read(lyra)
    put = market.find_series(1, is_call=False)
    order = OptionOrder(put, Side.SHORT, wad("1"), collateral_token=put.quote, collateral_to=wad("1000"))
    execute(lyra, market, market.preview(order))
    _, (before,) = read(lyra)
    lyra.run(encode_add_collateral(lyra.contracts, before.position_id, wad("50")))
    _, (after,) = read(lyra)
    assert after.collateral == before.collateral + wad("50")


def test_trade_beyond_its_slippage_reverts_in_the_market(lyra: LyraChain) -> None:
    market, _ = read(lyra)
    call = market.find_series(2, is_call=True)
    preview = market.preview(OptionOrder(call, Side.LONG, wad("1")))
    lyra.set_spot(wad("1800"))
    (bounded,) = market.encode(preview, slippage_bps=50)
    with pytest.raises(RevertError, match="TotalCostOutsideOfSpecifiedBounds"):
        lyra.run(bounded)


def test_boards_fit_to_a_surface_without_arbitrage(lyra: LyraChain) -> None:
    for days, iv in ((14, "1.1"), (60, "0.95")):
        strikes, skews = [wad(str(k)) for k in range(1_200, 2_600, 200)], [wad("1")] * 7
        lyra.lyra.call(
            "OptionMarket", "createOptionBoard", START + days * DAY, wad(iv), strikes, skews, False
        )
    market, _ = read(lyra)
    smiles = collect_smiles(market)
    assert [len(smile.vols) for smile in smiles] == [7, 3, 7]
    surface = fit_surface(smiles)
    quoted = market.get_vol_wad(market.find_series(2, is_call=True)) / 1e18
    assert float(surface.get_vol(0.13, smiles[1].years)) == pytest.approx(quoted, rel=0.15)


def test_greeks_are_those_of_the_contract(lyra: LyraChain) -> None:
    market, _ = read(lyra)
    for series in market.series:
        seconds, vol = series.expiry_at - market.timestamp, market.get_vol_wad(series)
        rate, spot = market.state.parameters.greeks.rate_wad, market.state.spot_wad
        exact = get_values(OptionInputs(seconds, vol, spot, series.strike_wad, rate))
        greeks = market.get_greeks(series)
        delta = exact.call_delta_wad / 1e18 - (not series.is_call)
        price = exact.call_wad if series.is_call else exact.put_wad
        assert greeks.price == pytest.approx(price / 1e18, rel=1e-9)
        assert (greeks.delta, greeks.vega) == pytest.approx((delta, exact.vega_wad / 1e18), rel=1e-9)
