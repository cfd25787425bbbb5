"""A hedge over venues whose keepers execute: GMX v2 and Synthetix v3, as their contracts were recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gmx import get_deeds as get_gmx_deeds
from perps_market import list_deeds

from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2 import GmxV2Venue
from onchain_exec.venues.perpetuals.hedge import Leg, find_hedge, get_delta
from onchain_exec.venues.perpetuals.synthetix_v3 import SynthetixV3Venue
from onchain_exec.venues.perpetuals.synthetix_v3.actions import get_market_address

BTC = get_market_address(200)
DAY_S = 86_400
PARTS = 4


def find_gmx_leg() -> Leg:
    """An account without a position in the market of bitcoin."""
    deed = get_gmx_deeds(0)[-1]
    (market,) = deed.after.markets
    owner, account = next(iter(deed.after.accounts.items()))
    state = replace(deed.after, accounts={owner: replace(account, holdings={})})
    venue = GmxV2Venue(state, leverage_wad=2 * WAD).with_index(market, 60_000 * WAD)
    return Leg(venue, owner, market)


def find_synthetix_leg() -> Leg:
    """An account that may buy and sell a bitcoin at the same index."""
    for deed in list_deeds():
        venue = SynthetixV3Venue(deed.after).with_index(BTC, 60_000 * WAD)
        for account in deed.after.accounts.values():
            try:
                for size_wad in (WAD, -WAD):
                    venue.preview_trade(account.owner, BTC, size_wad)
            except PoolRevertError:
                continue
            return Leg(venue, account.owner, BTC)
    raise AssertionError("nobody may trade")


@pytest.mark.parametrize("change_wad", [WAD // 2, -WAD // 2])
def test_find_hedge_over_venues_of_keepers_no_other_split_is_cheaper(change_wad: int) -> None:
    legs = (find_gmx_leg(), find_synthetix_leg())
    target, reference = get_delta(legs) + change_wad, 60_000 * WAD
    best = find_hedge(legs, target, reference, DAY_S, parts=PARTS)
    assert abs(sum(order.preview.size_wad for order in best.orders) - change_wad) <= 10**10
    for share in range(PARTS + 1):
        sizes = (change_wad * share // PARTS, change_wad * (PARTS - share) // PARTS)
        other = sum(
            find_hedge([leg], leg.size_wad + size, reference, DAY_S, parts=1).cost_wad
            for leg, size in zip(legs, sizes, strict=True)
            if size
        )
        assert best.cost_wad <= other + 10**6
