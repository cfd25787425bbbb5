"""GMX v2 (Synthetics): its price impact, funding and borrowing, and the calldata of its orders."""
