"""Panoptic: options out of Uniswap v3 liquidity that never expire. Positions are encoded and sized here; what
they must hold as collateral, and what premium has accrued, only its pool tells."""
