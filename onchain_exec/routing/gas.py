"""The gas a swap is expected to take: it decides whether a further pool is worth its cost."""

from __future__ import annotations

from typing import Final

ROUTE_GAS: Final = 50_000
"""Once per route: the intrinsic 21,000, calldata, the router's entry and the final payment."""

TICK_GAS: Final = 31_000
"""Per initialised tick crossed: four cold storage slots; the figure of Uniswap's order router."""

_HOP_GAS: Final = {"uniswap_v2": 65_000, "uniswap_v3": 80_000}
_OTHER_HOP_GAS: Final = 110_000


def hop_gas(kind: str) -> int:
    """Return the gas of one swap through a pool of ``kind``, without ticks."""
    return _HOP_GAS.get(kind, _OTHER_HOP_GAS)
