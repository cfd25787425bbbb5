"""A hedge over two venues with their real bytecode: the cheapest split, and what the chain then does."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from operator import mul

import pytest
from curie import FOREVER, KEEPER, start_curie
from evm_reading import perform
from hypothesis import given, settings
from hypothesis import strategies as st
from vamm import DEALER, start_vamm

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, NoRouteError
from onchain_exec.venues.perpetuals.hedge import Hedge, Leg, find_hedge, get_delta
from onchain_exec.venues.perpetuals.perp_v2 import PerpV2Venue, read_perp_v2

DAY_S = 86_400
PARTS = 4


@pytest.fixture(scope="module")
def legs() -> tuple[Leg, Leg]:
    """Ether on both versions; both accounts are rich."""
    curie, vamm = start_curie(), start_vamm()
    base = curie.base("vETH")
    house = curie.at.contracts["ClearingHouse"]
    v2 = PerpV2Venue(perform(curie.evm, read_perp_v2(house, [KEEPER], [base])))
    market: Address = vamm.market("ETH")
    return Leg(v2, KEEPER, base), Leg(vamm.read(WAD), DEALER, market)


def cost_of(hedge: Hedge, reference: int) -> int:
    """The cost from its parts."""
    return sum(
        order.preview.notional_wad
        - order.preview.size_wad * reference // WAD
        + order.preview.fee_wad
        + order.funding_wad
        + order.leg.fixed_cost_wad
        for order in hedge.orders
    )


@settings(max_examples=12)
@given(
    size=st.builds(mul, st.sampled_from((1, -1)), st.integers(WAD // 100 + 1, 60 * WAD)),
    fixed=st.tuples(st.integers(0, 50 * WAD), st.integers(0, 50 * WAD)),
    horizon_s=st.integers(0, 30 * DAY_S),
)
def test_find_hedge_no_other_split_is_cheaper(
    legs: tuple[Leg, Leg], size: int, fixed: tuple[int, int], horizon_s: int
) -> None:
    priced = [replace(leg, fixed_cost_wad=cost) for leg, cost in zip(legs, fixed, strict=True)]
    target, reference = get_delta(priced) + size, 3_000 * WAD
    best = find_hedge(priced, target, reference, horizon_s, parts=PARTS)
    assert abs(best.cost_wad - cost_of(best, reference)) <= len(best.orders)
    assert abs(sum(order.preview.size_wad for order in best.orders) - size) <= 2 * len(best.orders)
    for shares in product(range(PARTS + 1), repeat=2):
        if sum(shares) == PARTS:
            other = 0
            for leg, share in zip(priced, shares, strict=True):
                if share:
                    wanted = leg.size_wad + size * share // PARTS
                    other += find_hedge([leg], wanted, reference, horizon_s, parts=1).cost_wad
            assert best.cost_wad <= other + 10**6  # a few base units of rounding move the price


def test_find_hedge_at_target_is_empty(legs: tuple[Leg, Leg]) -> None:
    assert find_hedge(legs, get_delta(legs), 3_000 * WAD, DAY_S) == Hedge((), 0)


def test_find_hedge_beyond_all_liquidity_raises_no_route(legs: tuple[Leg, Leg]) -> None:
    with pytest.raises(NoRouteError, match="over 2 venues"):
        find_hedge(legs, 10**6 * WAD, 3_000 * WAD, DAY_S, parts=2)


def test_find_hedge_no_legs_raises_input_error() -> None:
    with pytest.raises(InputError, match="0 legs"):
        find_hedge([], WAD, WAD, DAY_S)


def test_find_hedge_orders_equal_bytecode() -> None:
    curie, vamm = start_curie(), start_vamm()
    base, house = curie.base("vETH"), curie.at.contracts["ClearingHouse"]

    def read() -> tuple[Leg, Leg]:
        v2 = PerpV2Venue(perform(curie.evm, read_perp_v2(house, [KEEPER], [base])))
        return Leg(v2, KEEPER, base), Leg(vamm.read(WAD), DEALER, vamm.market("ETH"))

    hedge = find_hedge(read(), -40 * WAD, 3_000 * WAD, DAY_S)
    assert len(hedge.orders) == 2
    for order in hedge.orders:
        leg = order.leg
        call = leg.venue.encode_trade(leg.owner, leg.market, order.size_wad, 0, FOREVER)
        (curie if leg.venue.kind == "perp_v2" else vamm).act(call)
    assert abs(get_delta(read()) + 40 * WAD) <= 10
