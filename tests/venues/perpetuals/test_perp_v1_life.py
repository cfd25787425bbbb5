"""A position's whole life on Perpetual Protocol v1's real bytecode, each step foreseen before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from evm_reading import perform
from vamm import DEALER, KEEPER, WHALE, Vamm, start_vamm

from onchain_exec.core import Address, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError, RevertError, StaleStateError
from onchain_exec.venues.perpetuals.perp_v1 import PerpV1Venue, read_perp_v1

USDC = 10**6


@dataclass(frozen=True)
class Life:
    """The protocol, and the market that the test is about."""

    vamm: Vamm
    market: Address
    usdc: Address

    def read(self, leverage: int = 10) -> PerpV1Venue:
        return self.vamm.read(leverage * WAD)

    def next_block(self, venue: PerpV1Venue) -> PerpV1Venue:
        """The venue as the block of the next action sees it."""
        self.vamm.wait(12)
        return venue.seen_at(self.vamm.evm.timestamp)


@pytest.fixture
def life() -> Life:
    vamm = start_vamm()
    return Life(vamm, vamm.market("ETH"), vamm.at.quote.address)


def test_position_from_open_to_liquidation_equals_every_preview(life: Life) -> None:
    vamm, market = life.vamm, life.market

    # open: a long of 20 ether at tenfold leverage, half a percent off the price at most
    venue = life.next_block(life.read())
    opened = venue.preview_trade(DEALER, market, 20 * WAD)
    bound = opened.notional_wad * 1_005 // 1_000
    vamm.act(venue.encode_trade(DEALER, market, 20 * WAD, bound, 0))
    assert life.read().house.positions == opened.after.house.positions
    assert opened.fee_wad == 2 * (opened.notional_wad // 2_000)  # toll and spread

    # fund: the market stands above the index, so the long pays
    vamm.wait(3_600)
    vamm.set_index("ETH", 2_950 * WAD)
    vamm.wait(3_600)
    venue = life.next_block(life.read())
    assert venue.get_funding(market).per_base_day_wad > 0
    funded = venue.preview_funding(market)
    vamm.act(venue.encode_funding(KEEPER, market))
    venue = life.read()
    assert venue.house.cash == funded.house.cash
    position = venue.get_account(DEALER).get_position(market)
    assert position is not None
    assert position.funding_owed_wad > 0
    assert position.liquidation_price_wad is not None

    # add margin: the liquidation price falls
    venue = life.next_block(venue)
    richer = venue.preview_deposit(DEALER, life.usdc, 1_000 * USDC, market)
    vamm.act(venue.encode_deposit(DEALER, life.usdc, 1_000 * USDC, market))
    venue = life.read()
    assert venue.house.positions == richer.house.positions
    safer = venue.get_account(DEALER).get_position(market)
    assert safer is not None
    assert safer.liquidation_price_wad is not None
    assert safer.liquidation_price_wad < position.liquidation_price_wad

    # close eight of the twenty
    venue = life.next_block(venue)
    reduced = venue.preview_trade(DEALER, market, -8 * WAD)
    vamm.act(venue.encode_trade(DEALER, market, -8 * WAD, 0, 0))
    venue = life.read()
    assert venue.house.positions == reduced.after.house.positions

    # a whale sells; as soon as price and mean are below the foreseen price, a keeper liquidates
    while not venue.get_account(DEALER).is_liquidatable:
        with pytest.raises(PoolRevertError, match="a margin ratio of"):
            venue.preview_liquidation(KEEPER, DEALER, market)
        with pytest.raises(RevertError, match="Margin ratio not meet criteria"):
            vamm.act(venue.encode_liquidation(KEEPER, DEALER, market))
        vamm.act(life.read(1).encode_trade(WHALE, market, -90 * WAD, 0, 0))
        vamm.wait(1_800)
        vamm.set_index("ETH", life.read().get_market(market).market_price_wad)
        venue = life.read()
    held = venue.get_account(DEALER).get_position(market)
    assert held is not None
    assert held.liquidation_price_wad is not None
    assert venue.get_market(market).market_price_wad < held.liquidation_price_wad
    venue = life.next_block(venue)
    gone = venue.preview_liquidation(KEEPER, DEALER, market)
    vamm.act(venue.encode_liquidation(KEEPER, DEALER, market))
    after = life.read()
    assert after.house.positions == gone.house.positions
    assert after.house.cash == gone.house.cash
    assert abs(after.house.get_position(market, DEALER).size) < held.size_wad


def test_liquidation_price_of_a_position_is_where_its_ratio_is_the_maintenance_margin(life: Life) -> None:
    life.vamm.act(life.read().encode_trade(DEALER, life.market, -30 * WAD, 0, 0))
    venue = life.read()
    position = venue.get_account(DEALER).get_position(life.market)
    assert position is not None
    assert position.liquidation_price_wad is not None
    # a whale buys up to there, and time passes
    while life.read().get_market(life.market).market_price_wad < position.liquidation_price_wad:
        assert not life.read().get_account(DEALER).is_liquidatable
        life.vamm.act(life.read(1).encode_trade(WHALE, life.market, 40 * WAD, 0, 0))
        life.vamm.wait(1_800)
        life.vamm.set_index("ETH", life.read().get_market(life.market).market_price_wad)
    assert life.read().get_account(DEALER).is_liquidatable


def test_liquidation_of_a_bankrupt_position_equals_bytecode(life: Life) -> None:
    life.vamm.act(life.read().encode_trade(DEALER, life.market, 30 * WAD, 0, 0))
    for _ in range(10):  # nobody liquidates, though anyone could
        life.vamm.act(life.read(1).encode_trade(WHALE, life.market, -80 * WAD, 0, 0))
        life.vamm.wait(1_800)
        life.vamm.set_index("ETH", life.read().get_market(life.market).market_price_wad)
    venue = life.next_block(life.read())
    assert venue.get_account(DEALER).value_wad < 0
    gone = venue.preview_liquidation(KEEPER, DEALER, life.market)
    life.vamm.act(venue.encode_liquidation(KEEPER, DEALER, life.market))
    after = life.read()
    assert after.house.positions == gone.house.positions
    assert after.house.cash == gone.house.cash
    assert after.get_account(DEALER).positions == ()


def test_encode_trade_bound_holds_with_the_fees(life: Life) -> None:
    venue, market = life.read(), life.market
    for size, reason in ((20 * WAD, "Less than minimal"), (-20 * WAD, "More than maximal")):
        done = venue.preview_trade(DEALER, market, size)
        total = abs(done.notional_wad + done.fee_wad)
        worse = total - total // 10**6 if size > 0 else total + total // 10**6
        with pytest.raises(RevertError, match=f"{reason} base token"):
            life.vamm.act(venue.encode_trade(DEALER, market, size, worse, 0))
    life.vamm.act(venue.encode_trade(DEALER, market, size, total - total // 10**6, 0))


def test_encode_close_bound_holds_with_the_fees(life: Life) -> None:
    market = life.market
    for size, reason in ((20 * WAD, "Less than minimal"), (-20 * WAD, "More than maximal")):
        life.vamm.act(life.read().encode_trade(DEALER, market, size, 0, 0))
        venue = life.read()
        done = venue.preview_close(DEALER, market)
        total = abs(done.notional_wad + done.fee_wad)
        for_better = total // 10**6 * (1 if size > 0 else -1)
        with pytest.raises(RevertError, match=f"{reason} quote token"):
            life.vamm.act(venue.encode_close(DEALER, market, total + for_better, 0))
        life.vamm.act(venue.encode_close(DEALER, market, total - for_better, 0))


def test_encode_bound_that_nothing_can_meet_is_not_taken_for_none(life: Life) -> None:
    """The contract takes a limit of 0 for none, and rounding must not make it one."""
    with pytest.raises(RevertError, match="More than maximal base token"):
        life.vamm.act(life.read().encode_trade(DEALER, life.market, -WAD, 10**60, 0))
    life.vamm.act(life.read().encode_trade(DEALER, life.market, -WAD, 0, 0))
    with pytest.raises(RevertError, match="More than maximal quote token"):
        life.vamm.act(life.read().encode_close(DEALER, life.market, 1, 0))


def test_preview_trade_too_much_leverage_raises_found_and_needed(life: Life) -> None:
    venue = life.read(leverage=11)
    with pytest.raises(PoolRevertError, match=r"a margin ratio of 9\.0909 %; needed: 10\.0000 %"):
        venue.preview_trade(DEALER, life.market, WAD)
    with pytest.raises(RevertError, match="Margin ratio not meet criteria"):
        life.vamm.act(venue.encode_trade(DEALER, life.market, WAD, 0, 0))


def test_preview_trade_size_beyond_liquidity_raises_found_and_needed(life: Life) -> None:
    with pytest.raises(PoolRevertError, match="in this block") as caught:
        life.read().preview_trade(WHALE, life.market, -400 * WAD)
    with pytest.raises(RevertError, match=caught.value.reason):
        life.vamm.act(life.read().encode_trade(WHALE, life.market, -400 * WAD, 0, 0))


def test_preview_trade_closed_market_raises(life: Life) -> None:
    life.vamm.at.deployed.call("ETH", "shutdown")
    with pytest.raises(PoolRevertError, match="ETH is closed"):
        life.read().preview_trade(WHALE, life.market, WAD)
    with pytest.raises(RevertError, match="amm was closed"):
        life.vamm.act(life.read().encode_trade(WHALE, life.market, WAD, 0, 0))


def test_preview_trade_paused_house_raises(life: Life) -> None:
    life.vamm.at.deployed.call("ClearingHouse", "pause")
    with pytest.raises(PoolRevertError, match="the clearing house is paused"):
        life.read().preview_trade(WHALE, life.market, WAD)
    with pytest.raises(RevertError, match="Pausable: paused"):
        life.vamm.act(life.read().encode_trade(WHALE, life.market, WAD, 0, 0))


def test_preview_trade_stale_index_raises_stale_state(life: Life) -> None:
    venue = life.read()
    with pytest.raises(StaleStateError, match="s old; needed: 7200 s at most"):
        venue.seen_at(venue.at + 7_300).preview_trade(WHALE, life.market, WAD)


def test_unknown_market_raises_input_error(life: Life) -> None:
    nowhere = to_address(b"\x22" * 20)
    with pytest.raises(InputError, match=rf"the market {nowhere} was not read; needed: one of .*\("):
        life.read().preview_trade(WHALE, nowhere, WAD)
    with pytest.raises(InputError, match="no market stands at"):
        perform(life.vamm.evm, read_perp_v1(life.vamm.at.clearing_house, [WHALE], [nowhere]))


def test_preview_withdraw_more_than_the_margin_raises_what_is_there(life: Life) -> None:
    life.vamm.act(life.read().encode_trade(DEALER, life.market, WAD, 0, 0))
    venue = life.read()
    margin = venue.house.get_position(life.market, DEALER).margin
    with pytest.raises(PoolRevertError, match=f"needed: {margin} at most"):
        venue.preview_withdraw(DEALER, life.usdc, margin // 10**12 + 1, life.market)
    with pytest.raises(RevertError, match="margin is not enough"):
        life.vamm.act(venue.encode_withdraw(DEALER, life.usdc, margin // 10**12 + 1, life.market))


def test_preview_deposit_other_token_raises_input_error(life: Life) -> None:
    with pytest.raises(InputError, match="is no margin of this market; needed: USDC"):
        life.read().preview_deposit(DEALER, life.market, 1, life.market)


def test_reverse_of_a_long_equals_bytecode(life: Life) -> None:
    life.vamm.act(life.read().encode_trade(DEALER, life.market, 10 * WAD, 0, 0))
    venue = life.next_block(replace(life.read(), leverage_wad=3 * WAD))
    reversed_ = venue.preview_trade(DEALER, life.market, -25 * WAD)
    life.vamm.act(venue.encode_trade(DEALER, life.market, -25 * WAD, 0, 0))
    assert life.read().house.positions == reversed_.after.house.positions
    assert life.read().house.get_position(life.market, DEALER).size < 0
