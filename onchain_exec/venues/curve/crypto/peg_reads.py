"""What moves a CryptoSwap pool's price scale, from what the pool tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onchain_exec.core.fixed_point import MAX_UINT128, WAD, div_up
from onchain_exec.venues.curve.crypto.peg import Peg, get_average_weight
from onchain_exec.venues.curve.crypto.refuelled_peg import RefuelledPeg
from onchain_exec.venues.curve.ramp import Ramp
from onchain_exec.venues.curve.told import Told

_VERSIONS: Final = ("v2.0.0", "v2.1.0", "v2.1.0d")
"""Of tricrypto-ng and twocrypto-ng; what takes donations is known by them, and not by its version."""
_NEEDED: Final = (
    "totalSupply", "virtual_price", "xcp_profit", "packed_rebalancing_params", "initial_A_gamma",
    "future_A_gamma", "initial_A_gamma_time", "future_A_gamma_time",
)  # fmt: skip
_DONATIONS: Final = (
    "donation_shares", "last_donation_release_ts", "donation_duration",
    "donation_protection_expiry_ts", "donation_protection_period",
)  # fmt: skip
_MASK_64: Final = (1 << 64) - 1


def find_peg(told: Told) -> Peg | None:
    """Return what moves the price scale; None if the pool's version is not modelled, or it is empty."""
    numbers, at = told.numbers, told.block.timestamp
    if told.version not in _VERSIONS or any(name not in numbers for name in _NEEDED):
        return None
    if not numbers["virtual_price"] or not numbers["totalSupply"]:
        return None
    packed = numbers["packed_rebalancing_params"]
    # the first twocrypto-ng packs another time above
    averaged_at = numbers.get("last_prices_timestamp", numbers.get("last_timestamp", 0)) & MAX_UINT128
    weight = get_average_weight(at - averaged_at, packed & _MASK_64)
    last_prices = told.prices["last_prices"]
    triples = zip(told.prices["price_oracle"], last_prices, told.prices["price_scale"], strict=True)
    donations = _find_donations(numbers)
    return (RefuelledPeg if donations else Peg)(
        tuple(
            _find_stored_average(average, min(last, 2 * scale), weight) for average, last, scale in triples
        ),
        last_prices,
        averaged_at,
        at,
        numbers["totalSupply"],
        numbers["virtual_price"],
        numbers["xcp_profit"],
        packed >> 128,
        packed >> 64 & _MASK_64,
        packed & _MASK_64,
        find_ramp(numbers),
        *donations,
    )


def _find_donations(numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Return what `RefuelledPeg` has besides; nothing where a pool takes no donations."""
    return tuple(numbers[name] for name in _DONATIONS if name in numbers)


def find_ramp(numbers: Mapping[str, int]) -> Ramp:
    """Return how A and gamma move."""
    return Ramp(
        _unpack_ramped(numbers["initial_A_gamma"]),
        _unpack_ramped(numbers["future_A_gamma"]),
        numbers["initial_A_gamma_time"],
        numbers["future_A_gamma_time"],
    )


def _find_stored_average(average: int, spot: int, weight: int) -> int:
    """Return the smallest stored average of which ``price_oracle`` tells ``average``.

    The contract keeps the stored one to itself. Both give the same at this time, and at a later one up
    to one unit of 1e-18.
    """
    if not weight:
        return average
    return max(0, div_up(average * WAD - spot * (WAD - weight), weight))


def _unpack_ramped(packed: int) -> tuple[int, int]:
    """Return A and gamma."""
    return packed >> 128, packed & MAX_UINT128
