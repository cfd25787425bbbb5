"""Perpetual Protocol v2 (Curie): perpetuals traded against liquidity in v3 pools."""

from onchain_exec.venues.perpetuals.perp_v2.reads import read_perp_v2
from onchain_exec.venues.perpetuals.perp_v2.venue import PerpV2Venue

__all__ = ["PerpV2Venue", "read_perp_v2"]
