"""Feeds that answer as Chainlink's aggregators do: what counts and what is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from price_chain import PriceChain

from onchain_exec.core import to_address
from onchain_exec.pricing import SourceKind, consolidate
from onchain_exec.venues.prices import (
    Feed,
    find_pool_sources,
    read_feed,
    read_feed_source,
    read_sequencer,
    read_twap_source,
    refuse_round,
)
from onchain_exec.venues.prices.feed import LATE_S, SEQUENCER_GRACE_S

HEARTBEAT_S = 3_600


@pytest.mark.parametrize(
    ("answer", "age_s", "refusal"),
    [
        (3_000, 0, ""),
        (3_000, HEARTBEAT_S + LATE_S, ""),
        (3_000, HEARTBEAT_S + LATE_S + 1, "3901 s old"),
        (3_000, -5, "in the future"),
        (0, 0, "answers 0"),
        (-1, 0, "answers -1"),
    ],
)
def test_refuse_round_by_answer_and_age(chain: PriceChain, answer: int, age_s: int, refusal: str) -> None:
    feed, now = chain.add_feed(8, 1, HEARTBEAT_S), chain.evm.timestamp
    chain.update(feed, answer * 10**8, now - age_s, now - age_s)
    found = chain.perform(read_feed(feed))
    assert (found.price, found.age_s) == (answer, age_s)
    assert refusal in refuse_round(found, feed)
    assert bool(refuse_round(found, feed)) == bool(refusal)


def test_read_feed_source_crosses_two_feeds_of_other_decimals(chain: PriceChain) -> None:
    ether, dollar = chain.add_feed(8, 3_000 * 10**8), chain.add_feed(18, 10**18, 86_400)
    now = chain.evm.timestamp
    chain.update(dollar, 10**18 * 99 // 100, now, now - 50)
    found = chain.perform(read_feed_source(ether, dollar, chain.weth, chain.usdc))
    assert found.price == Fraction(3_000 * 10**6 * 100, 99 * 10**18)
    assert (found.kind, found.age_s, found.refusal) == (SourceKind.FEED, 50, "")


def test_read_feed_source_where_either_feed_is_stale_or_none_is_refused(chain: PriceChain) -> None:
    ether, dollar = chain.add_feed(8, 3_000 * 10**8), chain.add_feed(8, 10**8)
    chain.update(dollar, 10**8, 1, chain.evm.timestamp - 10**5)
    found = chain.perform(read_feed_source(ether, dollar, chain.weth, chain.usdc))
    assert (found.price, found.age_s) == (None, 10**5)
    assert found.refusal.startswith("the feed of USDC: its round is 100000 s old")
    nobody = Feed(to_address("0x" + "ee" * 20), 60, "ETH / USD")
    found = chain.perform(read_feed_source(nobody, ether, chain.weth, chain.usdc))
    assert found.price is None
    assert found.refusal


def test_read_feed_source_of_a_feed_of_something_else_is_refused_by_name(chain: PriceChain) -> None:
    ether, dollar = chain.add_feed(8, 3_000 * 10**8), chain.add_feed(8, 10**8, description="USDC / USD")
    bitcoin = replace(chain.add_feed(8, 60_000 * 10**8, description="BTC / USD"), description="ETH / USD")
    assert chain.perform(read_feed_source(ether, dollar, chain.weth, chain.usdc)).price is not None
    found = chain.perform(read_feed_source(bitcoin, dollar, chain.weth, chain.usdc))
    assert found.price is None
    assert found.refusal == "the feed of WETH: it says that it is of 'BTC / USD', not of 'ETH / USD'"


def test_read_sequencer_down_or_just_back_refuses(chain: PriceChain) -> None:
    feed, now = chain.add_feed(0, 0).address, chain.evm.timestamp
    place = Feed(feed, 0, "")
    for status, started_at, why in (
        (1, now - 10**6, "down"),
        (0, now - SEQUENCER_GRACE_S, "up for"),
        (0, 0, "no round"),
        (0, now - SEQUENCER_GRACE_S - 1, ""),
    ):
        chain.update(place, status, started_at, now)
        found = chain.perform(read_sequencer(feed))
        assert why in found
        assert bool(found) == bool(why)
    assert "the sequencer's feed" in chain.perform(read_sequencer(chain.weth.address))


def test_consolidate_a_pool_that_is_moved_is_outvoted_by_mean_and_feed(chain: PriceChain) -> None:
    pair = chain.weth, chain.usdc
    feeds = chain.add_feed(8, 3_000 * 10**8), chain.add_feed(8, 10**8)
    chain.trade(chain.weth, 10**18)
    chain.wait(1_800)
    chain.trade(chain.weth, 900 * 10**18)
    moved = find_pool_sources([chain.pool], *pair)
    found = consolidate(
        [
            *moved,
            chain.perform(read_twap_source(chain.pool, *pair, 1_800)),
            chain.perform(read_feed_source(*feeds, *pair)),
        ]
    )
    assert moved[0].price < Fraction(2_950 * 10**6, 10**18)
    assert abs(found.price / Fraction(3_000 * 10**6, 10**18) - 1) < Fraction(1, 100)
    assert found.widest_divergence_bps == found.divergence_bps(moved[0].price) > 100
