"""Perpetual Protocol v2 as a `PerpetualVenue`: cross margin, funding by the second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from onchain_exec.core import Address, Call, Exact
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError
from onchain_exec.venues.perpetuals.perp_v2 import actions
from onchain_exec.venues.perpetuals.perp_v2.actions import Sender
from onchain_exec.venues.perpetuals.perp_v2.mirror import margin, signed, vault
from onchain_exec.venues.perpetuals.perp_v2.mirror.liquidation import get_liquidation_price_wad, liquidate
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Market
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Account, State
from onchain_exec.venues.perpetuals.perp_v2.mirror.swap import Swap
from onchain_exec.venues.perpetuals.perp_v2.mirror.taker import Traded, close_position, open_position
from onchain_exec.venues.perpetuals.venue import AccountState, Funding, MarketState, PositionState, Preview


@dataclass(frozen=True, slots=True)
class PerpV2Venue:
    """The exchange as `read_perp_v2` found it; all of `State` is open to who needs more than the protocol.

    The money of a long's bound includes the fee, of a short's it is less the fee, as the contract counts.
    """

    kind: ClassVar[str] = "perp_v2"
    is_two_phase: ClassVar[bool] = False

    state: State

    @property
    def at(self) -> int:
        """The time that it is seen at."""
        return self.state.at

    @property
    def markets(self) -> tuple[MarketState, ...]:
        """The markets that were read."""
        return tuple(self._describe(market) for market in self.state.markets.values())

    def seen_at(self, at: int) -> PerpV2Venue:
        """Return the venue at a later time. Raises InputError if it is earlier."""
        return PerpV2Venue(self.state.seen_at(at))

    def with_index(self, market: Address, price_wad: int) -> PerpV2Venue:
        """Return the venue after its index moved. The mark price follows over the means' intervals."""
        moved = self.state.get_market(market).with_index(price_wad, self.at)
        return PerpV2Venue(self.state.with_market(moved))

    def get_market(self, market: Address) -> MarketState:
        """Return a market, by its base token."""
        return self._describe(self.state.get_market(market))

    def get_funding(self, market: Address) -> Funding:
        """Return what longs pay: the premium of the means, within the maximum rate, each day."""
        found = self.state.get_market(market)
        premium_wad = signed.mul_div(found.get_premium_x96(self.state.rules, self.at), WAD, 1 << 96)
        index_wad = found.get_index_price_wad(self.state.rules.twap_interval_s, self.at)
        return Funding(premium_wad, signed.mul_div(premium_wad, WAD, index_wad), 0)

    def get_account(self, owner: Address) -> AccountState:
        """Return an account, valued as the vault does."""
        state, account = self.state, self.state.get_account(owner)
        return AccountState(
            owner=owner,
            value_wad=margin.get_account_value(state, account),
            free_collateral_wad=margin.get_free_collateral(state, account, state.rules.initial_margin_pips),
            maintenance_margin_wad=margin.get_maintenance_margin(state, account),
            is_liquidatable=margin.is_liquidatable(state, account),
            positions=tuple(self._describe_position(account, base) for base in account.positions),
        )

    def preview_trade(self, owner: Address, market: Address, size_wad: int) -> Preview[PerpV2Venue]:
        """Return what ``openPosition`` of exactly so much base does."""
        return self._preview(market, open_position(self.state, owner, market, _wish(size_wad)))

    def preview_close(self, owner: Address, market: Address) -> Preview[PerpV2Venue]:
        """Return what ``closePosition`` does."""
        return self._preview(market, close_position(self.state, owner, market))

    def preview_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> PerpV2Venue:
        """Return the venue after ``Vault.deposit``; margin is shared, so ``market`` does not matter."""
        return PerpV2Venue(vault.deposit(self.state, owner, token, amount))

    def preview_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> PerpV2Venue:
        """Return the venue after ``Vault.withdraw``."""
        return PerpV2Venue(vault.withdraw(self.state, owner, token, amount))

    def preview_liquidation(self, liquidator: Address, owner: Address, market: Address) -> PerpV2Venue:
        """Return the venue after ``liquidate``."""
        return PerpV2Venue(liquidate(self.state, liquidator, owner, market).state)

    def encode_trade(
        self, owner: Address, market: Address, size_wad: int, bound_wad: int, deadline_at: int
    ) -> Call:
        """Return ``ClearingHouse.openPosition``."""
        sender = Sender(owner, deadline_at)
        return actions.encode_open(self.state.contracts, sender, market, _wish(size_wad), bound_wad)

    def encode_close(self, owner: Address, market: Address, bound_wad: int, deadline_at: int) -> Call:
        """Return ``ClearingHouse.closePosition``."""
        return actions.encode_close(self.state.contracts, Sender(owner, deadline_at), market, bound_wad)

    def encode_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return ``Vault.deposit``."""
        return actions.encode_deposit(self.state.contracts, owner, token, amount)

    def encode_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return ``Vault.withdraw``."""
        return actions.encode_withdraw(self.state.contracts, owner, token, amount)

    def encode_liquidation(self, liquidator: Address, owner: Address, market: Address) -> Call:
        """Return ``ClearingHouse.liquidate`` of the most."""
        return actions.encode_liquidate(self.state.contracts, liquidator, owner, market)

    def _describe(self, market: Market) -> MarketState:
        return MarketState(
            market=market.base_token,
            symbol=market.symbol,
            is_open=market.is_open,
            market_price_wad=market.get_market_price_wad(0, self.at),
            mark_price_wad=market.get_reference_price_wad(self.state.rules, self.at),
            index_price_wad=market.get_index_price_wad(0, self.at),
            fee_pips=market.fees.exchange,
        )

    def _describe_position(self, account: Account, base_token: Address) -> PositionState:
        state, position = self.state, account.get_position(base_token)
        market = state.get_market(base_token)
        quote = position.open_notional + sum(
            order.get_quote(market) - order.quote_debt for order in position.orders
        )
        total = margin.get_absolute_value(state, account)
        value = margin.get_account_value(state, account)
        return PositionState(
            market=base_token,
            size_wad=margin.get_total_size(state, account, base_token),
            entry_notional_wad=-quote,
            unrealised_pnl_wad=margin.get_position_value(state, account, base_token) + quote,
            funding_owed_wad=margin.get_funding_owed(state, account, base_token),
            margin_ratio_wad=signed.mul_div(value, WAD, total) if total else None,
            liquidation_price_wad=get_liquidation_price_wad(state, account.owner, base_token),
        )

    def _preview(self, market: Address, traded: Traded) -> Preview[PerpV2Venue]:
        before, after = self.state.get_market(market), traded.state.get_market(market)
        return Preview(
            size_wad=traded.size,
            notional_wad=-traded.notional,
            fee_wad=traded.fee,
            realised_pnl_wad=traded.realised_pnl,
            price_before_wad=before.get_market_price_wad(0, self.at),
            price_after_wad=after.get_market_price_wad(0, self.at),
            after=PerpV2Venue(traded.state),
        )


def _wish(size_wad: int) -> Swap:
    if not size_wad:
        raise InputError("a trade of no size", needed="a size above 0 to buy, below 0 to sell")
    return Swap(size_wad < 0, Exact.IN if size_wad < 0 else Exact.OUT, abs(size_wad))
