"""Tokens by the names that people give them: what the chain says of them, and limits that name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Self

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.configuration.settings import Settings
from onchain_exec.chain import Node
from onchain_exec.core import Address, Reading, Token, parse_amount
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.risk import Limits
from onchain_exec.venues.erc20 import read_token


def read_named_token(profile: ChainProfile, name: str) -> Reading[Token]:
    """Read a token by symbol or address; one that is listed keeps its listed symbol.

    Raises:
        UnknownTokenError, TokenRefusedError: see `ChainProfile.get_token` and `read_token`.
    """
    named = profile.get_token(name)
    if isinstance(named, Token):
        yield from read_token(named.address, named)
        return named
    return (yield from read_token(named))


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """The limits of `Limits` that name tokens, as people write them: by symbol or address, amounts in whole
    tokens. Which tokens they are only the chain can tell."""

    max_notional: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    allowed_tokens: tuple[str, ...] | None = None

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Return those of the settings."""
        return cls(settings.max_notional, settings.allowed_tokens)

    async def bind(self, limits: Limits, node: Node, profile: ChainProfile) -> Limits:
        """Return ``limits`` with these in base units and addresses, as the newest block tells them.

        Raises:
            ConfigError: a name is no token, two are the same one, or an amount is none of its token.
            TokenRefusedError: a token has no usable decimals, or others than listed.
        """
        if not self.max_notional and self.allowed_tokens is None:
            return limits
        block = await node.get_block("latest")

        most: dict[Address, int] = {}
        for name, amount in self.max_notional.items():
            with _naming("max_notional", name):
                token = await node.perform(read_named_token(profile, name), block)
                units = parse_amount(amount, token)
            if token.address in most:
                raise ConfigError(f"max_notional has {token} twice", needed="one amount of each token")
            most[token.address] = units
        allowed = set[Address]()
        for name in self.allowed_tokens or ():
            with _naming("allowed_tokens", name):
                token = await node.perform(read_named_token(profile, name), block)
            allowed.add(token.address)
        return replace(
            limits,
            max_notional=most,
            allowed_tokens=None if self.allowed_tokens is None else frozenset(allowed),
        )


NO_TOKEN_LIMITS: Final = TokenLimits()


@contextmanager
def _naming(setting: str, name: str) -> Iterator[None]:
    """Say of which setting a token, or an amount of it, is none."""
    try:
        yield
    except InputError as error:
        raise ConfigError(
            f"{setting} names {name!r}: {error.found}", needed=error.needed, todo=error.todo
        ) from error
