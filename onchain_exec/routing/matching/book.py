"""Signed orders that wait for others."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.clearing.settle import Flags, SettleOrder
from onchain_exec.core import Address
from onchain_exec.errors import InputError


@dataclass(frozen=True, slots=True)
class BookOrder:
    """An order of which ``remaining`` can still be filled, in what it counts in: what its lane has left of
    it, or less where the owner holds or allows less."""

    order: SettleOrder
    remaining: int

    def __post_init__(self) -> None:
        if not 0 < self.remaining <= self.order.size:
            raise InputError(
                f"{self.remaining} left of an order of {self.order.size}",
                needed="above 0 and at most its size",
                todo="Leave an order that is used up out of the book",
            )

    @property
    def must_fill(self) -> bool:
        """Whether it is filled as a whole or not at all."""
        return Flags.FILL_OR_KILL in self.order.flags

    @property
    def claims(self) -> Address:
        """The token in which its owner can gain: more of what it buys, or less of what it pays."""
        return self.order.token_in if self.order.is_exact_out else self.order.token_out

    @property
    def most_in(self) -> int:
        """The most that it can sell, at its limit."""
        order = self.order
        return order.amount_in * self.remaining // order.amount_out if order.is_exact_out else self.remaining

    @property
    def least_out(self) -> int:
        """What it must get when all that remains is filled."""
        return self.remaining if self.order.is_exact_out else self.get_least_out(self.remaining)

    def get_least_out(self, amount_in: int) -> int:
        """Return the least that it must get for ``amount_in``, rounded up, as the contract demands."""
        return -(-self.order.amount_out * amount_in // self.order.amount_in)

    def get_most_in(self, amount_out: int) -> int:
        """Return the most that it pays for ``amount_out``, rounded down, as the contract demands."""
        return self.order.amount_in * amount_out // self.order.amount_out
