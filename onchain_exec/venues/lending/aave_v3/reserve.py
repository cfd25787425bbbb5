"""A reserve at one time: its indexes, debts and rates, as ``ReserveLogic`` moves them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onchain_exec.core import Address, Token
from onchain_exec.venues.lending.aave_v3.configuration import ReserveConfig
from onchain_exec.venues.lending.aave_v3.rates import Borrowed, RateStrategy
from onchain_exec.venues.lending.aave_v3.ray_math import (
    get_compound_interest,
    get_linear_interest,
    percent_mul,
    ray_div,
    ray_mul,
)


@dataclass(frozen=True, slots=True)
class StableDebt:
    """Loans at fixed rates, of all or of one account: their principal as of ``updated_at``, in base units."""

    principal: int
    rate_ray: int
    updated_at: int

    def get_total(self, at: int) -> int:
        """Return the debt with interest. Mirror of ``StableDebtToken.balanceOf`` and ``totalSupply``."""
        return ray_mul(self.principal, get_compound_interest(self.rate_ray, at - self.updated_at))


@dataclass(frozen=True, slots=True)
class Reserve:
    """One asset of the pool as of ``updated_at`` (unix seconds).

    ``supplied_scaled`` and ``borrowed_scaled`` are all accounts' aTokens and variable debt, divided by
    the indexes; ``liquidity`` is what the aToken holds, in base units. ``price`` is the oracle's, in
    its base currency per whole token. ``isolated_debt`` is in cents.
    """

    token: Token
    config: ReserveConfig
    strategy: RateStrategy
    price: int
    a_token: Address
    debt_token: Address
    updated_at: int
    liquidity_index_ray: int
    liquidity_rate_ray: int
    borrow_index_ray: int
    borrow_rate_ray: int
    supplied_scaled: int
    borrowed_scaled: int
    stable: StableDebt
    liquidity: int
    treasury_scaled: int
    unbacked: int
    isolated_debt: int

    def get_income_ray(self, at: int) -> int:
        """Return what a supplied unit has become. Mirror of ``getNormalizedIncome``."""
        return ray_mul(
            get_linear_interest(self.liquidity_rate_ray, at - self.updated_at), self.liquidity_index_ray
        )

    def get_debt_ray(self, at: int) -> int:
        """Return what a unit of variable debt has become. Mirror of ``getNormalizedDebt``."""
        return ray_mul(
            get_compound_interest(self.borrow_rate_ray, at - self.updated_at), self.borrow_index_ray
        )

    def accrue(self, at: int) -> Reserve:
        """Return the reserve with all interest up to ``at``. Mirror of ``updateState``."""
        if at == self.updated_at:
            return self
        income, debt = self.get_income_ray(at), self.borrow_index_ray
        if self.borrowed_scaled:  # without a borrower the index stands still
            debt = self.get_debt_ray(at)
        minted = percent_mul(self._get_accrued(debt, at), self.config.reserve_factor_bps)
        return replace(
            self,
            updated_at=at,
            liquidity_index_ray=income,
            borrow_index_ray=debt,
            treasury_scaled=self.treasury_scaled + ray_div(minted, income),
        )

    def refresh_rates(self, *, added: int = 0, taken: int = 0) -> Reserve:
        """Return the reserve with the rates that follow when base units are added to or taken from what
        it holds; its ``liquidity`` stays. Mirror of ``updateInterestRates``; call it on an accrued one.

        Raises:
            PoolRevertError: more is taken than is there.
        """
        borrowed = Borrowed(
            variable=ray_mul(self.borrowed_scaled, self.borrow_index_ray),
            stable=self.stable.get_total(self.updated_at),
            stable_rate_ray=self.stable.rate_ray,
            liquidity=self.liquidity + added - taken,
            unbacked=self.unbacked,
        )
        earned, paid = self.strategy.get_rates(borrowed, self.config.reserve_factor_bps)
        return replace(self, liquidity_rate_ray=earned, borrow_rate_ray=paid)

    def get_value(self, amount: int, price: int | None = None) -> int:
        """Return base units in the oracle's base currency, rounded down."""
        return amount * (self.price if price is None else price) // self.config.unit

    def _get_accrued(self, debt_ray: int, at: int) -> int:
        """Return the interest of all debts since the last update. Mirror of ``_accrueToTreasury``."""
        variable = ray_mul(self.borrowed_scaled, debt_ray)
        variable -= ray_mul(self.borrowed_scaled, self.borrow_index_ray)
        return variable + self.stable.get_total(at) - self.stable.get_total(self.updated_at)
