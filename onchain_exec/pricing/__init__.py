"""What a pair is worth, from values alone: no pools, no node, no clock."""

from onchain_exec.pricing.consolidated import (
    ConsolidatedPrice,
    PriceSource,
    SourceKind,
    consolidate,
)

__all__ = ["ConsolidatedPrice", "PriceSource", "SourceKind", "consolidate"]
