"""The perpetuals market, its accounts and what is behind it as one value. Everything is in 1e18."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from onchain_exec.core import Address, BlockRef
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.decimals import div_d, mul_d
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.market import Market
from onchain_exec.venues.perpetuals.was_read import get_read, require_not_before

_YEAR_S: Final = 31_557_600


@dataclass(frozen=True, slots=True)
class Position:
    """A position: its size, and the price, funding value and interest that it was last settled at."""

    size: int
    price: int
    funding: int
    interest: int


class Order(NamedTuple):
    """An order that waits to be settled."""

    market: int
    size: int
    strategy_id: int
    acceptable_price: int
    committed_at: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account. ``usd`` is its snxUSD; ``others`` counts its other collaterals, worth ``others_value``, and
    ``others_discounted`` as margin. ``positions`` are in the contract's order."""

    id: int
    owner: Address
    usd: int = 0
    debt: int = 0
    others: int = 0
    others_value: int = 0
    others_discounted: int = 0
    positions: Mapping[int, Position] = field(default_factory=dict)
    order: Order | None = None
    is_flagged: bool = False

    @property
    def value(self) -> int:
        """The collateral, not discounted. Mirror of ``getTotalCollateralValue``."""
        return self.usd + self.others_value

    def with_position(self, market: int, position: Position) -> Account:
        """Return the account after a position changed; where its size is 0, the last one takes its place, as
        in ``SetUtil``."""
        positions = {**self.positions, market: position}
        if position.size:
            return replace(self, positions=positions)
        *others, last = positions
        kept = (last if one == market else one for one in others)
        return replace(self, positions={one: positions[one] for one in kept})

    def charged(self, amount: int) -> Account:
        """Return the account after a gain, or a loss below 0. Mirror of ``PerpsAccount.charge``."""
        if amount > 0:
            paid = min(amount, self.debt)
            return replace(self, debt=self.debt - paid, usd=self.usd + amount - paid)
        paid = min(-amount, self.usd)
        return replace(self, usd=self.usd - paid, debt=self.debt - amount - paid)


class InterestRules(NamedTuple):
    """How the yearly rate rises with utilisation: one gradient until the breakpoint, another beyond."""

    low_gradient: int
    breakpoint: int
    high_gradient: int

    def get_rate(self, utilisation: int) -> int:
        """Return the yearly rate. Mirror of ``currentInterestRate``."""
        low = min(utilisation, self.breakpoint)
        return (mul_d(self.low_gradient, low) + mul_d(self.high_gradient, utilisation - low)) * 100


class Interest(NamedTuple):
    """What one dollar of locked open interest owes since ever, at which yearly rate, and since when."""

    accrued: int
    rate: int
    at: int

    def get_accrued(self, at: int) -> int:
        """Return what it owes now. Mirror of ``calculateNextInterest``."""
        return self.accrued + mul_d(self.rate, div_d(at - self.at, _YEAR_S))


class KeeperRules(NamedTuple):
    """What keepers are paid: at least and at most, as share of their cost and of the margin."""

    least: int
    profit_ratio: int
    most: int
    scaling_ratio: int

    def get_reward(self, rewards: int, cost: int, margin: int) -> int:
        """Return what a keeper gets. Mirror of ``keeperReward``."""
        least = max(cost + self.least, mul_d(cost, self.profit_ratio + WAD))
        most = min(mul_d(margin, self.scaling_ratio), self.most) if margin else self.most
        return min(max(least, rewards + cost), most)


@dataclass(frozen=True, slots=True)
class KeeperCosts:
    """What a keeper's gas costs; ``flag`` by the number of feeds that it updates."""

    settle: int
    liquidate: int
    flag: tuple[int, ...]

    def get_flag(self, feeds: int) -> int:
        """Return the cost of flagging an account.

        Raises:
            InputError: of more feeds than were asked about.
        """
        if feeds >= len(self.flag):
            raise InputError(f"{feeds} feeds of an account", needed=f"{len(self.flag) - 1} at most")
        return self.flag[feeds]


@dataclass(frozen=True, slots=True)
class Pool:
    """What is behind all markets: ``withdrawable`` of the liquidity providers, traders' collateral among it,
    snxUSD among that, of which there may be ``max_usd``, and the credit that markets lock which were not
    read."""

    withdrawable: int
    collateral: int
    usd: int
    max_usd: int
    other_credit: int

    @property
    def delegated(self) -> int:
        """What the providers delegated. Mirror of ``getDelegatedCollateralValue``."""
        return self.withdrawable - self.collateral


@dataclass(frozen=True, slots=True)
class State:
    """The market at ``block``, as of ``at``, for the accounts and markets that were read, by their ids."""

    block: BlockRef
    at: int
    proxy: Address
    usd: Address
    is_open: bool
    max_positions: int
    max_collaterals: int
    liquidation_reward: int
    keeper_rules: KeeperRules
    keeper_costs: KeeperCosts
    interest_rules: InterestRules
    interest: Interest
    pool: Pool
    markets: Mapping[int, Market]
    accounts: Mapping[int, Account]

    def seen_at(self, at: int) -> State:
        """Return the state at a later time.

        Raises:
            InputError: it is earlier.
        """
        require_not_before(self.at, at)
        return replace(self, at=at)

    def get_market(self, market: int) -> Market:
        """Return a market.

        Raises:
            InputError: it was not read.
        """
        return get_read("market", self.markets, market, lambda one: f"{one.symbol} ({one.id})")

    def get_account(self, account: int) -> Account:
        """Return an account.

        Raises:
            InputError: it was not read.
        """
        return get_read("account", self.accounts, account)

    def with_market(self, market: Market) -> State:
        """Return the state with a market replaced."""
        return replace(self, markets={**self.markets, market.id: market})

    def with_account(self, account: Account) -> State:
        """Return the state with an account replaced, and its snxUSD in the sum of all collateral."""
        change = account.usd - self.accounts[account.id].usd
        pool = replace(self.pool, collateral=self.pool.collateral + change, usd=self.pool.usd + change)
        return replace(self, pool=pool, accounts={**self.accounts, account.id: account})

    def with_cash(self, amount: int) -> State:
        """Return the state after dollars came in, or went out below 0."""
        return replace(self, pool=replace(self.pool, withdrawable=self.pool.withdrawable + amount))

    @property
    def locked_credit(self) -> int:
        """What all open interest locks. Mirror of ``minimumCredit``."""
        locked = sum(one.rules.get_credit(one.size, one.price) for one in self.markets.values())
        return locked + self.pool.other_credit

    @property
    def utilisation(self) -> int:
        """The share of the providers' collateral that is locked. Mirror of ``utilizationRate``."""
        if self.pool.delegated <= 0:
            return WAD
        return min(WAD, div_d(self.locked_credit, self.pool.delegated))

    def with_interest(self) -> State:
        """Return the state with interest recorded until now, at a new rate. ``InterestRate.update``."""
        if not any(self.interest_rules):
            return replace(self, interest=self.interest._replace(rate=0))
        rate = self.interest_rules.get_rate(self.utilisation)
        return replace(self, interest=Interest(self.interest.get_accrued(self.at), rate, self.at))

    def require_credit(self, change: int) -> None:
        """Refuse to lock more credit than the providers have delegated. ``validateMarketCapacity``.

        Raises:
            PoolRevertError: ``ExceedsMarketCreditCapacity``.
        """
        if self.pool.delegated < self.locked_credit + change:
            raise PoolRevertError(
                "ExceedsMarketCreditCapacity",
                found=f"{(self.locked_credit + change) / WAD:.2f} USD of credit locked",
                needed=f"{self.pool.delegated / WAD:.2f} USD at most",
            )

    def require_open(self) -> None:
        """Refuse while the system is switched off.

        Raises:
            PoolRevertError: ``FeatureUnavailable``.
        """
        if not self.is_open:
            raise PoolRevertError("FeatureUnavailable", found="perpsSystem is switched off")
