"""What relays have done to those who trusted their acknowledgements."""

from __future__ import annotations

import enum


class Whim(enum.Enum):
    """A way to misbehave. Several can be in force at once."""

    IGNORE = "acknowledge, and include nothing"
    LATE = "include in the block after the one that was asked for"
    LEAK = "hand what is private to the public pool"
    WRONG_NONCE = "refuse with: nonce too low"
    DOWN = "answer HTTP 503"
    KEEP_CANCELLED = "acknowledge a cancellation, and include all the same"
    UNBUNDLE = "include the first transaction of a bundle alone"
