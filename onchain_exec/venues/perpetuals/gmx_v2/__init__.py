"""GMX v2: perpetuals against a pool, at an oracle's prices, executed by keepers."""

from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices, read_gmx_v2
from onchain_exec.venues.perpetuals.gmx_v2.venue import GmxV2Venue

__all__ = ["GmxV2Venue", "SignedPrices", "read_gmx_v2"]
