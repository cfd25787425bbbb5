"""The mirror of Perpetual Protocol v1 foresees what its real bytecode does, to the unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from random_cases import pick_scale
from vamm import DEALER, FEED_PRICES, KEEPER, WHALE, Vamm, start_vamm

from onchain_exec.core import Call
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError, RevertError
from onchain_exec.venues.perpetuals.perp_v1 import PerpV1Venue
from onchain_exec.venues.perpetuals.perp_v1.mirror.house import get_margin_ratio

RATIO = Function("getMarginRatio(address,address)", "(int256)")
Deed = tuple[str, Callable[[PerpV1Venue], PerpV1Venue], Call]


def require_same(foreseen: PerpV1Venue, found: PerpV1Venue) -> None:
    """Every position, market and balance."""
    assert foreseen.house.positions == found.house.positions
    assert foreseen.house.cash == found.house.cash
    for market, amm in foreseen.house.amms.items():
        other = found.house.amms[market]
        for name in type(amm).__slots__:
            if name not in ("snapshots", "rounds"):
                assert getattr(amm, name) == getattr(other, name), name
        later = found.at + 30
        for size in (WAD // 7, 3 * WAD):
            for buys in (True, False):
                mean = other.get_mean_quote(size, later, buys=buys)
                assert amm.get_mean_quote(size, later, buys=buys) == mean
        assert amm.get_premium(later) == other.get_premium(later)


def require_views(vamm: Vamm, venue: PerpV1Venue) -> None:
    """What the contract says of margin ratios at this moment."""
    for (market, owner), position in venue.house.positions.items():
        if position.size:
            answer = vamm.evm.static_call(vamm.at.clearing_house, RATIO.encode(market, owner))
            ratio = get_margin_ratio(venue.house.get_amm(market), position, venue.at)
            assert RATIO.decode(answer)[0] == ratio


def draw_deed(rng: Random, venue: PerpV1Venue) -> Deed:
    """Any action of anybody."""
    who, market = rng.choice((WHALE, DEALER)), rng.choice(list(venue.house.amms))
    token = venue.house.get_amm(market).quote_token
    units = pick_scale(rng, 1, 10**9)
    size = (
        pick_scale(rng, 10**9, (700_000 if who == WHALE else 200_000) * WAD)
        * WAD
        // venue.get_market(market).market_price_wad
    )
    size *= rng.choice([1, -1])
    if who == WHALE:  # drives the price one way for hours, then back
        size = abs(size) if venue.at // 30_000 % 2 else -abs(size)
    held = venue.house.get_position(market, who).size
    if rng.random() < 0.2 and held:
        size = -held * rng.choice([1, 2, 1]) // rng.choice([1, 3])
    money = (token, units, market)
    deeds: list[Deed] = [
        ("deposit", lambda v: v.preview_deposit(who, *money), venue.encode_deposit(who, *money)),
        ("withdraw", lambda v: v.preview_withdraw(who, *money), venue.encode_withdraw(who, *money)),
        ("close", lambda v: v.preview_close(who, market).after, venue.encode_close(who, market, 0, 0)),
        ("funding", lambda v: v.preview_funding(market), venue.encode_funding(KEEPER, market)),
        (
            "liquidate",
            lambda v: v.preview_liquidation(KEEPER, who, market),
            venue.encode_liquidation(KEEPER, who, market),
        ),
    ]
    if size:
        trade: Deed = (
            "trade",
            lambda v: v.preview_trade(who, market, size).after,
            venue.encode_trade(who, market, size, 0, 0),
        )
        deeds += [trade] * 7
    if venue.get_account(who).is_liquidatable:
        deeds += [deeds[4]] * 7
    return rng.choice(deeds)


def foresee(venue: PerpV1Venue, deed: Deed) -> PerpV1Venue | str:
    try:
        return deed[1](venue)
    except PoolRevertError as error:
        return error.reason


def act(vamm: Vamm, call: Call) -> str | None:
    try:
        vamm.act(call)
    except RevertError as error:
        return str(error.arguments[0]) if error.arguments else ""
    return None


def step(rng: Random, vamm: Vamm, prices: dict[str, int]) -> str:
    vamm.wait(rng.choice([1, 15, 60, 600, 1_800]))
    for symbol, price in prices.items():
        usual = FEED_PRICES[symbol] * WAD
        drifted = int(price * (1 + rng.choice([0, rng.uniform(-0.05, 0.05)])))
        prices[symbol] = min(usual * 3 // 2, max(usual * 2 // 3, drifted))
        vamm.set_index(symbol, prices[symbol])
    venue = vamm.read(rng.choice([1, 10, 10, 10]) * WAD)
    require_views(vamm, venue)
    deed = draw_deed(rng, venue)
    vamm.wait(rng.choice([1, 7]))
    return do(vamm, venue.seen_at(vamm.evm.timestamp), deed)


def do(vamm: Vamm, venue: PerpV1Venue, deed: Deed) -> str:
    """Foresee a deed, do it, compare; return how it ended."""
    foreseen, refused = foresee(venue, deed), act(vamm, deed[2])
    if isinstance(foreseen, str):
        assert refused is not None, f"{deed[0]} was to revert with {foreseen}"
        assert foreseen in ("", refused), deed[0]
        return refused
    assert refused is None, f"{deed[0]} reverts with {refused}"
    require_same(foreseen, vamm.read())
    return deed[0]


def run(rng: Random, steps: int) -> Counter[str]:
    vamm = start_vamm()
    prices = {symbol: price * WAD for symbol, price in FEED_PRICES.items()}
    return Counter(step(rng, vamm, prices) for _ in range(steps))


def lose(rng: Random, vamm: Vamm) -> str:
    """A dealer's position that a whale trades against, block after block; somebody tries to liquidate it."""
    symbol = rng.choice(list(FEED_PRICES))
    market, mark = vamm.market(symbol), vamm.evm.snapshot()
    side = rng.choice([1, -1])
    held = pick_scale(rng, 1_000, 600_000) * WAD // FEED_PRICES[symbol]
    vamm.act(vamm.read(10 * WAD).encode_trade(DEALER, market, side * held, 0, 0))
    for _ in range(rng.randint(1, 9)):
        sold = rng.randint(100_000, 500_000) * WAD // FEED_PRICES[symbol]
        vamm.act(vamm.read(WAD).encode_trade(WHALE, market, -side * sold, 0, 0))
    vamm.wait(rng.choice([60, 900, 1_800]))
    spot = vamm.read().get_market(market).market_price_wad
    vamm.set_index(symbol, int(spot * rng.choice([1, rng.uniform(0.85, 1.15)])))
    venue = vamm.read()
    require_views(vamm, venue)
    vamm.wait(5)
    deed: Deed = (
        "liquidate",
        lambda v: v.preview_liquidation(KEEPER, DEALER, market),
        venue.encode_liquidation(KEEPER, DEALER, market),
    )
    ended = do(vamm, venue.seen_at(vamm.evm.timestamp), deed)
    vamm.evm.revert(mark)
    return ended


def test_perp_v1_random_deeds_equals_bytecode(rng: Random) -> None:
    assert run(rng, 12)["trade"]


def test_perp_v1_liquidations_of_losers_equal_bytecode(rng: Random) -> None:
    vamm = start_vamm()
    assert Counter(lose(rng, vamm) for _ in range(8))["liquidate"]


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_perp_v1_thousand_random_deeds_equals_bytecode(rng: Random) -> None:
    seen = sum((run(rng, 200) for _ in range(5)), Counter())
    assert {"trade", "close", "deposit", "withdraw", "funding"} <= seen.keys()


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_perp_v1_thousand_liquidations_of_losers_equal_bytecode(rng: Random) -> None:
    vamm = start_vamm()
    seen = Counter(lose(rng, vamm) for _ in range(1_000))
    assert {"liquidate", "Margin ratio not meet criteria"} <= seen.keys()
