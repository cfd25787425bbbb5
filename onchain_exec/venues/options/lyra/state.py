"""One Lyra market as of a block: what a trade's price, limits and collateral follow from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from onchain_exec.core import Address, Token
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.options.lyra.parameters import Parameters


class OptionType(IntEnum):
    """``OptionMarket.OptionType``: shorts differ by what they hold as collateral."""

    LONG_CALL = 0
    LONG_PUT = 1
    SHORT_CALL_BASE = 2
    SHORT_CALL_QUOTE = 3
    SHORT_PUT_QUOTE = 4

    @property
    def is_long(self) -> bool:
        """Whether the trader holds the option."""
        return self <= OptionType.LONG_PUT

    @property
    def is_call(self) -> bool:
        """Whether it is a right to buy."""
        return self not in (OptionType.LONG_PUT, OptionType.SHORT_PUT_QUOTE)


class PositionState(IntEnum):
    """``OptionToken.PositionState``."""

    EMPTY = 0
    ACTIVE = 1
    CLOSED = 2
    LIQUIDATED = 3
    SETTLED = 4
    MERGED = 5


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """``OptionToken.OptionPosition``: ``amount`` has 18 decimals, ``collateral`` is in base units of the
    base for SHORT_CALL_BASE, else of the quote."""

    position_id: int
    strike_id: int
    option_type: OptionType
    amount: int
    collateral: int
    state: PositionState
    owner: Address


@dataclass(frozen=True, slots=True)
class Strike:
    """One strike of a board. Volatility is the board's ``iv_wad`` times ``skew_wad``; open amounts are of
    traders, by type. ``std_vega_wad`` is the cached vega per contract, ``skew_gwav_wad`` the average over
    the time that forced closes look at."""

    strike_id: int
    price_wad: int
    skew_wad: int
    open_amounts: tuple[int, int, int, int, int]
    std_vega_wad: int
    skew_gwav_wad: int


@dataclass(frozen=True, slots=True)
class Board:
    """One expiry. ``variance_iv_gwav_wad`` is its volatility averaged over the time that the variance fee
    looks at, ``force_close_iv_gwav_wad`` over that of forced closes."""

    board_id: int
    expiry_at: int
    iv_wad: int
    is_frozen: bool
    strikes: tuple[Strike, ...]
    variance_iv_gwav_wad: int
    force_close_iv_gwav_wad: int

    def get_variance_wad(self, iv_wad: int) -> int:
        """Return how far a volatility is from its average; mirror of ``_updateBoardIvVariance``."""
        return abs(self.variance_iv_gwav_wad - iv_wad)


@dataclass(frozen=True, slots=True)
class Liquidity:
    """The pool: its net asset value, what of it is free, and what it holds of the quote, in base units of
    the quote; what of the base it holds and has locked; what exchanges cost it (18 decimals)."""

    nav: int
    free: int
    quote_balance: int
    base_balance: int
    base_locked: int
    quote_base_fee_wad: int
    base_quote_fee_wad: int


@dataclass(frozen=True, slots=True)
class Contracts:
    """Where a market's contracts stand."""

    market: Address
    pricer: Address
    greek_cache: Address
    pool: Address
    option_token: Address
    short_collateral: Address
    adapter: Address
    quote: Address
    base: Address


@dataclass(frozen=True, slots=True)
class LyraState:
    """A market as of a block. ``timestamp`` is the block's: prices decay, and averages move, with later
    ones. ``net_std_vega_wad`` is what all traders hold."""

    contracts: Contracts
    quote: Token
    base: Token
    timestamp: int
    spot_wad: int
    parameters: Parameters
    liquidity: Liquidity
    net_std_vega_wad: int
    boards: tuple[Board, ...]

    def find_strike(self, strike_id: int) -> tuple[Board, Strike]:
        """Return a strike of a live board, and the board.

        Raises:
            PoolRevertError: no live board has it; InvalidStrikeId, or BoardAlreadySettled on chain.
        """
        for board in self.boards:
            for strike in board.strikes:
                if strike.strike_id == strike_id:
                    return board, strike
        raise PoolRevertError(
            "InvalidStrikeId",
            found=f"no live board has strike {strike_id}",
            needed="a strike of a board that is not settled",
        )
