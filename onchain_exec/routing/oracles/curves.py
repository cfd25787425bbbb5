"""What the solver knows of a pool: one directed curve from a token in to a token out, in floats.

Many curves of one kind are one object of arrays, so that a sweep over all pools is a few array
operations. Floats propose only: what they find is settled in exact integers afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple, Protocol, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IndexArray: TypeAlias = NDArray[np.intp]


class Trade(NamedTuple):
    """The most profitable trades at given prices, base units, of the curves numbered ``which``, in
    ascending order: of many curves few trade or are about to.

    ``amount_in`` includes the fee. ``slope`` is the derivative of amount_in by the log price.
    """

    which: IndexArray
    amount_in: FloatArray
    amount_out: FloatArray
    slope: FloatArray


NO_TRADES: Final = Trade(np.empty(0, np.intp), *(np.empty(0),) * 3)


class Curves(Protocol):
    """Directed curves of one kind: concave, zero at zero."""

    def take(self, index: IndexArray) -> Self:
        """Return the curves at ``index``."""
        ...

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the trades that maximise ``exp(log_price) * amount_out - amount_in``.

        ``log_price`` is the log of the value of a unit out in units in. A curve that would trade at
        ``log_price + reach`` only is there with zero amounts and the slope at zero, so that a step of
        the solver that long sees the resistance it will meet.
        """
        ...

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero: units out per unit in, after the fee."""
        ...


def resist(curves: Curves) -> FloatArray:
    """Return the slope of each curve's trade where it starts, 0 where none does."""
    start = curves.start()
    slopes, trade = np.zeros(len(start)), curves.trade(-start, 1.0)
    slopes[trade.which] = trade.slope
    return slopes


@dataclass(frozen=True, slots=True)
class Rows:
    """Curves each of which is one row of the fields, which are columns but for the ``shared`` ones."""

    shared: ClassVar[frozenset[str]] = frozenset()

    def take(self, index: IndexArray) -> Self:
        """Return the curves at ``index``."""
        taken = object.__new__(type(self))
        for name in _names(cast(Any, type(self))):
            field = getattr(self, name)
            object.__setattr__(taken, name, field if name in self.shared else field[index])
        return taken


@cache
def _names(rows: type[Rows]) -> tuple[str, ...]:
    """Return the names of the fields: to ask for them takes as long as to take from them."""
    return tuple(field.name for field in fields(rows))
