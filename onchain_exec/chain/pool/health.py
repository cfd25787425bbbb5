"""What is known of an endpoint: one table of states, and when it is asked again."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self


class EndpointState(enum.Enum):
    """Only an endpoint that is ALIVE answers reads."""

    ALIVE = "alive"
    BEHIND = "behind"
    """It answers, and is not (yet) known to have the newest block that counts."""

    WRONG_CHAIN = "on another chain"
    MINORITY_FORK = "on a minority fork"
    RATE_LIMITED = "rate limited"
    UNREACHABLE = "unreachable"
    """It failed, or was never heard of."""


class Signal(enum.Enum):
    """What can be learnt about an endpoint."""

    AGREES = "has the newest block that counts"
    LAGS = "has not"
    FORKED = "has another block in its place"
    OTHER_CHAIN = "names another chain id"
    LIMITED = "asks to slow down"
    FAILED = "gives no usable answer"
    HEARD = "answered, unjudged"


_ALIVE, _BEHIND, _WRONG = EndpointState.ALIVE, EndpointState.BEHIND, EndpointState.WRONG_CHAIN
_FORK, _LIMITED, _DOWN = (
    EndpointState.MINORITY_FORK,
    EndpointState.RATE_LIMITED,
    EndpointState.UNREACHABLE,
)
_COLUMNS: Final = (
    Signal.AGREES,
    Signal.LAGS,
    Signal.FORKED,
    Signal.OTHER_CHAIN,
    Signal.LIMITED,
    Signal.FAILED,
    Signal.HEARD,
)
_ROWS: Final = {
    #          AGREES  LAGS     FORKED  OTHER   LIMITED   FAILED  HEARD
    _ALIVE: (_ALIVE, _BEHIND, _FORK, _WRONG, _LIMITED, _DOWN, _ALIVE),
    _BEHIND: (_ALIVE, _BEHIND, _FORK, _WRONG, _LIMITED, _DOWN, _BEHIND),
    # A foreign chain stays foreign until it names the right one: an outage clears nothing.
    _WRONG: (_ALIVE, _BEHIND, _FORK, _WRONG, _WRONG, _WRONG, _WRONG),
    _FORK: (_ALIVE, _BEHIND, _FORK, _WRONG, _LIMITED, _DOWN, _FORK),
    _LIMITED: (_ALIVE, _BEHIND, _FORK, _WRONG, _LIMITED, _DOWN, _BEHIND),
    _DOWN: (_ALIVE, _BEHIND, _FORK, _WRONG, _LIMITED, _DOWN, _BEHIND),
}
TABLE: Final[Mapping[tuple[EndpointState, Signal], EndpointState]] = {
    (state, signal): after
    for state, row in _ROWS.items()
    for signal, after in zip(_COLUMNS, row, strict=True)
}

FIRST_PAUSE_S: Final = 0.1
LIMIT_PAUSE_S: Final = 1.0
"""After a rate limit that names no time of its own."""

MAX_PAUSE_S: Final = 30.0
WRONG_CHAIN_PAUSE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """One endpoint at one time. ``head_number`` is -1 before any was seen.

    The circuit breaker: ``retry_at`` (on the loop's clock) is when it may be asked again, after
    pauses that double with each of the consecutive ``failures``.
    """

    state: EndpointState = EndpointState.UNREACHABLE
    head_number: int = -1
    failures: int = 0
    retry_at: float = float("-inf")

    def after(self, signal: Signal, now: float, wait_s: float | None = None) -> Self:
        """Return the health after a signal; ``wait_s`` is the endpoint's own wish (Retry-After)."""
        state = TABLE[self.state, signal]
        if signal in (Signal.FAILED, Signal.LIMITED):
            pause = _get_pause(signal, self.failures, wait_s)
            return replace(self, state=state, failures=self.failures + 1, retry_at=now + pause)
        pause = WRONG_CHAIN_PAUSE_S if signal is Signal.OTHER_CHAIN else 0.0
        return replace(self, state=state, failures=0, retry_at=now + pause)

    def at_head(self, number: int) -> Self:
        """Return the health with another head."""
        return replace(self, head_number=number)

    def is_due(self, now: float) -> bool:
        """Return whether it may be asked: no failure, or its pause is over."""
        return now >= self.retry_at

    @property
    def is_answering(self) -> bool:
        """Whether an answer is expected as soon as usual."""
        return self.state in (EndpointState.ALIVE, EndpointState.BEHIND, EndpointState.MINORITY_FORK)


def _get_pause(signal: Signal, failures: int, wait_s: float | None) -> float:
    if signal is Signal.LIMITED and wait_s is not None:
        return max(wait_s, 0.0)
    first = LIMIT_PAUSE_S if signal is Signal.LIMITED else FIRST_PAUSE_S
    return float(min(first * 2 ** min(failures, 16), MAX_PAUSE_S))
