"""Prices to measure a trade against: means over time of v3 pools, feeds of signed answers, pools' own."""

from onchain_exec.venues.prices.feed import Feed, Round, read_feed, read_sequencer, refuse_round
from onchain_exec.venues.prices.manipulation import TwapAttack, estimate_twap_attack
from onchain_exec.venues.prices.sources import find_pool_sources, read_feed_source, read_twap_source
from onchain_exec.venues.prices.twap import Twap, read_mean_ticks, read_twap

__all__ = [
    "Feed",
    "Round",
    "Twap",
    "TwapAttack",
    "estimate_twap_attack",
    "find_pool_sources",
    "read_feed",
    "read_feed_source",
    "read_mean_ticks",
    "read_sequencer",
    "read_twap",
    "read_twap_source",
    "refuse_round",
]
