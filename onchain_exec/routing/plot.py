"""The picture of a route: tokens in columns, and hops between them as bands as wide as their share."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from onchain_exec.core import Address
from onchain_exec.errors import MissingToolError
from onchain_exec.routing.shares import HopShare, get_columns, get_hop_shares, get_token_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from onchain_exec.routing.route import Route

_COLUMN: Final = 4.0
_NODE: Final = 0.25
_BETWEEN: Final = 0.25
_NAMED: Final = 0.03
"""A band of at least this share has room for its name."""


def plot_route(route: Route) -> Figure:
    """Return the picture as a matplotlib figure: ``savefig`` writes it, a notebook shows it.

    Raises:
        MissingToolError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise MissingToolError(
            "matplotlib is not installed",
            needed="it draws the picture",
            todo="pip install 'onchain-exec[plot]'",
        ) from error
    shares, order = get_hop_shares(route), get_token_order(route)
    places, heights = _place(shares, order)
    figure = Figure(figsize=(2.0 + max(left for left, _ in places.values()), 5.0), layout="tight")
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set_title(f"{route.token_in} to {route.token_out}: {route.gap_bps:.2g} bps from the bound")
    _draw_bands(axes, shares, places)
    symbols = {token.address: token.symbol for hop in route.hops for token in (hop.token_in, hop.token_out)}
    for token, (left, low) in places.items():
        axes.bar(left, heights[token], _NODE, low, align="edge", color="0.25", zorder=2)
        axes.text(left + _NODE / 2, low - 0.02, symbols[token], ha="center", va="top")
    axes.autoscale_view()
    return figure


def _place(
    shares: list[HopShare], order: list[Address]
) -> tuple[dict[Address, tuple[float, float]], dict[Address, float]]:
    """Return where each token's bar begins, left and below, and how high it is: what goes through it."""
    arriving: dict[Address, float] = defaultdict(float)
    leaving: dict[Address, float] = defaultdict(float)
    for share in shares:
        leaving[share.hop.token_in.address] += share.share
        arriving[share.hop.token_out.address] += share.share
    heights = {token: max(arriving[token], leaving[token]) for token in order}
    columns = get_columns(shares, order)
    last = max(columns.values())
    # what is between stands above what goes straight through
    tops = {column: 0.0 if column in (0, last) else 1.0 + _BETWEEN for column in columns.values()}
    places: dict[Address, tuple[float, float]] = {}
    for token, column in columns.items():
        places[token] = column * _COLUMN, tops[column]
        tops[column] += heights[token] + _BETWEEN
    return places, heights


def _draw_bands(axes: Axes, shares: list[HopShare], places: dict[Address, tuple[float, float]]) -> None:
    from matplotlib.patches import PathPatch  # noqa: PLC0415 - see plot_route
    from matplotlib.path import Path  # noqa: PLC0415

    left_at = {token: low for token, (_, low) in places.items()}
    right_at = dict(left_at)
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    for number, share in enumerate(shares):
        source, target = share.hop.token_in.address, share.hop.token_out.address
        start, end = places[source][0] + _NODE, places[target][0]
        low, high = left_at[source], right_at[target]
        middle, wide = (start + end) / 2, share.share
        there = [(start, low), (middle, low), (middle, high), (end, high)]
        back = [(x, y + wide) for x, y in reversed(there)]
        color = f"C{number % 10}"
        axes.add_patch(PathPatch(Path([*there, *back, (start, low)], codes), color=color, alpha=0.5, lw=0))
        if wide >= _NAMED:
            name = f"{share.hop.pool.kind} {share.fee_bps + share.impact_bps:.1f} bps, {wide:.1%}"
            axes.text(middle, (low + high + wide) / 2, name, ha="center", va="center", fontsize=7)
        left_at[source] += wide
        right_at[target] += wide
