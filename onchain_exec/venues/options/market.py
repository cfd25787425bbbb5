"""What every options protocol can be asked, whatever its contracts are: series, previews, volatility and
Greeks, collateral, expiry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from onchain_exec.core import Address, Call, Token


class Side(Enum):
    """Who holds the option, and who has written it."""

    LONG = "long"
    SHORT = "short"


class SeriesState(Enum):
    """What may be done: trade; close only, at the protocol's penalty; nothing; settle the series; settle
    positions."""

    OPEN = "open"
    CLOSE_ONLY = "close only"
    FROZEN = "frozen"
    EXPIRED = "expired"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Series:
    """One option: ``series_id`` is the protocol's own, unique with ``is_call`` in ``market``.

    ``strike_wad`` is in whole ``quote`` per whole ``underlying``; ``expiry_at`` in unix seconds.
    """

    venue: str
    market: Address
    series_id: int
    is_call: bool
    underlying: Token
    quote: Token
    strike_wad: int
    expiry_at: int

    def get_payoff_wad(self, price_wad: int) -> int:
        """Return what one contract is worth at expiry, in whole quote."""
        beyond = price_wad - self.strike_wad
        return max(beyond if self.is_call else -beyond, 0)


@dataclass(frozen=True, slots=True)
class Position:
    """Contracts that an account holds or has written. ``collateral`` is in base units of
    ``collateral_token``; both are empty where the protocol holds none for it."""

    position_id: int
    owner: Address
    series: Series
    side: Side
    amount: int
    collateral_token: Token | None = None
    collateral: int = 0


@dataclass(frozen=True, slots=True)
class OptionOrder:
    """Open or close ``amount`` (base units of the protocol's contracts) of a series.

    ``position`` is what a close takes from, and what an open adds to where the protocol numbers
    positions. ``collateral_to`` is what a short holds in ``collateral_token`` afterwards; an amount of 0
    with a position changes the collateral alone. ``is_forced`` closes at the protocol's penalty what it
    would not close otherwise.
    """

    series: Series
    side: Side
    amount: int
    is_close: bool = False
    is_forced: bool = False
    position: Position | None = None
    collateral_token: Token | None = None
    collateral_to: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """What moves: base units of a token that leave the trader, negative if they arrive."""

    token: Token
    amount: int


@dataclass(frozen=True, slots=True)
class OptionPreview:
    """What an order does, to the unit, if it is the next to run at the state it was computed from.

    ``premium`` is before fees, ``fee`` what the protocol takes, ``cost`` what the trader pays for opening a
    long or closing a short, or gets for the reverse: all in base units of the quote. ``vol_wad`` is the
    volatility that was traded at. ``flows`` are all tokens that move, collateral included.
    """

    order: OptionOrder
    premium: int
    fee: int
    cost: int
    vol_wad: int
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class OptionGreeks:
    """Of one long contract, in quote: as `pricing.options.black76.Greeks`, with respect to the spot."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


class OptionMarket(Protocol):
    """A protocol's options as of one block: a value, so that it cannot change under a decision."""

    @property
    def timestamp(self) -> int:
        """The block's time, in unix seconds."""
        ...

    @property
    def series(self) -> tuple[Series, ...]:
        """Every series that is listed."""
        ...

    def get_state(self, series: Series) -> SeriesState:
        """Return what may be done with a series at the block's time."""
        ...

    def get_vol_wad(self, series: Series) -> int:
        """Return the volatility that the protocol's price implies, per square root of a year."""
        ...

    def get_greeks(self, series: Series) -> OptionGreeks:
        """Return price and Greeks at the protocol's volatility."""
        ...

    def get_forward(self, series: Series) -> float:
        """Return the underlying's price at expiry, in quote, that the protocol's prices are around."""
        ...

    def preview(self, order: OptionOrder) -> OptionPreview:
        """Return what the order does.

        Raises:
            PoolRevertError: the contract would revert; ``reason`` is its own error.
            UnsupportedOrderError: the protocol has no order of this kind.
            InputError: the series is none of the market's.
        """
        ...

    def get_collateral_min(self, order: OptionOrder) -> int:
        """Return the least ``collateral_to`` that the contract takes for the short that results, in base
        units of the order's collateral token."""
        ...

    def encode(self, preview: OptionPreview, slippage_bps: int) -> tuple[Call, ...]:
        """Return the calls, in order, that do what was previewed or revert if the cost is worse by more
        than the slippage. Approvals are the caller's."""
        ...

    def preview_settlement(self, position: Position) -> tuple[Flow, ...]:
        """Return what settling a position of a settled series moves.

        Raises:
            PoolRevertError: the series is not settled.
        """
        ...

    def encode_settlement(self, positions: tuple[Position, ...]) -> tuple[Call, ...]:
        """Return the calls that settle positions, and before them their series where that is due."""
        ...
