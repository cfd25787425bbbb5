"""Synthetix v3's perpetuals as a `TwoPhaseVenue`: cross margin in snxUSD, funding by the second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from onchain_exec.core import Address, Call
from onchain_exec.core.fixed_point import MAX_UINT256, WAD, div_trunc, div_up
from onchain_exec.errors import InputError, UnsupportedOrderError
from onchain_exec.venues.perpetuals.decimals import mul_d
from onchain_exec.venues.perpetuals.liquidation_price import find_liquidation_price
from onchain_exec.venues.perpetuals.synthetix_v3 import actions
from onchain_exec.venues.perpetuals.synthetix_v3.actions import get_market_address, get_market_id
from onchain_exec.venues.perpetuals.synthetix_v3.mirror import margin
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.liquidation import liquidate
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.market import Market
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.orders import (
    Settled,
    commit,
    get_window,
    modify_collateral,
    settle,
)
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import Account, Order, Position, State
from onchain_exec.venues.perpetuals.venue import (
    AccountState,
    Funding,
    MarketState,
    PositionState,
    Preview,
    TradeRequest,
)

_DAY_S: Final = 86_400
_PIPS_WAD: Final = WAD // 10**6


@dataclass(frozen=True, slots=True)
class SynthetixV3Venue:
    """The market as `read_synthetix_v3` found it; all of `State` is open to who needs more than the protocol.

    Markets are named by `get_market_address` of their ids; an owner has one of the accounts that were read.
    A trade is committed at the venue's time and settled as soon as its strategy lets, at the index; the
    venue after it is seen at that time. Deadlines are not kept: an order expires with its window.
    """

    kind: ClassVar[str] = "synthetix_v3"
    is_two_phase: ClassVar[bool] = True

    state: State

    @property
    def at(self) -> int:
        """The time that it is seen at."""
        return self.state.at

    @property
    def markets(self) -> tuple[MarketState, ...]:
        """The markets that were read."""
        return tuple(self._describe(market) for market in self.state.markets.values())

    def seen_at(self, at: int) -> SynthetixV3Venue:
        """Return the venue at a later time, at the same prices. Raises InputError if it is earlier."""
        return SynthetixV3Venue(self.state.seen_at(at))

    def with_index(self, market: Address, price_wad: int) -> SynthetixV3Venue:
        """Return the venue after a market's index moved."""
        moved = replace(self._get_market(market), price=price_wad)
        return SynthetixV3Venue(self.state.with_market(moved))

    def get_market(self, market: Address) -> MarketState:
        """Return a market."""
        return self._describe(self._get_market(market))

    def get_funding(self, market: Address) -> Funding:
        """Return what longs pay to shorts, and both pay as interest on the credit that they lock."""
        found = self._get_market(market)
        rate = found.get_funding_rate(self.at)
        funding = mul_d(rate, found.price)
        locked = mul_d(found.price, found.rules.locked_oi)
        a_day = self.state.interest._replace(accrued=0, at=self.at).get_accrued(self.at + _DAY_S)
        interest = mul_d(locked, a_day)
        return Funding(funding + interest, rate, 0, short_base_day_wad=interest - funding)

    def get_account(self, owner: Address) -> AccountState:
        """Return an account, valued as the contract does; what keepers may get counts as margin needed."""
        state, account = self.state, self.find_account(owner)
        needs = margin.get_margins(state, account)
        return AccountState(
            owner=owner,
            value_wad=margin.get_available_margin(state, account),
            free_collateral_wad=margin.get_withdrawable(state, account),
            maintenance_margin_wad=needs.maintenance + needs.reward,
            is_liquidatable=margin.is_liquidatable(state, account),
            positions=tuple(
                self._describe_position(account, market, held)
                for market, held in margin.get_open(state, account)
            ),
        )

    def get_requests(self, owner: Address) -> tuple[TradeRequest, ...]:
        """Return the account's order, settled or not: there is one at a time. None once it expired."""
        account = self.find_account(owner)
        order = account.order
        if order is None:
            return ()
        from_at, window_s = get_window(self.state, order)
        if self.at > from_at + window_s:
            return ()
        key, market = account.id.to_bytes(32), get_market_address(order.market)
        return (TradeRequest(key, market, order.size, from_at, from_at + window_s),)

    def preview_trade(self, owner: Address, market: Address, size_wad: int) -> Preview[SynthetixV3Venue]:
        """Return what ``commitOrder`` now and ``settleOrder`` after its delay do."""
        account, before = self.find_account(owner), self._get_market(market)
        committed = commit(self.state, account.id, before.id, size_wad, _get_bound(0, size_wad))
        waiting = committed.seen_at(self.at + before.strategy.delay_s)
        return self._preview(before, settle(waiting, account.id, before.price))

    def preview_close(self, owner: Address, market: Address) -> Preview[SynthetixV3Venue]:
        """Return the trade that closes a position."""
        return self.preview_trade(owner, market, -self._get_size(owner, market))

    def preview_deposit(
        self, owner: Address, token: Address, amount: int, market: Address
    ) -> SynthetixV3Venue:
        """Return the venue after ``modifyCollateral`` of snxUSD; margin is shared by all markets."""
        self._require_usd(token)
        return SynthetixV3Venue(modify_collateral(self.state, self.find_account(owner).id, amount))

    def preview_withdraw(
        self, owner: Address, token: Address, amount: int, market: Address
    ) -> SynthetixV3Venue:
        """Return the venue after ``modifyCollateral`` took snxUSD out."""
        return self.preview_deposit(owner, token, -amount, market)

    def preview_liquidation(self, liquidator: Address, owner: Address, market: Address) -> SynthetixV3Venue:
        """Return the venue after ``liquidate`` of the whole account, or as much as may be taken now."""
        return SynthetixV3Venue(liquidate(self.state, liquidator, self.find_account(owner).id).state)

    def encode_trade(
        self, owner: Address, market: Address, size_wad: int, bound_wad: int, deadline_at: int
    ) -> Call:
        """Return ``commitOrder``; the bound is one on the fill price, as fees are taken from the margin."""
        found, account = self._get_market(market), self.find_account(owner)
        price = _get_bound(bound_wad, size_wad)
        order = Order(found.id, size_wad, found.strategy_id, price, self.at)
        return actions.encode_commit(self.state.proxy, owner, account.id, order)

    def encode_close(self, owner: Address, market: Address, bound_wad: int, deadline_at: int) -> Call:
        """Return the ``commitOrder`` that closes a position."""
        return self.encode_trade(owner, market, -self._get_size(owner, market), bound_wad, deadline_at)

    def encode_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return ``modifyCollateral`` of snxUSD, which the proxy must be allowed to take."""
        self._require_usd(token)
        account = self.find_account(owner)
        return actions.encode_modify_collateral(self.state.proxy, owner, account.id, amount)

    def encode_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return ``modifyCollateral`` of snxUSD, taken out."""
        return self.encode_deposit(owner, token, -amount, market)

    def encode_liquidation(self, liquidator: Address, owner: Address, market: Address) -> Call:
        """Return ``liquidate``."""
        return actions.encode_liquidate(self.state.proxy, liquidator, self.find_account(owner).id)

    def encode_settlement(self, keeper: Address, owner: Address) -> Call:
        """Return ``settleOrder``, the second phase, which anybody may send."""
        return actions.encode_settle(self.state.proxy, keeper, self.find_account(owner).id)

    def encode_cancel(self, owner: Address, request: TradeRequest) -> Call:
        """Return ``cancelOrder``: it reverts unless the order cannot be settled at its acceptable price."""
        return actions.encode_cancel(self.state.proxy, owner, int.from_bytes(request.key))

    def find_account(self, owner: Address) -> Account:
        """Return the owner's account.

        Raises:
            InputError: none or several were read.
        """
        found = [one for one in self.state.accounts.values() if one.owner == owner]
        if len(found) != 1:
            raise InputError(
                f"{len(found)} accounts of {owner}",
                needed="exactly one",
                todo="Read the venue with the account's id",
            )
        return found[0]

    def _get_market(self, market: Address) -> Market:
        return self.state.get_market(get_market_id(market))

    def _get_size(self, owner: Address, market: Address) -> int:
        held = self.find_account(owner).positions.get(get_market_id(market))
        if held is None:
            raise UnsupportedOrderError(f"no position of {owner} in {market}", needed="an open one")
        return held.size

    def _require_usd(self, token: Address) -> None:
        if token != self.state.usd:
            raise InputError(f"{token} is not foreseen as collateral", needed=f"snxUSD, {self.state.usd}")

    def _describe(self, market: Market) -> MarketState:
        return MarketState(
            market=get_market_address(market.id),
            symbol=market.symbol,
            is_open=self.state.is_open and bool(market.rules.max_size),
            market_price_wad=market.skewed_price,
            mark_price_wad=market.price,
            index_price_wad=market.price,
            fee_pips=market.rules.taker_fee // _PIPS_WAD,
        )

    def _describe_position(self, account: Account, market: Market, held: Position) -> PositionState:
        gains = margin.get_pnl(self.state, market, held, market.price)
        total = sum(mul_d(abs(one.size), where.price) for where, one in margin.get_open(self.state, account))
        value = margin.get_available_margin(self.state, account)
        return PositionState(
            market=get_market_address(market.id),
            size_wad=held.size,
            entry_notional_wad=mul_d(held.size, held.price),
            unrealised_pnl_wad=gains.price,
            funding_owed_wad=gains.interest - gains.funding,
            margin_ratio_wad=div_trunc(value * WAD, total) if total else None,
            liquidation_price_wad=self._get_liquidation_price(account, market, held),
        )

    def _get_liquidation_price(self, account: Account, market: Market, held: Position) -> int | None:
        def holds(price: int) -> bool:
            return not margin.is_liquidatable(self.state.with_market(replace(market, price=price)), account)

        return find_liquidation_price(holds, market.price, is_long=held.size > 0)

    def _preview(self, before: Market, settled: Settled) -> Preview[SynthetixV3Venue]:
        return Preview(
            size_wad=settled.size,
            notional_wad=mul_d(settled.size, settled.fill_price),
            fee_wad=settled.fee,
            realised_pnl_wad=settled.gained,
            price_before_wad=before.skewed_price,
            price_after_wad=settled.state.get_market(before.id).skewed_price,
            after=SynthetixV3Venue(settled.state),
        )


def _get_bound(bound_wad: int, size_wad: int) -> int:
    """Return the acceptable price of money to pay at most, or get at least; any price is of none."""
    if not size_wad:
        raise InputError("a trade of no size", needed="a size above 0 to buy, below 0 to sell")
    if not bound_wad:
        return MAX_UINT256 if size_wad > 0 else 0
    if size_wad > 0:
        return bound_wad * WAD // size_wad
    return div_up(bound_wad * WAD, -size_wad)
