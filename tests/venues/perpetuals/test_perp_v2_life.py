"""A position's whole life on Perpetual Protocol v2's real bytecode, each step foreseen before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from curie import FOREVER, KEEPER, MAKER, TRADER, Curie, start_curie
from evm_reading import perform

from onchain_exec.core import Address, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError, RevertError, StaleStateError
from onchain_exec.venues.perpetuals.perp_v2 import PerpV2Venue, read_perp_v2

USDC = 10**6
EVERYBODY = (TRADER, KEEPER, MAKER)


@dataclass(frozen=True)
class Life:
    """A trader, a keeper and the market that they meet in."""

    curie: Curie
    market: Address
    usdc: Address

    def read(self) -> PerpV2Venue:
        """The venue as it stands."""
        house = self.curie.at.contracts["ClearingHouse"]
        tokens = [token.address for token in self.curie.at.collateral.values()]
        return PerpV2Venue(perform(self.curie.evm, read_perp_v2(house, EVERYBODY, [self.market], tokens)))

    def wait(self, seconds: int, index_wad: int) -> None:
        """Let time pass, with a round of the feed every ten minutes."""
        for _ in range(seconds // 600):
            self.curie.wait(600)
            self.curie.set_index("vETH", index_wad)


@pytest.fixture
def life() -> Life:
    curie = start_curie()
    return Life(curie, curie.base("vETH"), curie.at.settlement.address)


def test_position_from_open_to_liquidation_equals_every_preview(life: Life) -> None:
    curie, market, usdc = life.curie, life.market, life.usdc

    # collateral, in two tokens
    venue = life.read()
    curie.act(venue.encode_deposit(TRADER, usdc, 5_000 * USDC, market))
    weth = curie.at.collateral["WETH"].address
    curie.act(venue.encode_deposit(TRADER, weth, WAD // 2, market))

    # open: a long of 10 ether
    venue = life.read()
    opened = venue.preview_trade(TRADER, market, 10 * WAD)
    cost = opened.notional_wad + opened.fee_wad
    curie.act(venue.encode_trade(TRADER, market, 10 * WAD, cost, FOREVER))
    assert life.read().get_account(TRADER) == opened.after.get_account(TRADER)
    assert 0 < opened.impact_bps < 100

    # fund: the market stands above the index, so the long pays
    life.wait(3_600, 2_900 * WAD)
    venue = life.read()
    assert venue.get_funding(market).per_base_day_wad > 0
    position = venue.get_account(TRADER).get_position(market)
    assert position is not None
    assert position.funding_owed_wad > 0
    assert position.liquidation_price_wad is not None

    # add collateral: the liquidation price falls
    richer = venue.preview_deposit(TRADER, usdc, 1_000 * USDC, market)
    curie.act(venue.encode_deposit(TRADER, usdc, 1_000 * USDC, market))
    venue = life.read()
    assert venue.get_account(TRADER) == richer.get_account(TRADER)
    safer = venue.get_account(TRADER).get_position(market)
    assert safer is not None
    assert safer.liquidation_price_wad is not None
    assert safer.liquidation_price_wad < position.liquidation_price_wad

    # close four of the ten
    reduced = venue.preview_trade(TRADER, market, -4 * WAD)
    got = -reduced.notional_wad - reduced.fee_wad
    curie.act(venue.encode_trade(TRADER, market, -4 * WAD, got, FOREVER))
    venue = life.read()
    assert venue.get_account(TRADER) == reduced.after.get_account(TRADER)

    # the price falls; a keeper takes the rest over as soon as the mark price is below the one foreseen
    curie.act(venue.encode_withdraw(TRADER, usdc, 2_500 * USDC, market))
    index = 2_900 * WAD
    while not venue.get_account(TRADER).is_liquidatable:
        held = venue.get_account(TRADER).get_position(market)
        assert held is not None
        assert held.liquidation_price_wad is not None
        assert venue.get_market(market).mark_price_wad >= held.liquidation_price_wad
        with pytest.raises(PoolRevertError, match="account value"):
            venue.preview_liquidation(KEEPER, TRADER, market)
        with pytest.raises(RevertError, match="CH_EAV"):
            curie.act(venue.encode_liquidation(KEEPER, TRADER, market))
        index = index * 97 // 100
        life.wait(1_800, index)
        curie.act(venue.encode_trade(MAKER, market, -40 * WAD, 0, FOREVER))
        life.wait(1_800, index)
        venue = life.read()
    gone = venue.preview_liquidation(KEEPER, TRADER, market)
    curie.act(venue.encode_liquidation(KEEPER, TRADER, market))
    after = life.read()
    for person in EVERYBODY:
        assert after.get_account(person) == gone.get_account(person)
    held = after.get_account(TRADER).get_position(market)
    assert held is None or held.size_wad < 6 * WAD


def test_preview_trade_too_little_collateral_raises_what_is_missing(life: Life) -> None:
    venue = life.read()
    with pytest.raises(PoolRevertError, match=r"free collateral after it; needed: 0 at a margin of 10\.00 %"):
        venue.preview_trade(TRADER, life.market, 10 * WAD)
    with pytest.raises(RevertError, match="CH_NEFCI"):
        life.curie.act(venue.encode_trade(TRADER, life.market, 10 * WAD, 0, FOREVER))


def test_preview_trade_unknown_market_raises_input_error(life: Life) -> None:
    with pytest.raises(InputError, match=r"the market .* was not read; needed: one of vETH"):
        life.read().preview_trade(TRADER, life.usdc, WAD)


def test_read_perp_v2_unknown_market_raises_input_error(life: Life) -> None:
    house = life.curie.at.contracts["ClearingHouse"]
    with pytest.raises(InputError, match="has no market of the base token"):
        perform(life.curie.evm, read_perp_v2(house, [TRADER], [life.usdc]))


def test_preview_trade_size_beyond_liquidity_raises_the_reason(life: Life) -> None:
    with pytest.raises(PoolRevertError) as caught:
        life.read().preview_trade(MAKER, life.market, 10_000 * WAD)
    assert caught.value.reason in {"UB_UOA", "EX_OPB", "EX_OPLAS"}
    with pytest.raises(RevertError, match=caught.value.reason):
        life.curie.act(life.read().encode_trade(MAKER, life.market, 10_000 * WAD, 0, FOREVER))


def test_preview_trade_stale_index_raises_stale_state(life: Life) -> None:
    venue = life.read()
    with pytest.raises(StaleStateError, match="s old; needed: 2400 s at most"):
        venue.seen_at(venue.at + 2_401).preview_trade(MAKER, life.market, WAD)


def test_preview_trade_paused_market_raises_market_not_open(life: Life) -> None:
    life.curie.pause("vETH")
    venue = life.read()
    with pytest.raises(PoolRevertError, match="vETH is paused") as caught:
        venue.preview_trade(MAKER, life.market, WAD)
    assert caught.value.reason == "CH_MNO"
    with pytest.raises(RevertError, match="CH_MNO"):
        life.curie.act(venue.encode_trade(MAKER, life.market, WAD, 0, FOREVER))


def test_paused_market_account_equals_bytecode(life: Life) -> None:
    life.curie.act(life.read().encode_trade(MAKER, life.market, 3 * WAD, 0, FOREVER))
    life.wait(1_200, 2_950 * WAD)
    life.curie.pause("vETH")
    life.curie.wait(5_000)
    venue = life.read()
    found = venue.get_account(MAKER)
    assert life.curie.ask_value(MAKER) == venue.state.to_units(found.value_wad)


def test_preview_deposit_other_token_raises_input_error(life: Life) -> None:
    with pytest.raises(InputError, match="is no collateral; needed: USDC, WETH, WBTC"):
        life.read().preview_deposit(TRADER, to_address(b"\x11" * 20), 1, life.market)


def test_preview_withdraw_more_than_free_raises_what_is_free(life: Life) -> None:
    life.curie.act(life.read().encode_deposit(TRADER, life.usdc, 7 * USDC, life.market))
    venue = life.read()
    with pytest.raises(PoolRevertError, match="7000001 base units to withdraw; needed: 7000000 at most"):
        venue.preview_withdraw(TRADER, life.usdc, 7 * USDC + 1, life.market)
    life.curie.act(venue.encode_withdraw(TRADER, life.usdc, 7 * USDC, life.market))
    assert life.read().get_account(TRADER).value_wad == 0
