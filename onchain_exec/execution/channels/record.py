"""What the chain has shown of each channel. Acknowledgements are not counted: they prove nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from onchain_exec.execution.channels.channel import Channel


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How a channel has done: ``included`` of its transactions in ``waited_blocks`` blocks that came while
    one of them waited, ``harmed`` (sandwiched, or shown to everybody; an intent: filled at its bound) of
    ``seen`` that were looked at, and how many of those were ``refunded``."""

    waited_blocks: int = 0
    included: int = 0
    seen: int = 0
    harmed: int = 0
    refunded: int = 0

    def __add__(self, other: TrackRecord) -> TrackRecord:
        return self._combine(other, 1)

    def __sub__(self, other: TrackRecord) -> TrackRecord:
        return self._combine(other, -1)

    def _combine(self, other: TrackRecord, sign: int) -> TrackRecord:
        return TrackRecord(
            self.waited_blocks + sign * other.waited_blocks,
            self.included + sign * other.included,
            self.seen + sign * other.seen,
            self.harmed + sign * other.harmed,
            self.refunded + sign * other.refunded,
        )

    @property
    def inclusion_chance(self) -> Fraction:
        """How probable it is that the next block has it."""
        return Fraction(self.included, self.waited_blocks)

    @property
    def harm_chance(self) -> Fraction:
        """How probable it is that others see it in time to attack it, and do."""
        return Fraction(self.harmed, self.seen)

    @property
    def refund_chance(self) -> Fraction:
        """How probable it is that somebody pays for the place behind it."""
        return Fraction(self.refunded, self.seen)


PRIORS: Final[Mapping[Channel, TrackRecord]] = MappingProxyType(
    {
        Channel.PUBLIC: TrackRecord(waited_blocks=10, included=9, seen=4, harmed=3),
        Channel.PROTECTED: TrackRecord(waited_blocks=4, included=2, seen=20, harmed=1),
        Channel.PRIVATE: TrackRecord(waited_blocks=6, included=2, seen=20, harmed=1),
        Channel.BUNDLE: TrackRecord(waited_blocks=6, included=2, seen=50, harmed=1),
        Channel.SHARED: TrackRecord(waited_blocks=6, included=2, seen=20, harmed=1, refunded=10),
        Channel.INTENT: TrackRecord(waited_blocks=12, included=3, seen=4, harmed=2),
    }
)
"""What is assumed of a channel before it was used: as if it had been seen to do this, so a desk's own record
outweighs it after some tens of trades. Where an attack pays, one is rarely missing in public; private
transactions are known to leak from orphaned blocks, and some never to be included."""
