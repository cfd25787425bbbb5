"""Synthetix v3's perpetuals: traded against a pool, at an oracle's price and the market's skew."""

from onchain_exec.venues.perpetuals.synthetix_v3.reads import read_synthetix_v3
from onchain_exec.venues.perpetuals.synthetix_v3.venue import SynthetixV3Venue

__all__ = ["SynthetixV3Venue", "read_synthetix_v3"]
