"""A GMX v2 market: its settings, pools and open interest, and what follows from them. ``MarketUtils``.

Dollars and factors are in 1e30; amounts in base units; a price is dollars of 1e30 per base unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from onchain_exec.core import Address
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT, apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import (
    BorrowingRules,
    FundingRules,
    ImpactRules,
    OpenInterest,
)

T = TypeVar("T")


class BySide(NamedTuple, Generic[T]):
    """What longs and shorts have apart."""

    longs: T
    shorts: T

    def of(self, is_long: bool) -> T:
        """Return one side's."""
        return self.longs if is_long else self.shorts

    def having(self, is_long: bool, value: T) -> BySide[T]:
        """Return both with one side's replaced."""
        return self._replace(longs=value) if is_long else self._replace(shorts=value)


class Price(NamedTuple):
    """What the oracle says of a token: at least and at most."""

    least: int
    most: int

    @property
    def middle(self) -> int:
        """Their mean, rounded down. Mirror of ``midPrice``."""
        return (self.least + self.most) // 2

    def pick(self, maximize: bool) -> int:
        """Return one of both. Mirror of ``pickPrice``."""
        return self.most if maximize else self.least


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a market's index token and of the two tokens of its pool."""

    index: Price
    long: Price
    short: Price


@dataclass(frozen=True, slots=True)
class SwapRules:
    """A market's settings for swaps of its two tokens; ``max_pool`` by token, what traders may have won at
    most by side while a token comes in or goes out."""

    impact: ImpactRules
    fee_if_worse: int
    fee_if_better: int
    max_pool: Mapping[Address, int]
    max_pnl_for_deposits: BySide[int]
    max_pnl_for_withdrawals: BySide[int]


@dataclass(frozen=True, slots=True)
class Rules:
    """A market's settings, as the DataStore has them."""

    swap: SwapRules
    impact: ImpactRules
    max_positive_impact: int
    max_negative_impact: int
    max_impact_for_liquidations: int
    max_lendable_factor: int
    max_lendable_usd: int
    impact_distribution_rate: int
    min_impact_pool: int
    funding: FundingRules
    borrowing: BySide[BorrowingRules]
    reserve: BySide[int]
    open_interest_reserve: BySide[int]
    max_open_interest: BySide[int]
    max_pnl_for_traders: BySide[int]
    min_collateral_per_interest: BySide[int]
    min_collateral: int
    min_collateral_for_liquidation: int
    fee_if_worse: int
    fee_if_better: int
    liquidation_fee: int

    def cap_positive_impact(self, impact: int, size: int) -> int:
        """Return an impact, a positive one within its share of the size.

        Mirror of ``capPositiveImpactUsdByMaxPositionImpact``.
        """
        most = min(self.max_positive_impact, self.max_negative_impact)
        return impact if impact < 0 else min(impact, apply_factor(size, most))


class Cell(NamedTuple):
    """A token as collateral on one side."""

    token: Address
    is_long: bool


@dataclass(frozen=True, slots=True)
class Market:
    """A market at one moment; ``pool`` by token, and what `Cell`s have apart by cell. Markets of one
    ``shared_pool_id`` count their long and their short tokens together, in ``shared_pool``."""

    address: Address
    index_token: Address
    long_token: Address
    short_token: Address
    is_enabled: bool
    rules: Rules
    pool: Mapping[Address, int]
    interest: Mapping[Cell, int]
    interest_in_tokens: Mapping[Cell, int]
    collateral: Mapping[Cell, int]
    max_collateral: Mapping[Cell, int]
    fee_per_size: Mapping[Cell, int]
    claimable_per_size: Mapping[Cell, int]
    saved_funding: int
    funded_at: int
    borrowing: BySide[int]
    borrowed_at: BySide[int]
    total_borrowing: BySide[int]
    impact_pool: int
    lent_impact: int
    pending_impact: int
    impact_distributed_at: int
    swap_impact_pool: Mapping[Address, int]
    shared_pool_id: bytes
    shared_pool: BySide[int] | None

    @property
    def tokens(self) -> tuple[Address, Address]:
        """The pool's tokens; the same twice in a market of a single token."""
        return self.long_token, self.short_token

    @property
    def divisor(self) -> int:
        """By what a single token's amounts are halved. Mirror of ``getPoolDivisor``."""
        return 2 if self.long_token == self.short_token else 1

    def require_collateral(self, token: Address) -> None:
        """Refuse a token that is none of the pool's. Raises PoolRevertError."""
        if token not in self.tokens:
            raise PoolRevertError(
                "InvalidCollateralTokenForMarket", found=f"{token}", needed=f"one of {self.tokens}"
            )

    def get_pnl_token(self, is_long: bool) -> Address:
        """Return in what a side's profits are paid."""
        return self.long_token if is_long else self.short_token

    def get_price(self, token: Address, prices: Prices) -> Price:
        """Return the price of one of the pool's tokens. Mirror of ``getCachedTokenPrice``."""
        if token not in self.tokens:
            raise InputError(f"{token} is no collateral of {self.address}", needed=f"one of {self.tokens}")
        return prices.long if token == self.long_token else prices.short

    def get_pool(self, token: Address) -> int:
        """Return what of a token is in the pool for one side."""
        return self.pool[token] // self.divisor

    def get_pool_usd(self, is_long: bool, prices: Prices) -> int:
        """Return what backs a side, at least. Mirror of ``getPoolUsdWithoutPnl``."""
        return self.get_pool(self.get_pnl_token(is_long)) * self._get_pnl_price(is_long, prices).least

    def sum_cells(self, cells: Mapping[Cell, int], is_long: bool) -> int:
        """Return a side's sum over both tokens."""
        return sum(cells[Cell(token, is_long)] // self.divisor for token in self.tokens)

    def get_interest(self, is_long: bool) -> int:
        """Return a side's open interest in dollars."""
        return self.sum_cells(self.interest, is_long)

    def get_balance(self, middle: int, in_tokens: bool) -> OpenInterest:
        """Return the open interests whose balance decides. Mirror of ``getOpenInterestForBalance``."""
        if not in_tokens:
            return OpenInterest(self.get_interest(True), self.get_interest(False))
        longs, shorts = (self.sum_cells(self.interest_in_tokens, side) for side in (True, False))
        return OpenInterest(longs * middle, shorts * middle)

    def get_reserved(self, is_long: bool, prices: Prices) -> int:
        """Return the dollars that a side may win at most. Mirror of ``getReservedUsd``."""
        if is_long:
            return self.sum_cells(self.interest_in_tokens, True) * prices.index.most
        return self.get_interest(False)

    def get_pnl(self, is_long: bool, price: int) -> int:
        """Return what a side has won at an index price. Mirror of ``getPnl``."""
        cost, tokens = self.get_interest(is_long), self.sum_cells(self.interest_in_tokens, is_long)
        if not cost or not tokens:
            return 0
        return tokens * price - cost if is_long else cost - tokens * price

    def get_lendable(self, prices: Prices) -> int:
        """Return what the pool may still lend to the impact pool. ``getMaxLendableUsdAvailable``."""
        long_usd = self.get_pool(self.long_token) * prices.long.least
        short_usd = self.get_pool(self.short_token) * prices.short.least
        most = apply_factor(long_usd + short_usd, self.rules.max_lendable_factor)
        return max(0, min(most, self.rules.max_lendable_usd) - self.lent_impact * prices.index.most)

    def require_reserve(self, is_long: bool, prices: Prices) -> None:
        """Refuse a pool that cannot pay the open interest. Raises PoolRevertError."""
        self._require_reserve("InsufficientReserve", self.rules.reserve, is_long, prices)

    def require_open_interest_reserve(self, is_long: bool, prices: Prices) -> None:
        """Refuse more open interest than the pool may have. Raises PoolRevertError."""
        factors = self.rules.open_interest_reserve
        self._require_reserve("InsufficientReserveForOpenInterest", factors, is_long, prices)

    def with_pool(self, token: Address, change: int) -> Market:
        """Return the market after a token came into the pool. Mirror of ``applyDeltaToPoolAmount``."""
        if self.pool[token] + change < 0:
            raise PoolRevertError(
                "Invalid state, negative poolAmount", found=f"{self.pool[token]} in the pool"
            )
        market = replace(self, pool={**self.pool, token: self.pool[token] + change})
        if self.shared_pool is None:
            return market
        is_long = token == self.long_token
        shared = self.shared_pool.having(is_long, max(0, self.shared_pool.of(is_long) + change))
        return replace(market, shared_pool=shared)

    def with_swap_impact_pool(self, token: Address, change: int) -> Market:
        """Return the market after its swaps' impact pool of a token changed, to 0 at the least."""
        left = max(0, self.swap_impact_pool[token] + change)
        return replace(self, swap_impact_pool={**self.swap_impact_pool, token: left})

    def with_impact_pool(self, change: int) -> Market:
        """Return the market after the impact pool grew: it pays back first what was lent to it, and where it
        is empty it is lent more. Mirror of ``applyDeltaToPositionImpactPool``."""
        net = self.impact_pool + change if change < 0 else change - self.lent_impact
        if change < 0:
            return replace(self, impact_pool=max(0, net), lent_impact=self.lent_impact + max(0, -net))
        return replace(self, impact_pool=self.impact_pool + max(0, net), lent_impact=max(0, -net))

    def with_collateral(self, cell: Cell, change: int) -> Market:
        """Return the market after collateral came in. Mirror of ``applyDeltaToCollateralSum``.

        Raises:
            PoolRevertError: ``MaxCollateralSumExceeded``.
        """
        collateral = _add(self.collateral, cell, change, "collateralSum")
        if collateral[cell] > self.max_collateral[cell]:
            raise PoolRevertError(
                "MaxCollateralSumExceeded",
                found=f"{collateral[cell]} of {cell.token} as collateral",
                needed=f"{self.max_collateral[cell]} at most",
            )
        return replace(self, collateral=collateral)

    def with_interest(self, cell: Cell, usd: int, tokens: int) -> Market:
        """Return the market after a position's size changed. Mirror of ``updateOpenInterest``.

        Raises:
            PoolRevertError: ``MaxOpenInterestExceeded``.
        """
        if not usd:
            return self
        market = replace(
            self,
            interest=_add(self.interest, cell, usd, "open interest"),
            interest_in_tokens=_add(self.interest_in_tokens, cell, tokens, "open interest in tokens"),
        )
        found, most = market.get_interest(cell.is_long), self.rules.max_open_interest.of(cell.is_long)
        if usd > 0 and found > most:
            raise PoolRevertError(
                "MaxOpenInterestExceeded",
                found=f"{found / FLOAT:.2f} USD of open interest",
                needed=f"{most / FLOAT:.2f} USD at most",
            )
        return market

    def _require_reserve(self, reason: str, factors: BySide[int], is_long: bool, prices: Prices) -> None:
        reserved = self.get_reserved(is_long, prices)
        most = apply_factor(self.get_pool_usd(is_long, prices), factors.of(is_long))
        if reserved > most:
            raise PoolRevertError(
                reason,
                found=f"{reserved / FLOAT:.2f} USD reserved",
                needed=f"{most / FLOAT:.2f} USD at most",
            )

    def _get_pnl_price(self, is_long: bool, prices: Prices) -> Price:
        return prices.long if is_long else prices.short


def _add(cells: Mapping[Cell, int], cell: Cell, change: int, name: str) -> dict[Cell, int]:
    if cells[cell] + change < 0:
        raise PoolRevertError(f"Invalid state: negative {name}", found=f"{cells[cell]}, less {-change}")
    return {**cells, cell: cells[cell] + change}
