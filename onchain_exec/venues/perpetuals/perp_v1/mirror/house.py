"""The clearing house of v1 as one value, and what positions in it are worth. Mirror of ``ClearingHouse``.

Margin is isolated: each position has its own. Amounts and ratios are in 1e18.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from onchain_exec.core import Address, BlockRef, Token
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError, StaleStateError
from onchain_exec.venues.perpetuals.decimals import div_d, mul_d
from onchain_exec.venues.perpetuals.perp_v1.mirror.amm import Amm
from onchain_exec.venues.perpetuals.was_read import get_read, require_not_before


@dataclass(frozen=True, slots=True)
class Position:
    """A position: signed size, its margin, what it was opened for, and the funding it was settled at."""

    size: int = 0
    margin: int = 0
    open_notional: int = 0
    last_premium: int = 0


@dataclass(frozen=True, slots=True)
class Cash:
    """A quote token's base units in the clearing house and in the insurance fund, and what the fund has
    advanced for bad debts to come, in 1e18."""

    token: Token
    in_house: int
    in_fund: int
    advanced: int

    def to_units(self, amount_wad: int) -> int:
        """Return 1e18 in base units, rounded down. Mirror of ``DecimalERC20._toUint``."""
        return int(amount_wad // 10 ** (18 - self.token.decimals))

    def to_wad(self, units: int) -> int:
        """Return base units in 1e18."""
        return int(units * 10 ** (18 - self.token.decimals))

    def taken_in(self, amount_wad: int) -> Cash:
        """Return the cash after a trader paid."""
        return replace(self, in_house=self.in_house + self.to_units(amount_wad))

    def paid_out(self, amount_wad: int) -> Cash:
        """Return the cash after a trader was paid; the fund advances what is missing. ``withdraw``."""
        short = amount_wad - self.to_wad(self.in_house)
        cash = replace(self.from_fund(short), advanced=self.advanced + short) if short > 0 else self
        return replace(cash, in_house=cash.in_house - self.to_units(amount_wad))

    def with_bad_debt(self, amount_wad: int) -> Cash:
        """Return the cash after the fund bore a bad debt. Mirror of ``realizeBadDebt``."""
        if self.advanced > amount_wad:
            return replace(self, advanced=self.advanced - amount_wad)
        return replace(self.from_fund(amount_wad - self.advanced), advanced=0)

    def to_fund(self, amount_wad: int) -> Cash:
        """Return the cash after the house paid the fund what it can. ``transferToInsuranceFund``."""
        units = min(self.to_units(amount_wad), self.in_house)
        return replace(self, in_house=self.in_house - units, in_fund=self.in_fund + units)

    def from_fund(self, amount_wad: int) -> Cash:
        """Return the cash after the fund paid the house. Mirror of ``InsuranceFund.withdraw``.

        Raises:
            PoolRevertError: the fund has less (it may then sell other tokens, which is not foreseen).
        """
        if amount_wad > self.to_wad(self.in_fund):
            raise PoolRevertError(
                "", found=f"{amount_wad} wanted of the insurance fund", needed=f"{self.in_fund} base units"
            )
        units = self.to_units(amount_wad)
        return replace(self, in_house=self.in_house + units, in_fund=self.in_fund - units)


@dataclass(frozen=True, slots=True)
class House:
    """The clearing house at ``block``, as of ``at`` and block ``number``, for the owners that were read.

    ``positions`` by market and owner. ``max_age_s`` is how old an index price may be: the contracts do not
    ask. A state change gives a new value.
    """

    block: BlockRef
    at: int
    number: int
    address: Address
    insurance_fund: Address
    paused: bool
    initial_margin: int
    maintenance_margin: int
    liquidation_fee: int
    partial_liquidation: int
    max_age_s: int
    amms: Mapping[Address, Amm]
    cash: Mapping[Address, Cash]
    positions: Mapping[tuple[Address, Address], Position]

    @property
    def when(self) -> tuple[int, int]:
        """Time and block number."""
        return self.at, self.number

    def get_amm(self, market: Address) -> Amm:
        """Return a market.

        Raises:
            InputError: it was not read.
        """
        return get_read("market", self.amms, market, lambda amm: f"{amm.symbol} ({amm.address})")

    def get_open_amm(self, market: Address) -> Amm:
        """Return a market that trades and whose index is fresh.

        Raises:
            InputError: it was not read.
            PoolRevertError: it is closed, or the clearing house is paused.
            StaleStateError: the index is older than ``max_age_s``.
        """
        amm = self.get_amm(market)
        if not amm.is_open:
            raise PoolRevertError("amm was closed", found=f"{amm.symbol} is closed", needed="an open market")
        age_s = self.at - amm.rounds[-1].at
        if age_s > self.max_age_s:
            raise StaleStateError(
                f"the index price of {amm.symbol} is {age_s} s old", needed=f"{self.max_age_s} s at most"
            )
        return amm

    def require_running(self) -> None:
        """Refuse while the clearing house is paused.

        Raises:
            PoolRevertError: ``Pausable: paused``.
        """
        if self.paused:
            raise PoolRevertError("Pausable: paused", found="the clearing house is paused")

    def get_position(self, market: Address, owner: Address) -> Position:
        """Return a position, an empty one where there is none.

        Raises:
            InputError: the owner's positions were not read.
        """
        if (market, owner) not in self.positions:
            raise InputError(f"the position of {owner} in {market} was not read")
        return self.positions[market, owner]

    def get_cash(self, amm: Amm) -> Cash:
        """Return the cash of a market's quote token."""
        return self.cash[amm.quote_token]

    def with_amm(self, amm: Amm) -> House:
        """Return the house with a market in place of what it was."""
        return replace(self, amms={**self.amms, amm.address: amm})

    def with_position(self, market: Address, owner: Address, position: Position) -> House:
        """Return the house with a position in place of what it was."""
        return replace(self, positions={**self.positions, (market, owner): position})

    def with_cash(self, cash: Cash) -> House:
        """Return the house with a token's cash in place of what it was."""
        return replace(self, cash={**self.cash, cash.token.address: cash})

    def seen_at(self, at: int) -> House:
        """Return the house at a later time, in another block.

        Raises:
            InputError: ``at`` lies before.
        """
        require_not_before(self.at, at)
        return replace(self, at=at, number=self.number + (at > self.at))


class Worth(NamedTuple):
    """What a position could be closed for, and the profit of that."""

    notional: int
    pnl: int


class Remaining(NamedTuple):
    """A margin after funding and a change, and what is missing where it is used up."""

    margin: int
    bad_debt: int
    funding: int


def get_worth(amm: Amm, position: Position) -> Worth:
    """Return what a position is worth now. ``getPositionNotionalAndUnrealizedPnl(SPOT_PRICE)``."""
    return _worth(position, amm.get_quote(abs(position.size), buys=position.size < 0))


def get_mean_worth(amm: Amm, position: Position, at: int) -> Worth:
    """Return what a position was worth in the mean of 15 minutes (``TWAP``)."""
    return _worth(position, amm.get_mean_quote(abs(position.size), at, buys=position.size < 0))


def get_index_worth(amm: Amm, position: Position) -> Worth:
    """Return what a position is worth at the index (``ORACLE``)."""
    return _worth(position, mul_d(abs(position.size), amm.index_price))


def get_remaining(amm: Amm, position: Position, change: int) -> Remaining:
    """Return the margin after funding. Mirror of ``calcRemainMarginWithFundingPayment``."""
    funding = mul_d(amm.premium - position.last_premium, position.size) if position.size else 0
    left = change - funding + position.margin
    return Remaining(max(left, 0), max(-left, 0), funding)


def get_margin_ratio_of(amm: Amm, position: Position, worth: Worth) -> int:
    """Return margin and profit over notional. Mirror of ``_getMarginRatio``."""
    left = get_remaining(amm, position, worth.pnl)
    return div_d(left.margin - left.bad_debt, worth.notional)


def get_margin_ratio(amm: Amm, position: Position, at: int) -> int:
    """Return the margin ratio: by the price now or its mean, whichever gives more profit.

    Raises:
        PoolRevertError: ``positionSize is 0``.
    """
    require_position(position)
    worth, mean = get_worth(amm, position), get_mean_worth(amm, position, at)
    return get_margin_ratio_of(amm, position, worth if worth.pnl > mean.pnl else mean)


def get_liquidation_ratio(amm: Amm, position: Position, at: int) -> int:
    """Return the margin ratio that ``liquidate`` goes by: the index counts where the price is far from it."""
    ratio = get_margin_ratio(amm, position, at)
    if amm.is_over_spread:
        ratio = max(ratio, get_margin_ratio_of(amm, position, get_index_worth(amm, position)))
    return ratio


def require_position(position: Position) -> None:
    """Refuse an empty position (``positionSize is 0``)."""
    if not position.size:
        raise PoolRevertError("positionSize is 0", found="no position", needed="one")


def require_ratio(found: int, needed: int) -> None:
    """Refuse a margin ratio below what is needed (``Margin ratio not meet criteria``)."""
    if found < needed:
        raise PoolRevertError(
            "Margin ratio not meet criteria",
            found=f"a margin ratio of {100 * found / WAD:.4f} %",
            needed=f"{100 * needed / WAD:.4f} %",
            todo="Trade less, or add margin",
        )


def _worth(position: Position, notional: int) -> Worth:
    if not position.size:
        return Worth(0, 0)
    gained = notional - position.open_notional
    return Worth(notional, gained if position.size > 0 else -gained)
