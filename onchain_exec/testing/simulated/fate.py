"""What goes wrong, and when: drawn from a seed."""

from __future__ import annotations

import enum
import random


class SimulatedCrash(BaseException):
    """The process ends here. Nothing catches it, and whoever goes on meets it again."""


class SendFault(enum.Enum):
    """What can become of a transaction on its way to the node."""

    NONE = "none"
    LOST_BEFORE = "lost_before"  # never arrives, and there is no reply
    LOST_AFTER = "lost_after"  # arrives, and there is no reply
    DOUBLED = "doubled"  # arrives twice; the second reply comes back
    FORGOTTEN = "forgotten"  # acknowledged, and never seen again


class Fate:
    """Draws faults and crashes; `end_faults` ends them, and `revive` starts the next process.

    ``crash_chance`` is that of each step (a request, a line, a signature), ``fault_chance`` that of
    each reply. ``latency_s`` is the longest that a request takes.
    """

    def __init__(
        self, seed: int, *, crash_chance: float = 0.0, fault_chance: float = 0.0, latency_s: float = 0.5
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._crash_chance, self._fault_chance = crash_chance, fault_chance
        self._latency_s = latency_s
        self._dead = False

    def pass_step(self) -> None:
        """Go on, or raise SimulatedCrash."""
        if self._dead or self.random.random() < self._crash_chance:
            self._dead = True
            raise SimulatedCrash

    def draw_send_fault(self) -> SendFault:
        """Return what happens to a send."""
        if self.random.random() >= self._fault_chance:
            return SendFault.NONE
        return self.random.choice([fault for fault in SendFault if fault is not SendFault.NONE])

    def is_reply_lost(self) -> bool:
        """Return whether a read gets no answer."""
        return self.random.random() < self._fault_chance

    def draw_latency_s(self) -> float:
        """Return how long a request takes: half of them no time at all."""
        return max(2 * self.random.random() - 1, 0.0) * self._latency_s

    def end_faults(self) -> None:
        """Let everything go well from now on."""
        self._crash_chance = self._fault_chance = 0.0

    def revive(self) -> None:
        """Let the next process run."""
        self._dead = False
