"""What an account does at a venue of perpetual futures: sizes and money in 1e18, tokens in base units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from onchain_exec.core import ZERO_ADDRESS, Address, Token, format_amount
from onchain_exec.core.fixed_point import WAD


@dataclass(frozen=True, slots=True)
class Trade:
    """Change the position in ``market`` by ``size_wad``, bought above 0; ``bound_wad`` is the money to pay at
    most or get at least, the fee included."""

    market: Address
    size_wad: int
    bound_wad: int

    @property
    def named(self) -> tuple[Address, ...]:
        """What the account must be read with."""
        return (self.market,)

    def __str__(self) -> str:
        return f"{'buy' if self.size_wad > 0 else 'sell'} {abs(self.size_wad) / WAD:g} in {self.market}"


@dataclass(frozen=True, slots=True)
class Close:
    """Close the position in ``market``, with the same kind of bound."""

    market: Address
    bound_wad: int

    @property
    def named(self) -> tuple[Address, ...]:
        """What the account must be read with."""
        return (self.market,)

    def __str__(self) -> str:
        return f"close the position in {self.market}"


@dataclass(frozen=True, slots=True)
class Deposit:
    """Bring ``amount`` of the settlement token, or of another collateral that the account has already; to the
    position in ``market`` where margin is isolated."""

    token: Token
    amount: int
    market: Address = ZERO_ADDRESS

    @property
    def named(self) -> tuple[Address, ...]:
        """What the account must be read with."""
        return () if self.market == ZERO_ADDRESS else (self.market,)

    def __str__(self) -> str:
        return f"deposit {format_amount(self.amount, self.token)} {self.token}"


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take ``amount`` of a collateral out; of the position in ``market`` where margin is isolated."""

    token: Token
    amount: int
    market: Address = ZERO_ADDRESS

    @property
    def named(self) -> tuple[Address, ...]:
        """What the account must be read with."""
        return () if self.market == ZERO_ADDRESS else (self.market,)

    def __str__(self) -> str:
        return f"withdraw {format_amount(self.amount, self.token)} {self.token}"


PerpetualAction: TypeAlias = Trade | Close | Deposit | Withdraw
