"""Which block is the newest that enough endpoints have, judged from what each of them says. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from onchain_exec.chain.decode import Json, decode_header
from onchain_exec.chain.pool.health import Signal
from onchain_exec.errors import NodesDisagreeError


class View:
    """One endpoint's chain as far as it told: its head, and hashes by height. ``shown`` are the
    blocks as it gave them, by hash."""

    def __init__(self, where: str, chain_id: int, head: Json) -> None:
        self.where, self.chain_id = where, chain_id
        self.hashes: dict[int, str] = {}
        self.shown: dict[str, Json] = {}
        self.height = self.add(head)

    def add(self, block: Json) -> int:
        """Count a block of its chain in, and return its number."""
        header = decode_header(self.chain_id, block)
        number = header.block.number
        self.hashes |= {number: header.block.hash, number - 1: header.parent_hash}
        self.shown[header.block.hash] = block
        return number

    def __str__(self) -> str:
        return f"block {self.height} ({self.hashes[self.height][:10]}…)"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The newest block that enough endpoints have, as one showed it, and what it says of each view."""

    number: int
    hash: str
    shown: Json
    signals: tuple[Signal, ...]


def judge(views: Sequence[View], witnesses: int, max_lag: int) -> Witnessed:
    """Return the newest block that at least ``witnesses`` views contain, and more than contradict it.

    A view contradicts a block when its chain has another one at that height, or when its head is
    lower and not an ancestor. What is not known counts as a contradiction: `find_unclear` says what
    to ask first. The search ends ``max_lag`` blocks below the highest block that enough views have
    reached: older ones would be stale.

    Raises:
        NodesDisagreeError: no such block, or a view that does not contradict it is further ahead
            than ``max_lag``.
    """
    if len(views) < witnesses:
        raise _disagreement(views, f"{witnesses} endpoints that answer")
    for number in _get_candidates(views, witnesses, max_lag):
        if found := _find_block(views, number, witnesses):
            _require_fresh(views, found, max_lag)
            return found
    raise _disagreement(views, f"a block that {witnesses} endpoints have, and more than contradict it")


def find_unclear(views: Sequence[View], witnesses: int, max_lag: int) -> frozenset[int]:
    """Return the heights at which more of the views' blocks could change what `judge` says."""
    for number in _get_candidates(views, witnesses, max_lag):
        found, unknown = _find_block(views, number, witnesses), _is_unknown_above(views, number)
        if found and not unknown:
            break
        if unknown or _is_unknown_below(views, number) or not _is_shown(views, number):
            heights = (*(view.height for view in views), *range(number - max_lag, number + 1))
            return frozenset(height for height in heights if height >= 0)
    return frozenset()


def _get_candidates(views: Sequence[View], witnesses: int, max_lag: int) -> range:
    heights = sorted((view.height for view in views), reverse=True)
    top = heights[witnesses - 1] if len(heights) >= witnesses else -1
    return range(top, max(top - max_lag, 0) - 1, -1)


def _find_block(views: Sequence[View], number: int, witnesses: int) -> Witnessed | None:
    hashes = Counter(view.hashes[number] for view in views if view.height >= number and number in view.hashes)
    for block_hash, supporters in hashes.most_common(1):
        shown = next((view.shown[block_hash] for view in views if block_hash in view.shown), None)
        signals = [_compare(view, views, number, block_hash) for view in views]
        against = sum(signal in (None, Signal.FORKED) for signal in signals)
        if shown is not None and supporters >= witnesses and supporters > against:
            return Witnessed(number, block_hash, shown, tuple(s or Signal.LAGS for s in signals))
    return None


def _compare(view: View, views: Sequence[View], number: int, block_hash: str) -> Signal | None:
    """Return what a block says about a view; None where not enough is known of it."""
    if view.height >= number:
        found, expected = view.hashes.get(number), {block_hash}
    else:
        found = view.hashes[view.height]
        expected = {
            other.hashes[view.height]
            for other in views
            if other.hashes.get(number) == block_hash and view.height in other.hashes
        }
    if found is None or not expected:
        return None
    if found not in expected:
        return Signal.FORKED
    return Signal.AGREES if view.height >= number else Signal.LAGS


def _is_unknown_above(views: Sequence[View], number: int) -> bool:
    return any(view.height >= number and number not in view.hashes for view in views)


def _is_unknown_below(views: Sequence[View], number: int) -> bool:
    higher = [view for view in views if view.height >= number]
    return any(
        not any(view.height in other.hashes for other in higher) for view in views if view.height < number
    )


def _is_shown(views: Sequence[View], number: int) -> bool:
    hashes = {view.hashes[number] for view in views if number in view.hashes}
    return all(any(block_hash in view.shown for view in views) for block_hash in hashes)


def _require_fresh(views: Sequence[View], found: Witnessed, max_lag: int) -> None:
    claims = (
        view.height for view, signal in zip(views, found.signals, strict=True) if signal is not Signal.FORKED
    )
    if max(claims) - found.number > max_lag:
        raise _disagreement(views, f"an agreed block at most {max_lag} below the newest")


def _disagreement(views: Sequence[View], needed: str) -> NodesDisagreeError:
    return NodesDisagreeError(tuple((view.where, str(view)) for view in views), needed)
