"""One price of a pair out of several sources at one block, with how old and how far apart they are."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from onchain_exec.core.fixed_point import BPS


class SourceKind(enum.Enum):
    """Where a price comes from. What moves the price of one kind need not move the others'."""

    POOL = "pool"
    """A pool's price at the block: new, and moved by anyone for the length of a transaction."""
    TWAP = "twap"
    """A pool's mean over a window of time: later, and dearer to move."""
    FEED = "feed"
    """What reporters outside the chain signed."""


@dataclass(frozen=True, slots=True)
class PriceSource:
    """What one source says a pair is worth.

    ``price`` is base units of token_out per base unit of token_in, without fees; None where the source
    does not count, and then ``refusal`` says why. ``weight`` is what it weighs among its kind: the
    liquidity behind it, in any one unit. ``age_s`` is how many seconds old what it tells is on
    average: 0 for a pool, half the window for a mean, None where it is not known.
    """

    kind: SourceKind
    name: str
    price: Fraction | None
    weight: int = 1
    age_s: int | None = None
    refusal: str = ""

    def refuse_older(self, max_age_s: int) -> Self:
        """Return the source, which does not count if it is older than ``max_age_s``."""
        if self.price is None or self.age_s is None or self.age_s <= max_age_s:
            return self
        return replace(self, price=None, refusal=f"it is {self.age_s} s old, with a limit of {max_age_s} s")


@dataclass(frozen=True, slots=True)
class ConsolidatedPrice:
    """The price of a pair at one block; made by `consolidate` only.

    ``price`` is base units of token_out per base unit of token_in, None if no source counts. ``kinds``
    are the prices of the kinds that it is the median of.
    """

    price: Fraction | None
    kinds: Mapping[SourceKind, Fraction]
    sources: tuple[PriceSource, ...]

    def divergence_bps(self, price: Fraction) -> Fraction:
        """Return how far ``price`` is from the consolidated one, up or down, in 1e-4 of it; 0 where there
        is none to be far from."""
        return abs(price / self.price - 1) * BPS if self.price else Fraction(0)

    @property
    def outside_price(self) -> Fraction | None:
        """The price, None where no other kind than pools tells one: they are what is traded in."""
        return self.price if self.kinds.keys() - {SourceKind.POOL} else None

    @property
    def refusals(self) -> tuple[str, ...]:
        """Each source that does not count, with the reason."""
        return tuple(f"{source.name}: {source.refusal}" for source in self.sources if source.refusal)

    @property
    def widest_divergence_bps(self) -> Fraction:
        """How far the kind that is furthest off is from the price; 0 for one kind or none."""
        return max((self.divergence_bps(price) for price in self.kinds.values()), default=Fraction(0))


def consolidate(sources: Iterable[PriceSource], max_age_s: int | None = None) -> ConsolidatedPrice:
    """Return the median of the kinds of ``sources``, each kind the weighted median of its own.

    A mean could be dragged as far as one wants by one thin pool; a median moves only if half of the
    liquidity, or two of three kinds, do. Of two kinds it is the mean: neither can outvote the other,
    and `widest_divergence_bps` shows that they differ. The result does not depend on the order. A source
    older than ``max_age_s`` (None: any age will do) is refused.
    """
    sources = tuple(source if max_age_s is None else source.refuse_older(max_age_s) for source in sources)
    kinds = {kind: price for kind in SourceKind if (price := _find_median(kind, sources)) is not None}
    ranked = sorted(kinds.values())
    middle = len(ranked) // 2
    if not ranked:
        price = None
    elif len(ranked) % 2:
        price = ranked[middle]
    else:
        price = (ranked[middle - 1] + ranked[middle]) / 2
    return ConsolidatedPrice(price, kinds, sources)


def _find_median(kind: SourceKind, sources: Sequence[PriceSource]) -> Fraction | None:
    """Return the lowest price at or below which half of the kind's weight lies."""
    counted = sorted(
        (source.price, source.weight)
        for source in sources
        if source.kind is kind and source.price is not None and source.weight > 0
    )
    total, passed = sum(weight for _, weight in counted), 0
    for price, weight in counted:
        passed += weight
        if 2 * passed >= total:
            return price
    return None
