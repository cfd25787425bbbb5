"""What every venue of perpetual futures is: a value read at one block, which previews and encodes.

All amounts are in 1e18: sizes in whole base, signed (positive is long), prices and money in whole quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final, Generic, Protocol, Self, TypeVar

from onchain_exec.core import Address, Call
from onchain_exec.core.fixed_point import BPS, WAD, div_trunc

V = TypeVar("V")
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class MarketState:
    """A market: ``market_price_wad`` is what an infinitely small trade pays before fees, ``mark_price_wad``
    what positions are valued at, ``index_price_wad`` what the underlying is worth elsewhere."""

    market: Address
    symbol: str
    is_open: bool
    market_price_wad: int
    mark_price_wad: int
    index_price_wad: int
    fee_pips: int


@dataclass(frozen=True, slots=True)
class Funding:
    """What one base of a long pays per day (negative: gets) if nothing moves: money, and as a share of the
    index. ``interval_s`` is how often it is settled, 0 for each second. ``short_base_day_wad`` is what one
    base of a short pays where that is not what a long gets: where both borrow, or the sides differ in size.
    """

    per_base_day_wad: int
    rate_day_wad: int
    interval_s: int
    short_base_day_wad: int | None = None

    def get_cost(self, size_wad: int, seconds: int) -> int:
        """Return what a position pays over a time (negative: gets), if nothing moves."""
        per_day = self.per_base_day_wad
        if size_wad < 0 and self.short_base_day_wad is not None:
            per_day = -self.short_base_day_wad
        return div_trunc(div_trunc(per_day * seconds, _DAY_S) * size_wad, WAD)


@dataclass(frozen=True, slots=True)
class PositionState:
    """A position. ``entry_notional_wad`` is what was paid for it, signed as the size; ``funding_owed_wad`` is
    negative where it is owed to the account; ``liquidation_price_wad`` is the mark price at which it is about
    to be liquidated, None where no price of this market decides."""

    market: Address
    size_wad: int
    entry_notional_wad: int
    unrealised_pnl_wad: int
    funding_owed_wad: int
    margin_ratio_wad: int | None
    liquidation_price_wad: int | None


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account. It can be liquidated below ``maintenance_margin_wad``; ``free_collateral_wad`` may be
    withdrawn or put into new positions, and is negative where even what it has takes more."""

    owner: Address
    value_wad: int
    free_collateral_wad: int
    maintenance_margin_wad: int
    is_liquidatable: bool
    positions: tuple[PositionState, ...]

    def get_position(self, market: Address) -> PositionState | None:
        """Return its position in a market, None where it has none."""
        return next((one for one in self.positions if one.market == market), None)


@dataclass(frozen=True, slots=True)
class Preview(Generic[V]):
    """A trade foreseen: ``size_wad`` and ``notional_wad`` signed (both positive where it buys), the fee on
    top, what it realises, the market price before and after, and the venue after it."""

    size_wad: int
    notional_wad: int
    fee_wad: int
    realised_pnl_wad: int
    price_before_wad: int
    price_after_wad: int
    after: V

    @property
    def price(self) -> Fraction:
        """The mean price without the fee."""
        return Fraction(self.notional_wad, self.size_wad)

    @property
    def impact_bps(self) -> Fraction:
        """How much worse the mean price is than the market price before; negative if better."""
        worse = self.price / Fraction(self.price_before_wad, WAD) - 1
        return worse * BPS * (1 if self.size_wad > 0 else -1)


@dataclass(frozen=True, slots=True)
class TradeRequest:
    """A trade that waits for a keeper: ``key`` names it at its venue. It may be executed from ``from_at`` on,
    until ``until_at`` (None: until it is cancelled)."""

    key: bytes
    market: Address
    size_wad: int
    from_at: int
    until_at: int | None


class PerpetualVenue(Protocol):
    """A venue as one block has it, seen at that block's time or a later one.

    Previews are what the contracts then do, to the unit, if nobody else acts before. Where the contracts
    would revert they raise PoolRevertError with the contract's reason; a stale index raises StaleStateError,
    an unknown market or account InputError.

    Where trades have two phases, what is encoded only asks for one: see `TwoPhaseVenue`.
    """

    kind: ClassVar[str]
    is_two_phase: ClassVar[bool]

    @property
    def at(self) -> int:
        """The time that it is seen at, in unix seconds."""
        ...

    @property
    def markets(self) -> tuple[MarketState, ...]:
        """The markets that were read."""
        ...

    def seen_at(self, at: int) -> Self:
        """Return the venue at a later time."""
        ...

    def with_index(self, market: Address, price_wad: int) -> Self:
        """Return the venue after its index moved, at the time that it is seen at."""
        ...

    def get_market(self, market: Address) -> MarketState:
        """Return a market."""
        ...

    def get_funding(self, market: Address) -> Funding:
        """Return what longs pay; what a position will owe is its account, `seen_at` a later time."""
        ...

    def get_account(self, owner: Address) -> AccountState:
        """Return an account."""
        ...

    def preview_trade(self, owner: Address, market: Address, size_wad: int) -> Preview[Self]:
        """Return a trade that changes a position by ``size_wad``: opens, adds, reduces or reverses."""
        ...

    def preview_close(self, owner: Address, market: Address) -> Preview[Self]:
        """Return the trade that closes a position, or as much as one block lets."""
        ...

    def preview_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> Self:
        """Return the venue with base units of a token added; to the position in ``market`` where margin is
        isolated."""
        ...

    def preview_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> Self:
        """Return the venue with base units of a token taken out."""
        ...

    def preview_liquidation(self, liquidator: Address, owner: Address, market: Address) -> Self:
        """Return the venue after ``liquidator`` took over as much of a position as may be taken."""
        ...

    def encode_trade(
        self, owner: Address, market: Address, size_wad: int, bound_wad: int, deadline_at: int
    ) -> Call:
        """Return the call of `preview_trade`; ``bound_wad`` is the money to get at least or pay at most, the
        fee included."""
        ...

    def encode_close(self, owner: Address, market: Address, bound_wad: int, deadline_at: int) -> Call:
        """Return the call of `preview_close`, with the same kind of bound."""
        ...

    def encode_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return the call of `preview_deposit`; the venue must be allowed to take the token."""
        ...

    def encode_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return the call of `preview_withdraw`."""
        ...

    def encode_liquidation(self, liquidator: Address, owner: Address, market: Address) -> Call:
        """Return the call of `preview_liquidation`."""
        ...


class TwoPhaseVenue(PerpetualVenue, Protocol):
    """A venue where a transaction only asks for a trade, and a keeper executes it in a later one, at a price
    that the oracle has after it was asked for; or does not, and it is cancelled or expires.

    A preview is that execution were it at the index that the venue is seen with: see `with_index` for others.
    The bound that is encoded is the only one on the price. Nothing that must hold after the trade can be held
    to within the transaction that asks for it.
    """

    def get_requests(self, owner: Address) -> tuple[TradeRequest, ...]:
        """Return an account's trades that wait."""
        ...

    def encode_cancel(self, owner: Address, request: TradeRequest) -> Call:
        """Return the call that takes a request back, where and when the venue lets it."""
        ...
