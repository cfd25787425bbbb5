"""What Solidly's pools tell of their swaps and reserves."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import Event

SYNC: Final = Event("Sync(uint256,uint256)", (), ("uint256", "uint256"))
_AMOUNTS: Final = ("uint256", "uint256", "uint256", "uint256")
SWAPS: Final = {
    event.topic: event
    for event in (
        Event("Swap(address,uint256,uint256,uint256,uint256,address)", ("address", "address"), _AMOUNTS),
        Event("Swap(address,address,uint256,uint256,uint256,uint256)", ("address", "address"), _AMOUNTS),
    )
}
"""By topic: Solidly's and Velodrome v1's, which is Uniswap's, and that of Velodrome v2 and Aerodrome."""
