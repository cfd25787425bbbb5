"""Venues of perpetual futures: read, previewed to the unit, and traded, by one protocol."""

from onchain_exec.venues.perpetuals.venue import (
    AccountState,
    Funding,
    MarketState,
    PerpetualVenue,
    PositionState,
    Preview,
    TradeRequest,
    TwoPhaseVenue,
)

__all__ = [
    "AccountState",
    "Funding",
    "MarketState",
    "PerpetualVenue",
    "PositionState",
    "Preview",
    "TradeRequest",
    "TwoPhaseVenue",
]
