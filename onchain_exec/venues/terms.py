"""What a trader accepts of a swap, whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Address, Exact


@dataclass(frozen=True, slots=True)
class SwapTerms:
    """What holds for a whole swap. The side that ``exact`` fixes equals its amount; ``deadline_at`` is
    unix seconds."""

    exact: Exact
    recipient: Address
    deadline_at: int
    amount_in_max: int
    amount_out_min: int

    @property
    def amount(self) -> int:
        """The side that is fixed, in its base units."""
        return self.amount_in_max if self.exact is Exact.IN else self.amount_out_min

    @property
    def bound(self) -> int:
        """The limit of the other side, in its base units."""
        return self.amount_out_min if self.exact is Exact.IN else self.amount_in_max
