"""A short on Lyra as collateral: what is foreseen, when it is liquidated, and its guard, on the bytecode."""

from __future__ import annotations

import pytest
from evm_reading import perform
from lyra_chain import LyraChain

from onchain_exec.app.sandbox.derivatives.lyra_parameters import wad
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import InputError, RevertError
from onchain_exec.venues.options.lyra.account import LyraShortAccount, read_lyra_shorts
from onchain_exec.venues.options.lyra.codec import encode_liquidation
from onchain_exec.venues.options.lyra.market import read_lyra
from onchain_exec.venues.options.market import OptionOrder, Side


def write_option(lyra: LyraChain, *, is_call: bool) -> LyraShortAccount:
    """Write one, with a fifth more collateral than it must have."""
    market, _ = perform(lyra.evm, read_lyra(lyra.contracts, DEPLOYER))
    series = market.find_series(2, is_call=is_call)
    bare = OptionOrder(series, Side.SHORT, wad("2"), collateral_token=series.quote, collateral_to=MAX_UINT256)
    enough = market.get_collateral_min(bare) * 6 // 5
    order = OptionOrder(series, Side.SHORT, wad("2"), collateral_token=series.quote, collateral_to=enough)
    for call in market.encode(market.preview(order), slippage_bps=0):
        lyra.run(call)
    return read(lyra)


def read(lyra: LyraChain) -> LyraShortAccount:
    (short,) = perform(lyra.evm, read_lyra_shorts(lyra.contracts, DEPLOYER))
    return short


@pytest.mark.parametrize("is_call", [True, False])
def test_short_is_liquidated_from_its_price_on_and_its_guard_says_so_before(
    lyra: LyraChain, is_call: bool
) -> None:
    short = write_option(lyra, is_call=is_call)
    assert short.health.health_factor_wad == pytest.approx(1.2 * WAD)
    (edge,) = short.health.liquidation_prices
    guard = short.require_health(11 * WAD // 10)
    towards = -1 if is_call else 1
    liquidation = encode_liquidation(lyra.contracts, short.position.position_id, DEPLOYER)
    lyra.set_spot(edge.liquidation_price + towards)
    assert not read(lyra).health.is_liquidatable
    assert not is_kept(lyra, guard)  # 1.1 is farther away than 1
    with pytest.raises(RevertError):
        lyra.run(liquidation)
    lyra.set_spot(guard.bound)
    assert is_kept(lyra, guard)
    assert read(lyra).health.health_factor_wad >= 11 * WAD // 10
    lyra.set_spot(edge.liquidation_price)
    assert read(lyra).health == short.at_price(short.market.state.base.address, edge.liquidation_price).health
    assert read(lyra).health.is_liquidatable
    lyra.run(liquidation)
    assert perform(lyra.evm, read_lyra_shorts(lyra.contracts, DEPLOYER)) == ()


def test_short_after_orders_is_what_the_chain_shows(lyra: LyraChain) -> None:
    short = write_option(lyra, is_call=False)
    held = short.position
    more = OptionOrder(held.series, Side.SHORT, 0, position=held, collateral_to=held.collateral + wad("100"))
    call = short.encode(more)
    assert [(spend.amount >= wad("100"), spend.spender) for spend in call.spends] == [
        (True, lyra.contracts.market)
    ]
    lyra.evm.call(DEPLOYER, call.to, call.data)
    assert read(lyra).health == short.after(more).health
    with pytest.raises(InputError, match="another position"):
        short.after(OptionOrder(held.series, Side.SHORT, 0))
    with pytest.raises(InputError, match="price"):
        short.at_price(DEPLOYER, 1)


def is_kept(lyra: LyraChain, guard: object) -> bool:
    answer = int.from_bytes(lyra.evm.static_call(guard.target, guard.data))
    return answer >= guard.bound if guard.comparison.words == "at least" else answer <= guard.bound
