"""The CryptoSwap invariant of Curve's tricrypto and twocrypto, between two of a pool's balances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from onchain_exec.routing.oracles.curves import NO_TRADES, FloatArray, Rows, Trade

_MOST_STEPS: Final = 100
_RUNGS: Final = 48
_EXACT: Final = 1e-14
"""To which the log of the price, or of a balance, is found."""

_NEAR_EDGE: Final = 1 - 1e-9
_CONVERGED: Final = 1e-11
"""Of D and of the balance: ten times what the contracts' iterations stop at."""


class Place(NamedTuple):
    """A point of a curve: both balances, the log of the price there (out per in, no fee), and the
    derivatives of the first balance and of that log by the parameter."""

    balance_in: FloatArray
    balance_out: FloatArray
    log_price: FloatArray
    run: FloatArray
    bend: FloatArray


@dataclass(frozen=True, slots=True)
class Crypto(Rows):
    """K * sum(x) + prod(x) = K + n**-n with K = factor * K0 / (gamma + 1 - K0)**2 and K0 = n**n * prod(x)
    (the CryptoSwap whitepaper), balances valued in token 0 and in units of D.

    With u = 1 - K0 both the sum, 1 + u * (gamma + u)**2 / (c * (1 - u)) with c = n**n * factor, and the
    product, q * (1 - u) of the two balances with q = 1 / (n**n * rest), are explicit, and so are the
    balances, as the roots of a quadratic equation. They are equal at the least u; from there, with
    u = least + v**2, all is smooth in v, which rises with the first balance. ``others`` is the sum and
    ``rest`` the product of the balances that stay, ``power`` is n**n. ``unit_in`` (fee included) and
    ``unit_out`` (after the fee) are base units per unit of D. The fee moves with the balances: ``unit_out``
    has its lowest.
    """

    balance_in: FloatArray
    unit_in: FloatArray
    unit_out: FloatArray
    factor: FloatArray
    gamma: FloatArray
    power: FloatArray
    others: FloatArray
    rest: FloatArray
    balance_out: FloatArray
    _width: FloatArray = field(init=False)
    _product: FloatArray = field(init=False)
    _least: FloatArray = field(init=False)
    _first: FloatArray = field(init=False)
    _start: FloatArray = field(init=False)
    _start_in: FloatArray = field(init=False)
    _start_out: FloatArray = field(init=False)
    _rungs: FloatArray = field(init=False)
    _levels: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._set("_width", self.power * self.factor)
        self._set("_product", 1 / (self.power * self.rest))
        self._set("_least", self._find_least())
        edge = self._edge()
        first = _find_root(
            lambda v: _log_of(self._at(v), np.log(self.balance_in)), np.zeros_like(edge), -edge, edge
        )
        place = self._at(first)
        self._set("_first", first)
        self._set("_start", place.log_price + np.log(self.unit_out / self.unit_in))
        self._set("_start_in", place.balance_in)
        self._set("_start_out", place.balance_out)
        # where the search for a price begins: the parameter at some places, and the log of the price there
        rungs = [first + (edge - first) * share**3 for share in np.linspace(0.0, 1.0, _RUNGS)]
        self._set("_rungs", np.stack(rungs, axis=1))
        self._set("_levels", np.stack([self._at(rung).log_price for rung in rungs], axis=1))

    @property
    def slack(self) -> FloatArray:
        """What the contract may give beyond the curve, base units out: what its balance has beyond the
        invariant, what its iteration leaves, and two units of rounding."""
        surplus = np.maximum(self.balance_out - self._start_out, 0.0)
        return np.asarray(self.unit_out * (surplus + _CONVERGED * (1 + self.balance_out)) + 2)

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return self._start

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        (near,) = np.nonzero(log_price + self._start > -reach)
        if not len(near):
            return NO_TRADES
        curves = self.take(near)
        wanted = np.minimum(-log_price[near], curves._start) - np.log(curves.unit_out / curves.unit_in)

        def miss(v: FloatArray) -> tuple[FloatArray, FloatArray]:
            place = curves._at(v)
            return wanted - place.log_price, -place.bend

        last = curves._at(_find_root(miss, *curves._find_rungs(wanted)))
        return Trade(
            near,
            curves.unit_in * np.maximum(last.balance_in - curves._start_in, 0.0),
            curves.unit_out * np.maximum(curves._start_out - last.balance_out, 0.0),
            curves.unit_in * last.run / -last.bend,
        )

    def _find_rungs(self, log_price: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return about where the price is, and the rungs before and after it."""
        rows = np.arange(len(log_price))
        after = np.clip((self._levels > log_price[:, None]).sum(axis=1), 1, _RUNGS - 1)
        low, high = self._rungs[rows, after - 1], self._rungs[rows, after]
        above, below = self._levels[rows, after - 1], self._levels[rows, after]
        share = np.clip((above - log_price) / (above - below), 0.0, 1.0)
        return low + share * (high - low), low, high

    def _at(self, v: FloatArray) -> Place:
        least, gamma, width, product = self._least, self.gamma, self._width, self._product
        u = least + v * v
        left, wide = 1 - u, gamma + u
        # the sum beyond that at the least u, over v**2: a difference of the two would cancel
        rise = (u * u + u * least + least * least) + 2 * gamma * (u + least) + gamma * gamma
        rise = (rise * (1 - least) + least * (gamma + least) ** 2) / (left * (1 - least) * width)
        least_sum = 2 * np.sqrt(product * (1 - least))
        total = least_sum + v * v * rise
        root = np.sqrt(rise * (total + least_sum) + 4 * product)
        larger = (total + np.abs(v) * root) / 2
        smaller = product * left / larger
        x, y = np.where(v > 0, larger, smaller), np.where(v > 0, smaller, larger)
        # the sum's first and second derivatives by u
        even, cube = wide * (gamma + 3 * u), u * wide**2
        slope = (even + cube / left) / (width * left)
        curve = (4 * gamma + 6 * u + 2 * (even + cube / left) / left) / (width * left)
        at_x, at_y = product + x * slope, product + y * slope
        bend = -4 * slope / root - 2 * v * v * root * curve * product / (at_x * at_y)
        return Place(x, y, np.log(at_y / at_x), 2 * at_x / root, bend)

    def _edge(self) -> FloatArray:
        """Return the largest parameter: where K0 is nearly 0."""
        return np.asarray(np.sqrt(1 - self._least) * _NEAR_EDGE)

    def _find_least(self) -> FloatArray:
        """Return the u at which the two balances are equal: where a quarter of the square of their sum is
        their product."""
        gap = np.maximum(4 * self._product - (1 - self.others) ** 2, 0.0)

        def miss(u: FloatArray) -> tuple[FloatArray, FloatArray]:
            left, wide = 1 - u, self.gamma + u
            more = u * wide**2 / (left * self._width)
            slope = wide * (self.gamma + 3 * u + u * wide / left) / (left * self._width)
            total = 1 - self.others + more
            return more * (total + 1 - self.others) + 4 * self._product * u - gap, (
                2 * total * slope + 4 * self._product
            )

        none = np.zeros_like(gap)
        return _find_root(miss, none, none, np.minimum(gap / (4 * self._product), _NEAR_EDGE))

    def _set(self, name: str, value: FloatArray) -> None:
        object.__setattr__(self, name, value)


def _log_of(place: Place, log_balance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the first balance's log is above ``log_balance``, and its derivative."""
    return np.log(place.balance_in) - log_balance, place.run / place.balance_in


def _find_root(
    miss: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Return where rising functions are 0, or the end that is nearest to it: Newton's steps in a bracket.
    ``miss`` gives their values and derivatives."""
    place = start
    for _ in range(_MOST_STEPS):
        value, slope = miss(place)
        low, high = np.where(value > 0, low, place), np.where(value > 0, place, high)
        step = place - value / slope
        after = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        if np.all((np.abs(value) <= _EXACT) | (after == place)):
            break
        place = after
    return place
