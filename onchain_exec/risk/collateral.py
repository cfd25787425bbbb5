"""May this be done with an account that has collateral? The mirror's preview against the desk's limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, BlockRef
from onchain_exec.core.action import ActionOrder
from onchain_exec.core.fixed_point import BPS, MAX_UINT256, WAD
from onchain_exec.errors import ConfigError
from onchain_exec.risk.action import ApprovedAction, DeniedAction, check_funds
from onchain_exec.risk.verdict import DenialCode
from onchain_exec.venues.collateral import Health

_FAR: Final = 10**9
"""Basis points, where no price alone liquidates."""


@dataclass(frozen=True, slots=True)
class CollateralLimits:
    """What an account must be left with; None does not bind.

    Attributes:
        min_health_factor_wad: of 1e18; at 1e18 the account can be liquidated.
        min_margin_ratio_wad: the account's value over its positions.
        min_free_collateral: what could still be taken or borrowed, in the venue's base currency.
        min_liquidation_distance_bps: how far the nearest single price that liquidates must be.
    """

    min_health_factor_wad: int | None = None
    min_margin_ratio_wad: int | None = None
    min_free_collateral: int | None = None
    min_liquidation_distance_bps: int | None = None

    def __post_init__(self) -> None:
        if self.min_health_factor_wad is not None and self.min_health_factor_wad < WAD:
            raise ConfigError(
                f"min_health_factor_wad is {self.min_health_factor_wad}",
                needed="10**18 or more: below, anybody may liquidate",
                todo="Give 18 decimals: 1.2 is 12 * 10**17",
            )
        if not 0 <= (self.min_liquidation_distance_bps or 0) < BPS:
            raise ConfigError(
                f"min_liquidation_distance_bps is {self.min_liquidation_distance_bps}",
                needed="0 to 9,999 basis points",
            )


NO_LIMITS: Final = CollateralLimits()
"""What binds nothing."""


@dataclass(frozen=True, slots=True)
class Preview:
    """An account at ``block`` before and after an action, by the mirror of the chain."""

    block: BlockRef
    before: Health
    after: Health


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that an account does not keep: the value found, and the limit, as text for people."""

    code: DenialCode
    found: str
    limit: str


def check_action(
    order: ActionOrder, preview: Preview, funds: Mapping[Address, int], limits: CollateralLimits, now: int
) -> ApprovedAction | DeniedAction:
    """Return whether the action may be done: approval, or the first limit it breaks; ``funds`` and ``now`` as
    of `check_funds`.

    A limit never stands in the way of what makes the account safer in the limit's own measure.
    """
    verdict = check_funds(order, preview.block, funds, now)
    if isinstance(verdict, DeniedAction):
        return verdict
    kept = {breach.code: breach for breach in find_breaches(preview.before, limits)}
    for breach in find_breaches(preview.after, limits):
        measure = _MEASURES[breach.code]
        if breach.code not in kept or measure(preview.after) < measure(preview.before):
            todo = "Do less, or bring more collateral first"
            return DeniedAction(order, breach.code, breach.found, breach.limit, todo)
    return verdict


def find_breaches(health: Health, limits: CollateralLimits) -> tuple[Breach, ...]:
    """Return every limit that an account in this health does not keep."""
    return tuple(_list_breaches(health, limits))


def _list_breaches(health: Health, limits: CollateralLimits) -> Iterator[Breach]:
    bounds = {
        DenialCode.HEALTH_FACTOR_BELOW_MINIMUM: (limits.min_health_factor_wad, _show_wad),
        DenialCode.MARGIN_RATIO_BELOW_MINIMUM: (limits.min_margin_ratio_wad, _show_wad),
        DenialCode.FREE_COLLATERAL_BELOW_MINIMUM: (
            limits.min_free_collateral,
            lambda amount: f"{amount / health.unit:.2f} of the base currency",
        ),
        DenialCode.LIQUIDATION_TOO_NEAR: (limits.min_liquidation_distance_bps, lambda bps: f"{bps} bps"),
    }
    for code, (bound, show) in bounds.items():
        found = _MEASURES[code](health)
        if bound is not None and found < bound:
            yield Breach(code, show(found), f"at least {show(bound)}")


def _show_wad(value: int) -> str:
    return f"{value // WAD}.{value % WAD // 10**14:04}"


def _get_distance(health: Health) -> int:
    return _FAR if health.distance_bps is None else health.distance_bps


def _get_margin_ratio(health: Health) -> int:
    return MAX_UINT256 if health.margin_ratio_wad is None else health.margin_ratio_wad


_MEASURES: Final[Mapping[DenialCode, Callable[[Health], int]]] = {
    DenialCode.HEALTH_FACTOR_BELOW_MINIMUM: lambda health: health.health_factor_wad,
    DenialCode.MARGIN_RATIO_BELOW_MINIMUM: _get_margin_ratio,
    DenialCode.FREE_COLLATERAL_BELOW_MINIMUM: lambda health: health.free_collateral,
    DenialCode.LIQUIDATION_TOO_NEAR: _get_distance,
}
"""What each limit measures; more is safer in all of them."""
