"""How a long-short pair shares its collateral at expiry: mirrors of UMA's eight libraries of financial
products, ``percentageLongCollateralAtExpiry`` of each. Prices and shares have 18 decimals; prices may be
negative, strikes of most libraries not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from onchain_exec.core.fixed_point import WAD

_HALF: Final = WAD // 2


class Payout(Protocol):
    """One library with one pair's parameters."""

    def get_long_share_wad(self, price_wad: int) -> int:
        """Return the part of the collateral that goes to the long token, before the pair caps it at 1."""
        ...


@dataclass(frozen=True, slots=True)
class CoveredCall:
    """The long token is a call paid in the collateral: (price - strike) / price."""

    strike_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        return _get_gain(price_wad, self.strike_wad)


@dataclass(frozen=True, slots=True)
class BinaryOption:
    """All or nothing, at the strike or above."""

    strike_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        return WAD if price_wad >= self.strike_wad else 0


@dataclass(frozen=True, slots=True)
class Linear:
    """From nothing at the lower bound to all at the upper one."""

    upper_wad: int
    lower_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        return _interpolate(price_wad, self.lower_wad, self.upper_wad)


@dataclass(frozen=True, slots=True)
class FlooredLinear:
    """From the floor at the lower bound to all at the upper one."""

    upper_wad: int
    lower_wad: int
    floor_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        share = _interpolate(price_wad, self.lower_wad, self.upper_wad)
        return share * (WAD - self.floor_wad) // WAD + self.floor_wad


@dataclass(frozen=True, slots=True)
class RangeBond:
    """A bond of fixed value between two prices: all below, and never less than low / high."""

    high_wad: int
    low_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        if max(price_wad, 0) <= self.low_wad:
            return WAD
        return self.low_wad * WAD // min(price_wad, self.high_wad)


@dataclass(frozen=True, slots=True)
class CappedYieldDollar:
    """A bond of fixed value while the collateral covers it: low / price, at most all."""

    low_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        return WAD if max(price_wad, 0) <= self.low_wad else self.low_wad * WAD // price_wad


@dataclass(frozen=True, slots=True)
class SuccessToken:
    """A base share, and a covered call on the rest."""

    strike_wad: int
    base_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        if price_wad <= max(self.strike_wad, 0):
            return self.base_wad
        rest = (WAD - self.base_wad) * (price_wad - self.strike_wad) // WAD
        return self.base_wad + rest * WAD // price_wad


@dataclass(frozen=True, slots=True)
class SimpleSuccessToken:
    """A success token whose base share is one half."""

    strike_wad: int

    def get_long_share_wad(self, price_wad: int) -> int:
        """See `Payout`."""
        return SuccessToken(self.strike_wad, _HALF).get_long_share_wad(price_wad)


def _get_gain(price_wad: int, strike_wad: int) -> int:
    if price_wad < 0 or price_wad < strike_wad:
        return 0
    return (price_wad - strike_wad) * WAD // price_wad


def _interpolate(price_wad: int, lower_wad: int, upper_wad: int) -> int:
    within = min(max(price_wad, lower_wad), upper_wad)
    return (within - lower_wad) * WAD // (upper_wad - lower_wad)
