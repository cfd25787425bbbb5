"""The ways out, and which of them a desk may take."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from onchain_exec.errors import ConfigError


class Channel(enum.Enum):
    """A way from signed bytes to a block, or a reason to sign none yet."""

    PUBLIC = "public"  # every node's pool: everybody sees it
    PROTECTED = "protected"  # an RPC that keeps it to itself and to builders
    PRIVATE = "private"  # eth_sendPrivateTransaction to relays
    BUNDLE = "bundle"  # eth_sendBundle to builders, simulated anew and offered for each block
    SHARED = "shared"  # mev_sendBundle: searchers see hints, and pay for what they earn behind it
    INTENT = "intent"  # signed for our Settle contract, and shown to everybody by a book: a solver settles it
    SPLIT = "split"  # a part of it now, by the best of the above
    WAIT = "wait"  # nothing now

    @property
    def is_private(self) -> bool:
        """Whether bytes that go this way must never reach a public endpoint by us."""
        return self in (Channel.PROTECTED, Channel.PRIVATE, Channel.BUNDLE, Channel.SHARED)


DIRECT: Final = frozenset({Channel.PUBLIC, Channel.PROTECTED, Channel.PRIVATE, Channel.BUNDLE})
SHOWN: Final = frozenset({Channel.PUBLIC, Channel.INTENT})
"""What everybody sees before it is in a block."""

LATER: Final = frozenset({Channel.SPLIT, Channel.WAIT})
"""Choices by which nothing is sent yet."""


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What a desk may do with its orders.

    ``allowed`` leaves out what shows hints (SHARED) or the order itself (INTENT) and what trades later
    (SPLIT, WAIT) unless they are named. An INTENT may be filled for ``intent_s`` seconds. ``parts`` is how
    many a SPLIT makes, ``wait_blocks`` how long a WAIT lasts. ``hints`` is what searchers see of SHARED,
    and ``refund_percent`` of what they pay comes back. What went out privately and stands in no block for
    ``reconsider_blocks`` blocks is chosen for again (None: never), and may then become public only where
    ``fall_back_to_public`` says so.

    Raises:
        ConfigError: a number without a meaning, or no channel that sends.
    """

    allowed: frozenset[Channel] = DIRECT
    parts: int = 4
    wait_blocks: int = 3
    hints: tuple[str, ...] = ("hash",)
    refund_percent: int = 90
    reconsider_blocks: int | None = None
    fall_back_to_public: bool = False
    intent_s: int = 60

    def __post_init__(self) -> None:
        if self.parts < 2 or self.wait_blocks < 1 or not 0 <= self.refund_percent <= 100:
            raise ConfigError(
                f"{self.parts} parts, {self.wait_blocks} blocks, {self.refund_percent} % refund",
                needed="2 parts or more, 1 block or more, 0 to 100 %",
            )
        if self.reconsider_blocks is not None and self.reconsider_blocks < 1:
            raise ConfigError(f"reconsider_blocks is {self.reconsider_blocks}", needed="1 or more")
        if self.intent_s < 1:
            raise ConfigError(f"intent_s is {self.intent_s}", needed="1 second or more")
        if not self.allowed - LATER:
            raise ConfigError("no channel that sends is allowed", needed="one at least")
