"""Orders of GMX v2 out of trades as every venue knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import MAX_UINT256, WAD, div_up
from onchain_exec.errors import InputError, UnsupportedOrderError
from onchain_exec.venues.perpetuals.gmx_v2 import scale
from onchain_exec.venues.perpetuals.gmx_v2.mirror.gas import get_execution_fee_wei
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import State
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxOrder, OrderType, Position, Terms


@dataclass(frozen=True, slots=True)
class OrderMaker:
    """How orders are made: see `GmxV2Venue`."""

    state: State
    leverage_wad: int
    gas_price_wei: int
    collateral: Mapping[Address, Address]

    def find_position(self, owner: Address, market: Address) -> Position:
        """Return the account's only position in a market.

        Raises:
            InputError: there is none, or there are several.
        """
        found = [one for one in self.state.get_account(owner).holdings if one.market == market]
        if len(found) != 1:
            raise InputError(
                f"{len(found)} positions of {owner} in {market}",
                needed="exactly one",
                todo="Make a GmxOrder of the one that is meant",
            )
        return found[0]

    def make_trade(self, owner: Address, market: Address, size_wad: int, bound_wad: int) -> GmxOrder:
        """Return the order that makes the opposite position smaller, or else adds to its own side.

        Raises:
            UnsupportedOrderError: it is larger than the opposite position.
        """
        found = self.state.get_market(market)
        index = self.state.get_price(found.index_token)
        tokens = abs(scale.size_from_wad(size_wad, index.token))
        if not tokens:
            raise InputError("a trade of no size", needed="a size above 0 to buy, below 0 to sell")
        buys, account = size_wad > 0, self.state.get_account(owner)
        held = [one for one in account.holdings if one.market == market]
        if any(one.is_long != buys for one in held):
            return self._make_decrease(owner, self.find_position(owner, market), tokens, bound_wad)
        usual = held[0].collateral_token if len(held) == 1 else found.short_token
        token = self.collateral.get(market, usual)
        size = tokens * (index.most if buys else index.least)
        amount = div_up(div_up(size * WAD, self.leverage_wad), self.state.get_price(token).least)
        terms = Terms(_get_bound(bound_wad, tokens, buys=buys))
        return self._pay(
            GmxOrder(OrderType.MARKET_INCREASE, Position(market, token, buys), size, amount, 0, terms)
        )

    def make_close(self, owner: Address, market: Address, bound_wad: int) -> GmxOrder:
        """Return the order that closes the account's only position in a market."""
        position = self.find_position(owner, market)
        tokens = self.state.get_holding(owner, position).tokens
        return self._make_decrease(owner, position, tokens, bound_wad)

    def _make_decrease(self, owner: Address, position: Position, tokens: int, bound_wad: int) -> GmxOrder:
        held = self.state.get_holding(owner, position)
        if tokens > held.tokens:
            raise UnsupportedOrderError(
                f"a trade of {tokens} base units beyond a position of {held.tokens}",
                needed="one order to close, and another one to open the other side",
            )
        terms = Terms(_get_bound(bound_wad, tokens, buys=not position.is_long))
        size = held.size * tokens // held.tokens
        return self._pay(GmxOrder(OrderType.MARKET_DECREASE, position, size, 0, 0, terms))

    def make_transfer(self, owner: Address, token: Address, market: Address, amount: int) -> GmxOrder:
        """Return the order without a size that adds collateral, or takes it out below 0."""
        position = self.find_position(owner, market)
        if token != position.collateral_token:
            raise InputError(f"{token} is no collateral of the position", needed=position.collateral_token)
        kind = OrderType.MARKET_INCREASE if amount > 0 else OrderType.MARKET_DECREASE
        buys = position.is_long == (amount > 0)
        return self._pay(GmxOrder(kind, position, 0, abs(amount), 0, Terms(MAX_UINT256 if buys else 0)))

    def _pay(self, order: GmxOrder) -> GmxOrder:
        return replace(
            order, execution_fee_wei=get_execution_fee_wei(self.state.gas, order, self.gas_price_wei)
        )


def _get_bound(bound_wad: int, tokens: int, *, buys: bool) -> int:
    """Return the acceptable price of a bound of money; any price is of none."""
    if not bound_wad:
        return MAX_UINT256 if buys else 0
    return scale.bound_to_price(bound_wad, tokens, buys=buys)
