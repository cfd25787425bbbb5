"""What a Settle and a Solver are built with, that the chain does not say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from onchain_exec.core import Address, to_address
from onchain_exec.errors import ConfigError, InputError


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may stop a `Settle` until when, and when it ends for good (unix seconds); and who owns the
    `Solver` beside it, None for no Solver."""

    guardian: Address
    guardian_until: int
    sunset_at: int
    solver_owner: Address | None = None

    def __post_init__(self) -> None:
        if not 0 < self.guardian_until <= self.sunset_at < 1 << 32:
            raise ConfigError(
                f"the guardian's time ends at {self.guardian_until}, the sunset is at {self.sunset_at}",
                needed="unix seconds of 32 bits, as deadlines are; the sunset not before the guardian's end",
            )

    @classmethod
    def parse(
        cls, guardian: str | None, guardian_until: str | None, sunset: str | None, solver_owner: str | None
    ) -> Self | None:
        """Return the terms of options in words, days as ``2028-01-31`` (from its first second, UTC), or
        None if there are none.

        Raises:
            InputError: only some of Settle's are there, or one cannot be read.
        """
        if guardian and guardian_until and sunset:
            return cls(
                guardian=to_address(guardian),
                guardian_until=_parse_day(guardian_until),
                sunset_at=_parse_day(sunset),
                solver_owner=to_address(solver_owner) if solver_owner else None,
            )
        if guardian or guardian_until or sunset or solver_owner:
            raise InputError(
                "only some of Settle's terms are given", needed="guardian, guardian-until and sunset"
            )
        return None


def _parse_day(text: str) -> int:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{text!r} is no day", needed='for example "2028-01-31"') from error
    return int(day.timestamp())
