"""Everything that the exchange's next decision on some accounts depends on, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onchain_exec.core import Address, BlockRef, Token
from onchain_exec.errors import InputError
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Market, Rules
from onchain_exec.venues.perpetuals.perp_v2.mirror.orders import Order
from onchain_exec.venues.perpetuals.perp_v2.mirror.twaps import PriceFeed
from onchain_exec.venues.perpetuals.was_read import get_read, require_not_before


@dataclass(frozen=True, slots=True)
class Position:
    """What an account has in a market, in 1e18: the taker's size (negative: short) and open notional (what
    was paid for it, negated), the funding growth it was settled at, and its orders as a maker."""

    size: int = 0
    open_notional: int = 0
    last_growth_x96: int = 0
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account's books. ``owed_pnl_wad`` is realised and not yet in its balance; ``balance`` counts base
    units of the settlement token and may be negative; ``fee_pips`` is its fee by market; a debt beyond
    ``debt_threshold`` (base units) puts its collateral up for sale."""

    owner: Address
    owed_pnl_wad: int
    balance: int
    collateral: Mapping[Address, int]
    positions: Mapping[Address, Position]
    fee_pips: Mapping[Address, int]
    debt_threshold: int

    def get_position(self, base_token: Address) -> Position:
        """Return its position in a market, an empty one where it has none."""
        return self.positions.get(base_token, Position())

    def with_position(self, base_token: Address, position: Position) -> Account:
        """Return the account with a position in place of what it had; it is registered in the market."""
        return replace(self, positions={**self.positions, base_token: position})

    def with_pnl(self, pnl_wad: int) -> Account:
        """Return the account with more realised. Mirror of ``AccountBalance._modifyOwedRealizedPnl``."""
        return replace(self, owed_pnl_wad=self.owed_pnl_wad + pnl_wad)


@dataclass(frozen=True, slots=True)
class Collateral:
    """A token that the vault takes besides the settlement token. ``vault_balance`` is what it holds in all,
    up to ``deposit_cap``; ``feed`` tells dollars."""

    token: Token
    ratio_pips: int
    discount_pips: int
    deposit_cap: int
    vault_balance: int
    feed: PriceFeed


@dataclass(frozen=True, slots=True)
class VaultRules:
    """What ``CollateralManager`` sets: ratios in pips, amounts in base units of the settlement token."""

    max_tokens_per_account: int
    maintenance_buffer_pips: int
    debt_ratio_pips: int
    liquidation_ratio_pips: int
    insurance_fund_fee_pips: int
    dust: int


@dataclass(frozen=True, slots=True)
class Contracts:
    """Where the exchange stands; the rest is read from its clearing house."""

    clearing_house: Address
    config: Address
    vault: Address
    exchange: Address
    order_book: Address
    account_balance: Address
    insurance_fund: Address
    collateral_manager: Address
    market_registry: Address


@dataclass(frozen=True, slots=True)
class State:
    """The exchange at ``block``, seen at ``at`` (unix seconds, the block's time or later).

    ``markets`` by base token; ``accounts`` by owner, the insurance fund among them. What is not here was not
    read. Changes give a new state; this one stays.
    """

    block: BlockRef
    at: int
    contracts: Contracts
    rules: Rules
    vault_rules: VaultRules
    settlement: Token
    settlement_in_vault: int
    insurance_wallet: int
    paused: bool
    markets: Mapping[Address, Market]
    collateral: Mapping[Address, Collateral]
    accounts: Mapping[Address, Account] = field(default_factory=dict)

    def get_market(self, base_token: Address) -> Market:
        """Return a market.

        Raises:
            InputError: none was read with that base token.
        """
        return get_read("market", self.markets, base_token, lambda one: f"{one.symbol} ({one.base_token})")

    def get_account(self, owner: Address) -> Account:
        """Return an account.

        Raises:
            InputError: it was not read.
        """
        return get_read("account", self.accounts, owner)

    def get_collateral(self, token: Address) -> Collateral:
        """Return a collateral token.

        Raises:
            InputError: the vault does not take it, or it was not read.
        """
        if token not in self.collateral:
            known = ", ".join(str(c.token) for c in self.collateral.values())
            raise InputError(f"{token} is no collateral", needed=f"{self.settlement}, {known}")
        return self.collateral[token]

    def with_market(self, market: Market) -> State:
        """Return the state with a market in place of what it was."""
        return replace(self, markets={**self.markets, market.base_token: market})

    def with_account(self, account: Account) -> State:
        """Return the state with an account in place of what it was."""
        return replace(self, accounts={**self.accounts, account.owner: account})

    def with_collateral(self, collateral: Collateral) -> State:
        """Return the state with a collateral token in place of what it was."""
        return replace(self, collateral={**self.collateral, collateral.token.address: collateral})

    def seen_at(self, at: int) -> State:
        """Return the state at a later time.

        Raises:
            InputError: ``at`` lies before.
        """
        require_not_before(self.at, at)
        return replace(self, at=at)

    def to_wad(self, amount: int) -> int:
        """Return base units of the settlement token in 1e18."""
        return int(amount * 10 ** (18 - self.settlement.decimals))

    def to_units(self, amount_wad: int) -> int:
        """Return 1e18 in base units of the settlement token, rounded down for both signs."""
        return signed.to_base_units_floor(amount_wad, self.settlement.decimals)
