"""Perpetual Protocol v1: perpetuals traded against a virtual AMM."""

from onchain_exec.venues.perpetuals.perp_v1.reads import read_perp_v1
from onchain_exec.venues.perpetuals.perp_v1.venue import PerpV1Venue

__all__ = ["PerpV1Venue", "read_perp_v1"]
