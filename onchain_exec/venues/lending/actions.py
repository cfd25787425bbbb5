"""What an account does at a lending market, in base units of each token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from onchain_exec.core import Address, Token, format_tokens
from onchain_exec.core.fixed_point import MAX_UINT256

ALL: Final = MAX_UINT256
"""As an amount to withdraw or repay: whatever there is when the chain runs it."""


@dataclass(frozen=True, slots=True)
class _OfToken:
    token: Token

    @property
    def named(self) -> tuple[Address, ...]:
        """What the account must be read with."""
        return (self.token.address,)


@dataclass(frozen=True, slots=True)
class Supply(_OfToken):
    """Lend ``amount`` of the account's ``token``; it may become collateral by that."""

    amount: int

    def __str__(self) -> str:
        return f"supply {_show(self.amount, self.token)}"


@dataclass(frozen=True, slots=True)
class Withdraw(_OfToken):
    """Take back ``amount`` of what was lent."""

    amount: int

    def __str__(self) -> str:
        return f"withdraw {_show(self.amount, self.token)}"


@dataclass(frozen=True, slots=True)
class Borrow(_OfToken):
    """Borrow ``amount`` at the variable rate."""

    amount: int

    def __str__(self) -> str:
        return f"borrow {_show(self.amount, self.token)}"


@dataclass(frozen=True, slots=True)
class Repay(_OfToken):
    """Repay at most ``amount`` of the account's own variable debt; what is more is not taken."""

    amount: int

    def __str__(self) -> str:
        return f"repay {_show(self.amount, self.token)}"


@dataclass(frozen=True, slots=True)
class SetCollateral(_OfToken):
    """Let what was lent of ``token`` count as collateral, or no longer."""

    enabled: bool

    def __str__(self) -> str:
        return f"{'use' if self.enabled else 'stop using'} {self.token} as collateral"


@dataclass(frozen=True, slots=True)
class SetEMode:
    """Enter the efficiency mode ``mode``, or leave with 0."""

    mode: int
    named: ClassVar[tuple[Address, ...]] = ()

    def __str__(self) -> str:
        return f"enter e-mode {self.mode}" if self.mode else "leave e-mode"


LendingAction: TypeAlias = Supply | Withdraw | Borrow | Repay | SetCollateral | SetEMode


def _show(amount: int, token: Token) -> str:
    return f"all {token}" if amount == ALL else format_tokens(amount, token)
