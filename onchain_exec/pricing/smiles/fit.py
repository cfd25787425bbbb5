"""Surfaces from quotes: each expiry the best that the one before it leaves room for.

A slice has three unknowns without bounds: ln of what theta has over the earlier one, the direction in
which the wings' slopes leave the earlier ones, and how far they go of the way to the first bound they
meet. Every value is free of arbitrage, so Levenberg and Marquardt's steps need no check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from onchain_exec.errors import InputError
from onchain_exec.pricing.rows import Floats, require_finite, require_positive, to_rows
from onchain_exec.pricing.smiles.ssvi import Slice, Surface, get_variance

_ROOM: Final = 1 - 1e-9
"""Of the way to a bound: the bound itself would be lost to rounding."""

_STEPS: Final = 40
_DONE: Final = 1e-6
_NOTHING: Final = 1e-20
_NUDGE: Final = 1e-6
_FARTHEST: Final = 30.0
_STARTS: Final = ((0.0, -1.0), (-1.5, 1.0), (1.5, 1.0))
"""Direction and reach: level and short, a steep left wing, a steep right one. After the first expiry the
earlier one leads, and the others gain a hundredth for three times the work."""


@dataclass(frozen=True, slots=True)
class Smile:
    """Quoted volatilities of one expiry at log moneyness ``k``; ``weights`` are relative, 1 each by
    default (vegas make the fit one of prices)."""

    years: float
    k: ArrayLike
    vols: ArrayLike
    weights: ArrayLike = 1.0


def fit_surface(smiles: Sequence[Smile]) -> Surface:
    """Return the surface through the smiles, in order of expiry: least squares in volatility, expiry by
    expiry, with no arbitrage whatever the quotes say.

    Raises:
        InputError: no smile, a repeated expiry, fewer than three strikes in one, or values that are
            not above 0 (``k`` finite).
    """
    ordered = sorted(smiles, key=lambda smile: smile.years)
    slices: list[Slice] = []
    for smile in ordered:
        slices.append(_fit_slice(smile, slices[-1] if slices else None))
    return Surface(tuple(smile.years for smile in ordered), tuple(slices))


def _fit_slice(smile: Smile, earlier: Slice | None) -> Slice:
    k, vols, weights = to_rows(k=smile.k, vols=smile.vols, weights=smile.weights)
    require_finite(k=k)
    require_positive(years=np.asarray(smile.years), vols=vols, weights=weights)
    if k.size < 3:
        raise InputError(f"{k.size} strikes at {smile.years:g} years", needed="at least 3")
    scale = np.sqrt(weights / weights.mean())
    at_the_money = smile.years * float(vols[np.argmin(np.abs(k))]) ** 2
    base = (earlier.theta, earlier.left, earlier.right) if earlier else (0.0, 0.0, 0.0)
    level = np.log(max(at_the_money - base[0], 0.02 * at_the_money))

    def miss(unknown: Floats) -> Floats:
        theta, left, right = _place(unknown, base)
        variance = get_variance(k, theta[:, None], left[:, None], right[:, None])
        off: Floats = scale * (np.sqrt(variance / smile.years) - vols)
        return off

    fits = [_minimise(miss, np.array([level, *start])) for start in (_STARTS[:1] if earlier else _STARTS)]
    best = min(fits, key=lambda fit: fit[1])[0]
    return Slice(*(float(value[0]) for value in _place(best[None], base)))


def _place(unknown: Floats, base: tuple[float, float, float]) -> tuple[Floats, Floats, Floats]:
    """Return theta, left and right of rows of unknowns."""
    unknown = np.clip(unknown, -_FARTHEST, _FARTHEST)
    theta_0, left_0, right_0 = base
    theta = theta_0 + np.exp(unknown[:, 0])
    angle = 0.5 * np.pi / (1 + np.exp(-unknown[:, 1]))
    go_left, go_right = np.cos(angle), np.sin(angle)
    # psi s along the way is psi_0 + s (go_left + go_right) / 2; each slope times psi is a parabola in s
    psi_0, go_psi = 0.5 * (left_0 + right_0), 0.5 * (go_left + go_right)
    bounds = []
    for slope, go in ((left_0, go_left), (right_0, go_right)):
        bounds.append((4 * _ROOM - slope) / np.maximum(go, 1e-300))
        bent, straight, short = go_psi * go, psi_0 * go + slope * go_psi, 4 * theta - psi_0 * slope
        bounds.append(2 * short / (straight + np.sqrt(straight**2 + 4 * bent * short)))
    if theta_0 > 0:
        bounds.append(psi_0 * (theta / theta_0 - 1) / go_psi)
    reach = _ROOM * np.minimum.reduce(bounds) / (1 + np.exp(-unknown[:, 2]))
    return theta, left_0 + reach * go_left, right_0 + reach * go_right


def _minimise(miss: Callable[[Floats], Floats], start: Floats) -> tuple[Floats, float]:
    """Return the unknowns with the least sum of squares near ``start``, and that sum; ``miss`` takes
    rows of unknowns. Levenberg-Marquardt with forward differences."""
    point, damping = start, 1e-3
    nudges = np.vstack([np.zeros(3), _NUDGE * np.eye(3)])
    at = miss(point + nudges)
    worth = float(at[0] @ at[0])
    for _ in range(_STEPS):
        slopes = (at[1:] - at[0]) / _NUDGE
        normal, pull = slopes @ slopes.T, slopes @ at[0]
        trial = point - np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), pull)
        found = miss(trial + nudges)
        better = float(found[0] @ found[0])
        if better < worth:
            gained = worth - better
            point, at, worth, damping = trial, found, better, 0.2 * damping
            if gained <= _DONE * worth + _NOTHING:
                break
        else:
            damping *= 5
            if damping > 1e8:
                break
    return point, worth
