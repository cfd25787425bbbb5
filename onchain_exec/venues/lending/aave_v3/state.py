"""An account of an Aave v3 market at one time, as numbers: positions, reserves, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from onchain_exec.core import Address, BlockRef
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import InputError
from onchain_exec.venues.lending.aave_v3.configuration import EMode
from onchain_exec.venues.lending.aave_v3.ray_math import percent_mul, ray_mul, wad_div
from onchain_exec.venues.lending.aave_v3.reserve import Reserve, StableDebt


@dataclass(frozen=True, slots=True)
class Position:
    """What an account has in one reserve: aTokens and variable debt divided by the indexes, its stable
    debt, and the pool's two flags."""

    supplied_scaled: int
    borrowed_scaled: int
    stable: StableDebt
    is_collateral: bool
    is_borrowing: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """A reserve, and the account's position in it."""

    reserve: Reserve
    position: Position

    def get_supplied(self, at: int) -> int:
        """Return the aToken balance in base units."""
        return ray_mul(self.position.supplied_scaled, self.reserve.get_income_ray(at))

    def get_variable_debt(self, at: int) -> int:
        """Return the variable debt in base units."""
        return ray_mul(self.position.borrowed_scaled, self.reserve.get_debt_ray(at))

    def get_debt(self, at: int) -> int:
        """Return all debt in base units."""
        return self.get_variable_debt(at) + self.position.stable.get_total(at)


@dataclass(frozen=True, slots=True)
class AccountData:
    """Mirror of what ``GenericLogic.calculateUserAccountData`` returns; values in the oracle's base
    currency, averages in whole basis points, rounded down."""

    collateral: int
    debt: int
    ltv_bps: int
    liquidation_threshold_bps: int
    health_factor_wad: int
    has_zero_ltv_collateral: bool

    @property
    def is_liquidatable(self) -> bool:
        """Whether anybody may liquidate the account."""
        return self.health_factor_wad < WAD

    @property
    def available_borrows(self) -> int:
        """What may be borrowed on top. Mirror of ``calculateAvailableBorrows``."""
        return max(0, percent_mul(self.collateral, self.ltv_bps) - self.debt)


@dataclass(frozen=True, slots=True)
class AaveState:
    """An account at ``at`` (unix seconds), read at ``block``; indexes and debts follow the time.

    ``holdings`` are the reserves that it uses, and those that were asked for, by token. ``may_borrow``
    and ``may_liquidate`` are what the sequencer's sentinel allows.
    """

    pool: Address
    owner: Address
    block: BlockRef
    at: int
    holdings: Mapping[Address, Holding]
    emode: int
    emodes: Mapping[int, EMode]
    base_unit: int
    may_borrow: bool = True
    may_liquidate: bool = True

    @property
    def data(self) -> AccountData:
        """What ``getUserAccountData`` says at that time."""
        collateral = debt = weighted_ltv = weighted_threshold = 0
        has_zero_ltv = False
        for holding in self.holdings.values():
            config, position = holding.reserve.config, holding.position
            price = self.get_price(holding.reserve)
            if position.is_collateral and config.liquidation_threshold_bps:
                value = holding.reserve.get_value(holding.get_supplied(self.at), price)
                mode = self.get_mode(holding.reserve)
                collateral += value
                weighted_threshold += value * (mode or config).liquidation_threshold_bps
                if config.ltv_bps:
                    weighted_ltv += value * (mode or config).ltv_bps
                else:
                    has_zero_ltv = True
            if position.is_borrowing:
                debt += holding.reserve.get_value(holding.get_debt(self.at), price)
        threshold = weighted_threshold // collateral if collateral else 0
        return AccountData(
            collateral=collateral,
            debt=debt,
            ltv_bps=weighted_ltv // collateral if collateral else 0,
            liquidation_threshold_bps=threshold,
            health_factor_wad=wad_div(percent_mul(collateral, threshold), debt) if debt else MAX_UINT256,
            has_zero_ltv_collateral=has_zero_ltv,
        )

    def get_holding(self, token: Address) -> Holding:
        """Return the reserve of ``token`` and the position in it.

        Raises:
            InputError: it was not read with the account.
        """
        if token not in self.holdings:
            raise InputError(
                f"the account was read without {token}",
                needed="a reserve that it uses, or that was asked for",
                todo="Name the token when the account is read",
            )
        return self.holdings[token]

    def get_mode(self, reserve: Reserve) -> EMode | None:
        """Return the account's e-mode if the reserve is of it. Mirror of ``isInEModeCategory``."""
        return self.emodes[self.emode] if self.emode and reserve.config.emode == self.emode else None

    def get_price(self, reserve: Reserve) -> int:
        """Return the price that counts for this account: its e-mode's own, if it has one."""
        mode = self.get_mode(reserve)
        return mode.price if mode and mode.price else reserve.price

    def at_time(self, at: int) -> Self:
        """Return the account at a later time, when nobody has touched the market meanwhile.

        Raises:
            InputError: earlier than the account.
        """
        if at < self.at:
            raise InputError(f"an account at {self.at} asked for {at}", needed="the same time or a later one")
        return replace(self, at=at)

    def at_price(self, token: Address, price: int) -> Self:
        """Return the account when the oracle tells another price of ``token``, in its base currency."""
        holding = self.get_holding(token)
        return self.put(token, replace(holding, reserve=replace(holding.reserve, price=price)))

    def put(self, token: Address, holding: Holding) -> Self:
        """Return the account with another holding of ``token``."""
        return replace(self, holdings={**self.holdings, token: holding})
