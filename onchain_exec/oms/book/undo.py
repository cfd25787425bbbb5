"""Dicts whose last changes can be taken back, and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ABSENT: Final = object()


class UndoLog:
    """How to take back what was done since `keep`; nothing is written down before the first `keep`.

    ``line`` is the number of the journal line that is taken in."""

    def __init__(self) -> None:
        self.line = 0
        self._steps: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.writes_down = False

    def keep(self) -> None:
        """Let everything so far stand; what comes can be taken back."""
        self._steps.clear()
        self.writes_down = True

    def get_mark(self) -> int:
        """Return a place to go back to."""
        return len(self._steps)

    def add(self, step: Callable[..., object], *arguments: Any) -> None:
        """Write down the call that takes back what is about to be done."""
        if self.writes_down:
            self._steps.append((step, arguments))

    def go_back(self, mark: int = 0) -> None:
        """Take back everything since ``mark``, the newest first."""
        while len(self._steps) > mark:
            step, arguments = self._steps.pop()
            step(*arguments)


class UndoDict(dict[K, V]):
    """Writes down the old value of each key that is set or removed by ``[]``, ``del`` and ``pop``."""

    def __init__(self, log: UndoLog) -> None:
        super().__init__()
        self._log = log

    def __setitem__(self, key: K, value: V) -> None:
        if self._log.writes_down:
            self._log.add(self._restore, key, self.get(key, _ABSENT))
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: K) -> None:
        self._log.add(self._restore, key, self.get(key, _ABSENT))
        dict.__delitem__(self, key)

    def pop(self, key: K, *default: Any) -> Any:
        self._log.add(self._restore, key, self.get(key, _ABSENT))
        return dict.pop(self, key, *default)

    def _restore(self, key: K, before: Any) -> None:
        if before is _ABSENT:
            dict.pop(self, key, None)
        else:
            dict.__setitem__(self, key, before)


class TrackedDict(UndoDict[K, V]):
    """Knows which line set which keys last; nothing may be removed but by going back."""

    def __init__(self, log: UndoLog) -> None:
        super().__init__(log)
        self._changed: dict[K, int] = {}

    def __setitem__(self, key: K, value: V) -> None:
        if self._log.writes_down:
            self._log.add(self._restore_line, key, self._changed.get(key))
        self._changed[key] = self._log.line
        super().__setitem__(key, value)

    def list_changed(self) -> list[V]:
        """Return the values that were set since `forget_changes`; new ones in the order they came."""
        return [self[key] for key in self._changed]

    def forget_changes(self, until: int) -> None:
        """Forget what lines up to this one set."""
        self._changed = {key: line for key, line in self._changed.items() if line > until}

    def _restore_line(self, key: K, line: int | None) -> None:
        if line is None:
            del self._changed[key]
        else:
            self._changed[key] = line
