"""A Panoptic position: up to four legs in one number; mirror of ``TokenIdLibrary`` and of ``PanopticMath``'s
amounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from onchain_exec.core.fixed_point import MAX_UINT128, Q96, div_trunc, mul_div_down, mul_div_up
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.concentrated.tick_math import MAX_TICK, MIN_TICK, get_sqrt_price_at_tick

MAX_LEGS: Final = 4
_POOL_BITS: Final = 64
_LEG_BITS: Final = 48


@dataclass(frozen=True, slots=True)
class Leg:
    """One option. ``asset`` (0 or 1) is the token that sizes count in, ``token_type`` the one that moves: of
    asset 0, 0 is a call and 1 a put. ``strike`` is a tick, ``width`` the range around it in tick spacings;
    ``ratio`` of 1 to 127 contracts; ``partner`` the leg that bounds its risk, or itself."""

    asset: int
    ratio: int
    is_long: bool
    token_type: int
    partner: int
    strike: int
    width: int

    def pack(self) -> int:
        """Return the leg's 48 bits."""
        fields = (
            (self.asset, 1),
            (self.ratio, 7),
            (int(self.is_long), 1),
            (self.token_type, 1),
            (self.partner, 2),
            (self.strike % (1 << 24), 24),
            (self.width, 12),
        )
        packed, place = 0, 0
        for value, bits in fields:
            if not 0 <= value < 1 << bits:
                raise InputError(f"{self}: {value} in {bits} bits", needed=f"0 to {(1 << bits) - 1}")
            packed |= value << place
            place += bits
        return packed

    @classmethod
    def unpack(cls, packed: int) -> Leg:
        """Return the leg of 48 bits."""
        strike = packed >> 12 & 0xFFFFFF
        return cls(
            packed & 1,
            packed >> 1 & 0x7F,
            bool(packed >> 8 & 1),
            packed >> 9 & 1,
            packed >> 10 & 3,
            strike - (1 << 24) * (strike >> 23),
            packed >> 36 & 0xFFF,
        )


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a position moves of both tokens, in base units: out of its longs' ranges, into its shorts'."""

    long0: int
    long1: int
    short0: int
    short1: int


@dataclass(frozen=True, slots=True)
class PanopticPosition:
    """Legs in one pool; ``pool_id`` is the pool's 48 bits at the position manager, without the spacing."""

    pool_id: int
    tick_spacing: int
    legs: tuple[Leg, ...]

    @property
    def token_id(self) -> int:
        """The number that the contracts know it by.

        Raises:
            InputError: a field does not fit.
        """
        if not (0 <= self.pool_id < 1 << 48 and 0 < self.tick_spacing < 1 << 15):
            raise InputError(str(self), needed="a pool id of 48 bits, a spacing of 1 to 32767")
        if not 1 <= len(self.legs) <= MAX_LEGS:
            raise InputError(f"{len(self.legs)} legs", needed=f"1 to {MAX_LEGS}")
        packed = self.pool_id | self.tick_spacing << 48
        for place, leg in enumerate(self.legs):
            packed |= leg.pack() << _POOL_BITS + _LEG_BITS * place
        return packed

    @classmethod
    def from_token_id(cls, token_id: int) -> PanopticPosition:
        """Return the position of a number; legs end at the first of ratio 0."""
        legs = []
        for place in range(MAX_LEGS):
            leg = Leg.unpack(token_id >> _POOL_BITS + _LEG_BITS * place & (1 << _LEG_BITS) - 1)
            if leg.ratio == 0:
                break
            legs.append(leg)
        return cls(token_id & (1 << 48) - 1, token_id >> 48 & 0xFFFF, tuple(legs))

    def validate(self) -> None:
        """Check what the contracts check of every position; mirror of ``validate``.

        Raises:
            PoolRevertError: InvalidTokenIdParameter with its number: 1 a ratio of 0, 3 partners that do not
                match, 4 a strike at the end or partners that are alike, 5 a width of 0 or partners that make
                a synthetic, 6 two legs of one range.
        """
        if not self.legs:
            _refuse(1, "no leg", "at least one")
        for place, leg in enumerate(self.legs):
            if leg.ratio == 0:
                _refuse(1, f"leg {place} of ratio 0", "at least one contract in each leg")
            if any(_get_chunk(leg) == _get_chunk(other) for other in self.legs[place + 1 :]):
                _refuse(6, f"two legs of strike {leg.strike}, width {leg.width}", "another range for each")
            if leg.width == 0:
                _refuse(5, "a width of 0", "at least 1")
            if leg.strike in (MIN_TICK, MAX_TICK):
                _refuse(4, f"a strike of {leg.strike}", "one between the ends")
            if leg.partner != place:
                self._validate_partner(place, leg)

    def get_ticks(self, place: int) -> tuple[int, int]:
        """Return a leg's range; mirror of ``getTicks``.

        Raises:
            PoolRevertError: TicksNotInitializable, it is not on the pool's spacing or leaves its ends.
        """
        leg, spacing = self.legs[place], self.tick_spacing
        span = leg.width * spacing
        lower, upper = leg.strike - span // 2, leg.strike + (span + 1) // 2
        low, high = div_trunc(MIN_TICK, spacing) * spacing, MAX_TICK // spacing * spacing
        if lower % spacing or upper % spacing or lower < low or upper > high:
            raise PoolRevertError(
                "TicksNotInitializable",
                found=f"a range of {lower} to {upper}",
                needed=f"multiples of {spacing} within {low} to {high}",
            )
        return lower, upper

    def get_liquidity(self, place: int, size: int) -> int:
        """Return the liquidity that a leg adds or removes, rounded down; mirror of ``getLiquidityChunk``.

        Raises:
            PoolRevertError: as of `get_ticks`; CastingError, it is beyond uint128.
        """
        lower, upper = (get_sqrt_price_at_tick(tick) for tick in self.get_ticks(place))
        leg = self.legs[place]
        factor = mul_div_down(upper, lower, Q96) if leg.asset == 0 else Q96
        return _to_uint128(mul_div_down(size * leg.ratio, factor, upper - lower))

    def get_amounts(self, size: int) -> Amounts:
        """Return what ``size`` positions move; mirror of ``computeExercisedAmounts``: each leg's own token,
        the other asset's at the middle of its range, rounded up.

        Raises:
            PoolRevertError: as of `get_liquidity`.
        """
        moved = [[0, 0], [0, 0]]  # shorts, longs
        for place, leg in enumerate(self.legs):
            moved[leg.is_long][leg.token_type] += self._get_amount(place, leg, size)
        (short0, short1), (long0, long1) = moved
        return Amounts(long0, long1, short0, short1)

    def _get_amount(self, place: int, leg: Leg, size: int) -> int:
        """Return what a leg moves of its token; ``getAmountsMoved``, which refuses if either does not fit."""
        lower, upper = (get_sqrt_price_at_tick(tick) for tick in self.get_ticks(place))
        middle_x96, amount = mul_div_down(lower, upper, Q96), size * leg.ratio
        if amount > MAX_UINT128:
            raise PoolRevertError("Panic", found=f"{size} times {leg.ratio}", needed="at most 2**128-1")
        factors = (middle_x96, Q96) if leg.asset == 0 else (Q96, middle_x96)
        other = _to_uint128(mul_div_up(amount, *factors))
        return amount if leg.asset == leg.token_type else other

    def _validate_partner(self, place: int, leg: Leg) -> None:
        other = self.legs[leg.partner] if leg.partner < len(self.legs) else None
        if other is None or other.partner != place:
            _refuse(3, f"leg {place} has partner {leg.partner}", "a partner whose partner it is")
        if (other.asset, other.ratio) != (leg.asset, leg.ratio):
            _refuse(3, f"legs {place} and {leg.partner} differ", "the same asset and ratio")
        is_alike, is_same_type = leg.is_long == other.is_long, leg.token_type == other.token_type
        if is_alike and is_same_type:
            _refuse(4, f"legs {place} and {leg.partner} are alike", "partners that bound each other's risk")
        if not is_same_type and (not is_alike or leg.is_long):
            _refuse(5, f"legs {place} and {leg.partner} are a synthetic", "no partners in one")


def _get_chunk(leg: Leg) -> tuple[int, int, int]:
    return leg.token_type, leg.strike, leg.width


def _to_uint128(value: int) -> int:
    if value > MAX_UINT128:
        raise PoolRevertError("CastingError", found=f"an amount of {value}", needed="at most 2**128-1")
    return value


def _refuse(parameter: int, found: str, needed: str) -> NoReturn:
    raise PoolRevertError(f"InvalidTokenIdParameter({parameter})", found=found, needed=needed)
