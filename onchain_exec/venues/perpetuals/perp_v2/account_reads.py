"""Reads of accounts: what they hold, their positions and orders, and the collateral behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onchain_exec.core import ZERO_ADDRESS, Address, Reading, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.erc20 import BALANCE_OF, read_token
from onchain_exec.venues.perpetuals.perp_v2 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v2.history_reads import read_price_feed
from onchain_exec.venues.perpetuals.perp_v2.mirror.orders import Order, RangeGrowth, sort_orders
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Account, Collateral, Contracts, Position


@dataclass(frozen=True, slots=True)
class Holdings:
    """Which markets an account is in, and which tokens besides the settlement token it has pledged."""

    owner: Address
    base_tokens: tuple[Address, ...]
    tokens: tuple[Address, ...]


def read_holdings(contracts: Contracts, owner: Address) -> Reading[Holdings]:
    """Read where an account is invested.

    Raises:
        InputError: other contracts stand there.
    """
    base_tokens, tokens = yield from ask_one_value_each(
        [
            Ask(contracts.account_balance, abi.GET_BASE_TOKENS, (owner,)),
            Ask(contracts.vault, abi.GET_COLLATERAL_TOKENS, (owner,)),
        ]
    )
    return Holdings(owner, tuple(map(to_address, base_tokens)), tuple(map(to_address, tokens)))


def read_account(
    contracts: Contracts, holdings: Holdings, kinds: Sequence[Address], base_tokens: Sequence[Address]
) -> Reading[Account]:
    """Read an account: its balances of ``kinds``, the settlement token first, and its fee in all markets.

    Raises:
        InputError: as `read_holdings`, or a base token of no market.
    """
    owner, vault = holdings.owner, contracts.vault
    settlement, *others = kinds
    ((owed_pnl, _, _), (threshold,), *balances) = yield from ask_each(
        [
            Ask(contracts.account_balance, abi.GET_PNL, (owner,)),
            Ask(contracts.collateral_manager, abi.GET_DEBT_THRESHOLD, (owner,)),
            *(Ask(vault, abi.GET_BALANCE_BY_TOKEN, (owner, token)) for token in (settlement, *others)),
        ]
    )
    (balance,), *pledged = balances
    registry = contracts.market_registry
    infos = yield from ask_one_value_each(
        [Ask(registry, abi.GET_MARKET_INFO_BY_TRADER, (owner, base)) for base in base_tokens]
    )
    positions = {}
    for base in holdings.base_tokens:
        positions[base] = yield from _read_position(contracts, owner, base)
    return Account(
        owner=owner,
        owed_pnl_wad=owed_pnl,
        balance=balance,
        collateral={token: amount for token, (amount,) in zip(others, pledged, strict=True) if amount},
        positions=positions,
        fee_pips={base: info[1] for base, info in zip(base_tokens, infos, strict=True)},
        debt_threshold=threshold,
    )


def read_collateral(contracts: Contracts, token: Address, now: int) -> Reading[Collateral]:
    """Read a token that the vault takes.

    Raises:
        InputError: it does not take this one, or its feed is not a ``ChainlinkPriceFeedV3``.
    """
    (feed, ratio, discount, cap), held = yield from ask_one_value_each(
        [
            Ask(contracts.collateral_manager, abi.GET_COLLATERAL_CONFIG, (token,)),
            Ask(token, BALANCE_OF, (contracts.vault,)),
        ]
    )
    if to_address(feed) == ZERO_ADDRESS:
        raise InputError(f"the vault does not take {token}", needed="a token of its CollateralManager")
    described = yield from read_token(token)
    price_feed = yield from read_price_feed(to_address(feed), now)
    return Collateral(described, ratio, discount, cap, held, price_feed)


def find_ticks(base_token: Address, accounts: Iterable[Account], extra: Sequence[int]) -> tuple[int, ...]:
    """Return the ends of the ranges of the accounts' orders in a market, and ``extra`` ones."""
    orders = [order for account in accounts for order in account.get_position(base_token).orders]
    ends = [tick for order in orders for tick in (order.tick_lower, order.tick_upper)]
    return tuple(dict.fromkeys((*ends, *extra)))


def _read_position(contracts: Contracts, owner: Address, base_token: Address) -> Reading[Position]:
    (size, open_notional, last_growth), ids = yield from ask_one_value_each(
        [
            Ask(contracts.account_balance, abi.GET_ACCOUNT_INFO, (owner, base_token)),
            Ask(contracts.order_book, abi.GET_ORDER_IDS, (owner, base_token)),
        ]
    )
    rows = yield from ask_one_value_each([Ask(contracts.order_book, abi.GET_ORDER, (one,)) for one in ids])
    orders = sort_orders(
        Order(lower, upper, liquidity, fee, RangeGrowth(inside, below, inside_div), base_debt, quote_debt)
        for liquidity, lower, upper, fee, inside, below, inside_div, base_debt, quote_debt in rows
    )
    return Position(size, open_notional, last_growth, orders)
