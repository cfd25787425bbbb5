"""What an order may cost and touch: the desk's own bounds, with defaults that let no accident pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from onchain_exec.core import Address, to_address
from onchain_exec.core.fixed_point import BPS
from onchain_exec.errors import AddressError, ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that `check` holds every order to.

    Attributes:
        max_slippage_bps: the most an order may give away between quote and fill.
        max_impact_bps: the most the order may move the price against itself, of its mid value.
        max_shortfall_bps: the most that fee and impact together may take from the order's value at
            the reference price (at the route's own mid price where there is no reference).
        max_quote_age_s: seconds from quote to check.
        max_price_divergence_bps: the most that kinds of price sources (pools, means over time, feeds)
            may lie off the consolidated price; None lets them differ by anything.
        max_price_age_s: how old, on average, what a price source tells may be, or else it does not
            count; None leaves that to the feeds' heartbeats.
        min_price_kinds: of how many kinds there must be a source that counts.
        max_notional: base units of a token, on either side, that one order may move; a token that
            is not named is not bound.
        allowed_tokens: the tokens that may be bought or sold; None allows all.
        may_approve: whether a missing allowance may be granted; False demands one that exists.
        gas_reserve_wei: native balance that must remain after the quoted gas.

    Raises:
        ConfigError: a bound out of its range or no int, or one of a token that is not named by its
            checksummed address, which would bind nothing.
    """

    max_slippage_bps: int = 100
    max_impact_bps: int = 300
    max_shortfall_bps: int = 500
    max_quote_age_s: int = 60
    max_price_divergence_bps: int | None = 1_000
    max_price_age_s: int | None = None
    min_price_kinds: int = 0
    max_notional: Mapping[Address, int] = field(default_factory=lambda: MappingProxyType({}))
    allowed_tokens: frozenset[Address] | None = None
    may_approve: bool = True
    gas_reserve_wei: int = 0

    def __post_init__(self) -> None:
        for name in ("max_slippage_bps", "max_impact_bps", "max_shortfall_bps"):
            require_bps(name, getattr(self, name))
        for name in (
            "max_quote_age_s", "gas_reserve_wei",
            "max_price_divergence_bps", "max_price_age_s", "min_price_kinds",
        ):  # fmt: skip
            if (getattr(self, name) or 0) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}", needed="0 or more")
        for token in (*self.max_notional, *(self.allowed_tokens or ())):
            if not _is_checksummed(token):
                raise ConfigError(
                    f"a bound of the token {token!r} would bind nothing",
                    needed="its address, as `to_address` gives it",
                )


def require_bps(name: str, value: int) -> None:
    """Raise ConfigError unless ``value`` is an int of basis points below the whole."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < BPS:
        raise ConfigError(
            f"{name} is {value!r}",
            needed="an int of 0 to 9,999 basis points",
            todo="Give hundredths of a percent: 100 is 1 %",
        )


def _is_checksummed(token: str) -> bool:
    try:
        return to_address(token) == token
    except AddressError:
        return False
