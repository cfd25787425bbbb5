"""Sandwiches among the swaps around a trade: bought before it, sold behind it, dearer because of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from onchain_exec.analytics.around.block import Actors, PoolSwap
from onchain_exec.core import Address, Token
from onchain_exec.core.fixed_point import BPS

KNOWN_BPS: Final = 2_000
"""How far what one actor sold may lie off what he bought: who keeps a fifth of it is still in and out."""

UNKNOWN_BPS: Final = 1
"""The same of two between whom nothing passed in the block: as good as the very amount."""

Direction: TypeAlias = tuple[Token, Token]


@dataclass(frozen=True, slots=True)
class Round:
    """Swaps before the trade and swaps back behind it, in one pair of tokens."""

    fronts: tuple[PoolSwap, ...]
    backs: tuple[PoolSwap, ...]

    def is_sandwich(self, tolerance_bps: int) -> bool:
        """Return whether what was bought was sold again, for more a unit than it cost."""
        bought = sum(front.fill.amount_out for front in self.fronts)
        sold = sum(back.fill.amount_in for back in self.backs)
        cost = sum(front.fill.amount_in for front in self.fronts)
        revenue = sum(back.fill.amount_out for back in self.backs)
        closes = abs(bought - sold) * BPS <= tolerance_bps * max(bought, sold)
        return closes and revenue * bought > cost * sold


def find_sandwiches(
    fronts: Sequence[PoolSwap], backs: Sequence[PoolSwap], actors: Actors
) -> tuple[Round, ...]:
    """Return the sandwiches of which ``fronts`` (before a trade, in its pools and its direction) and
    ``backs`` (behind it, the other way) are made: an actor's own first, then of what is left those that
    match by their amounts alone."""
    found = [
        tried
        for key, own in _by_actor(fronts, actors).items()
        if (tried := Round(own, _by_actor(backs, actors, back=True).get(key, ()))).backs
        and tried.is_sandwich(KNOWN_BPS)
    ]
    used = {swap for tried in found for swap in (*tried.fronts, *tried.backs)}
    free_backs = [swap for swap in backs if swap not in used]
    for front in fronts:
        if front in used:
            continue
        for tried in _match(front, free_backs):
            found.append(tried)
            free_backs.remove(tried.backs[0])
            break
    return tuple(found)


def _match(front: PoolSwap, backs: Sequence[PoolSwap]) -> Iterator[Round]:
    for back in backs:
        tried = Round((front,), (back,))
        is_reverse = (back.fill.token_out, back.fill.token_in) == (front.fill.token_in, front.fill.token_out)
        if is_reverse and tried.is_sandwich(UNKNOWN_BPS):
            yield tried


def _by_actor(
    swaps: Sequence[PoolSwap], actors: Actors, *, back: bool = False
) -> dict[tuple[Address, Direction], tuple[PoolSwap, ...]]:
    groups: dict[tuple[Address, Direction], list[PoolSwap]] = defaultdict(list)
    for swap in swaps:
        pair = swap.fill.token_in, swap.fill.token_out
        groups[actors.get_actor(swap.tx), pair[::-1] if back else pair].append(swap)
    return {key: tuple(group) for key, group in groups.items()}
