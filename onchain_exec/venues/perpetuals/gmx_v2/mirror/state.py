"""GMX v2 as one value: markets, accounts with their positions, and the oracle's prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onchain_exec.core import Address, BlockRef, Token
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Cell, Market, Price, Prices
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import Discounts, GasRules, GlobalRules
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxContracts, OrderType, Position, Request
from onchain_exec.venues.perpetuals.was_read import get_read, require_not_before


@dataclass(frozen=True, slots=True)
class Holding:
    """What a position holds: dollars of 1e30 at entry, base units of the index token and of collateral, the
    impact of its trades that is still to be settled, and what it was last charged up to."""

    size: int = 0
    tokens: int = 0
    collateral: int = 0
    pending_impact: int = 0
    borrowing: int = 0
    fee_per_size: int = 0
    long_claimable_per_size: int = 0
    short_claimable_per_size: int = 0
    increased_at: int = 0
    decreased_at: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its positions, its discounts, and its orders that wait for a keeper."""

    owner: Address
    discounts: Discounts = field(default_factory=Discounts)
    holdings: Mapping[Position, Holding] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True)
class OraclePrice:
    """A token's signed price: dollars of 1e30 per base unit, at least and at most."""

    token: Token
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """What markets of one index token share: dollars and tokens sold to all of them."""

    usd: int
    tokens: int


@dataclass(frozen=True, slots=True)
class State:
    """All that was read at ``block``, as of ``at``, with the prices that a keeper is taken to use.

    Orders of the ``disabled`` kinds are not taken or not executed. Index tokens of one id in ``shared`` share
    one of the ``inventories``.
    """

    block: BlockRef
    at: int
    contracts: GmxContracts
    disabled: frozenset[OrderType]
    rules: GlobalRules
    gas: GasRules
    prices: Mapping[Address, OraclePrice]
    markets: Mapping[Address, Market]
    accounts: Mapping[Address, Account]
    shared: Mapping[Address, bytes]
    inventories: Mapping[bytes, Inventory]

    def seen_at(self, at: int) -> State:
        """Return the state at a later time, at the same prices.

        Raises:
            InputError: it is earlier.
        """
        require_not_before(self.at, at)
        return replace(self, at=at)

    def get_market(self, market: Address) -> Market:
        """Return a market, by its market token.

        Raises:
            InputError: it was not read.
        """
        return get_read("market", self.markets, market)

    def get_open_market(self, market: Address) -> Market:
        """Return a market that trades. Raises PoolRevertError: ``DisabledMarket``."""
        found = self.get_market(market)
        if not found.is_enabled:
            raise PoolRevertError("DisabledMarket", found=f"{market} is switched off")
        return found

    def require_enabled(self, kind: OrderType) -> None:
        """Refuse orders of a kind that is switched off. Raises PoolRevertError: ``DisabledFeature``."""
        if kind in self.disabled:
            raise PoolRevertError("DisabledFeature", found=f"{kind.name} is switched off")

    def get_account(self, owner: Address) -> Account:
        """Return an account.

        Raises:
            InputError: it was not read.
        """
        return get_read("account", self.accounts, owner)

    def get_holding(self, owner: Address, position: Position) -> Holding:
        """Return a position, an empty one where there is none."""
        return self.get_account(owner).holdings.get(position, Holding())

    def get_price(self, token: Address) -> OraclePrice:
        """Return a token's price.

        Raises:
            InputError: none was given.
        """
        if token not in self.prices:
            raise InputError(f"no price of {token}", needed="the oracle's signed price of each token")
        return self.prices[token]

    def get_prices(self, market: Market) -> Prices:
        """Return the prices of a market's tokens."""
        index, long, short = (
            Price(one.least, one.most)
            for token in (market.index_token, *market.tokens)
            for one in (self.get_price(token),)
        )
        return Prices(index, long, short)

    def get_inventory(self, market: Market) -> int | None:
        """Return what markets of this index token share, in dollars; None where they share nothing."""
        shared = self.inventories.get(self.shared.get(market.index_token, b""))
        if shared is None:
            return None
        if not self.rules.counts_tokens:
            return shared.usd
        return shared.tokens * self.get_prices(market).index.middle

    def with_market(self, market: Market) -> State:
        """Return the state with a market replaced; the pool that it shares is that of the others, too."""
        markets = {
            address: replace(other, shared_pool=market.shared_pool)
            if other.shared_pool_id == market.shared_pool_id
            else other
            for address, other in self.markets.items()
        }
        return replace(self, markets={**markets, market.address: market})

    def with_holding(self, owner: Address, position: Position, holding: Holding) -> State:
        """Return the state with a position replaced; it is gone where its size is 0."""
        account = self.get_account(owner)
        holdings = {**account.holdings, position: holding}
        if not holding.size:
            del holdings[position]
        accounts = {**self.accounts, owner: replace(account, holdings=holdings)}
        return replace(self, accounts=accounts)

    def with_interest(self, market: Market, cell: Cell, usd: int, tokens: int) -> State:
        """Return the state after a position's size changed, its market's open interest and the inventory that
        it shares with it. Mirror of ``PositionUtils.updateOpenInterest``."""
        state = self.with_market(market.with_interest(cell, usd, tokens))
        key = self.shared.get(market.index_token, b"")
        if not usd or key not in self.inventories:
            return state
        sign, old = -1 if cell.is_long else 1, self.inventories[key]
        if self.rules.counts_tokens:
            new = replace(old, tokens=old.tokens + sign * tokens)
        else:
            new = replace(old, usd=old.usd + sign * usd)
        return replace(state, inventories={**self.inventories, key: new})
