"""GMX v2 as a `TwoPhaseVenue`: isolated positions, funding and borrowing by the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from onchain_exec.core import Address, Call
from onchain_exec.core.fixed_point import MAX_UINT256, WAD, div_trunc, div_up
from onchain_exec.errors import UnsupportedOrderError
from onchain_exec.venues.perpetuals.gmx_v2 import scale
from onchain_exec.venues.perpetuals.gmx_v2.mirror.accrual import get_borrowing, get_funding
from onchain_exec.venues.perpetuals.gmx_v2.mirror.decrease import decrease, liquidate
from onchain_exec.venues.perpetuals.gmx_v2.mirror.execution import Executed
from onchain_exec.venues.perpetuals.gmx_v2.mirror.increase import increase
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Market
from onchain_exec.venues.perpetuals.gmx_v2.mirror.position import (
    Change,
    Seat,
    get_free_collateral,
    get_solvency,
    take_accrued_seat,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import OraclePrice, State
from onchain_exec.venues.perpetuals.gmx_v2.order_maker import OrderMaker
from onchain_exec.venues.perpetuals.gmx_v2.orders import (
    DECREASES,
    MARKET_ORDERS,
    GmxOrder,
    OrderType,
    encode_cancel_order,
    encode_create_order,
)
from onchain_exec.venues.perpetuals.liquidation_price import find_liquidation_price
from onchain_exec.venues.perpetuals.venue import (
    AccountState,
    Funding,
    MarketState,
    PositionState,
    Preview,
    TradeRequest,
)

_DAY_S: Final = 86_400
_PIPS: Final = 10**24
"""A pip of a factor."""


@dataclass(frozen=True, slots=True)
class GmxV2Venue:
    """GMX as `read_gmx_v2` found it; all of `State` is open to who needs more than the protocol.

    A market is named by its market token. Longs and shorts of one market, and those with another collateral,
    are positions of their own: a trade makes the opposite one smaller, or else adds to its own side, with
    collateral by ``leverage_wad`` in the market's token of ``collateral`` (where none is named, that of the
    position it adds to, or the short token). An order is of dollars: at another price than the venue's, it
    is another size. Bounds are on the price alone, as fees are taken from the collateral. Keepers are paid
    for ``gas_price_wei``: without one, nothing can be encoded.
    """

    kind: ClassVar[str] = "gmx_v2"
    is_two_phase: ClassVar[bool] = True

    state: State
    leverage_wad: int = WAD
    gas_price_wei: int = 0
    collateral: Mapping[Address, Address] = field(default_factory=dict)

    @property
    def at(self) -> int:
        """The time that it is seen at."""
        return self.state.at

    @property
    def markets(self) -> tuple[MarketState, ...]:
        """The markets that were read."""
        return tuple(self._describe(market) for market in self.state.markets.values())

    def seen_at(self, at: int) -> GmxV2Venue:
        """Return the venue at a later time, at the same prices. Raises InputError if it is earlier."""
        return replace(self, state=self.state.seen_at(at))

    def with_index(self, market: Address, price_wad: int) -> GmxV2Venue:
        """Return the venue after its index token's price moved, as collateral too; the spread moves along."""
        old = self._get_index(self.state.get_market(market))
        middle = (old.least + old.most) // 2
        price = scale.price_from_wad(price_wad, old.token)
        moved = OraclePrice(old.token, price * old.least // middle, div_up(price * old.most, middle))
        prices = {**self.state.prices, old.token.address: moved}
        return replace(self, state=replace(self.state, prices=prices))

    def get_market(self, market: Address) -> MarketState:
        """Return a market, by its market token."""
        return self._describe(self.state.get_market(market))

    def get_funding(self, market: Address) -> Funding:
        """Return what longs and shorts pay: funding to each other, and for what they borrow of the pool."""
        found, rules = self.state.get_market(market), self.state.rules
        prices = self.state.get_prices(found)
        rate = get_funding(found, rules, prices, self.at)
        paying, paid = (found.get_interest(side) for side in (rate.longs_pay, not rate.longs_pay))
        received = rate.per_second * paying // paid if paid else 0
        long, short = (
            (rate.per_second if side == rate.longs_pay else -received)
            + get_borrowing(found, rules, prices, side)
            for side in (True, False)
        )
        price_wad = scale.price_to_wad(prices.index.middle, self._get_index(found).token)
        return Funding(
            per_base_day_wad=div_trunc(scale.to_wad(long * _DAY_S) * price_wad, WAD),
            rate_day_wad=scale.to_wad(long * _DAY_S),
            interval_s=0,
            short_base_day_wad=div_trunc(scale.to_wad(short * _DAY_S) * price_wad, WAD),
        )

    def get_account(self, owner: Address) -> AccountState:
        """Return an account: the sum of its positions, each of which is liquidated alone."""
        seats = self._take_seats(owner)
        found = [get_solvency(seat) for seat in seats]
        return AccountState(
            owner=owner,
            value_wad=scale.to_wad(sum(one.remaining for one in found)),
            free_collateral_wad=scale.to_wad(sum(get_free_collateral(seat) for seat in seats)),
            maintenance_margin_wad=scale.to_wad(sum(one.needed for one in found)),
            is_liquidatable=any(one.reason for one in found),
            positions=tuple(self._describe_position(owner, seat) for seat in seats),
        )

    def get_health_factor_wad(self, owner: Address) -> int:
        """Return what remains of the account's weakest position over what must; MAX_UINT256 without any."""
        found = [get_solvency(seat) for seat in self._take_seats(owner)]
        return min((max(0, one.remaining) * WAD // one.needed for one in found), default=MAX_UINT256)

    def get_requests(self, owner: Address) -> tuple[TradeRequest, ...]:
        """Return an account's orders on positions; market orders expire, others wait."""
        return tuple(
            TradeRequest(
                key=request.key,
                market=request.order.position.market,
                size_wad=self._get_size(request.order),
                from_at=max(request.updated_at, request.order.terms.valid_from_at),
                until_at=request.updated_at + self.state.rules.request_expiration_s
                if request.order.kind in MARKET_ORDERS
                else None,
            )
            for request in self.state.get_account(owner).requests
            if request.order.position.market in self.state.markets
        )

    def preview_trade(self, owner: Address, market: Address, size_wad: int) -> Preview[GmxV2Venue]:
        """Return what a keeper's execution of the order does now, at the venue's prices."""
        return self._preview(owner, self._orders.make_trade(owner, market, size_wad, 0))

    def preview_close(self, owner: Address, market: Address) -> Preview[GmxV2Venue]:
        """Return what the execution of an order of all of the account's only position in a market does."""
        return self._preview(owner, self._orders.make_close(owner, market, 0))

    def get_collateral_wanted(self, owner: Address, market: Address, size_wad: int) -> tuple[Address, int]:
        """Return the token and the base units that a trade brings as collateral; none where it reduces."""
        order = self._orders.make_trade(owner, market, size_wad, 0)
        amount = 0 if order.kind in DECREASES else order.collateral_amount
        return order.position.collateral_token, amount

    def preview_order(self, owner: Address, order: GmxOrder) -> Executed:
        """Return what a keeper's execution of any order on a position does now, at the venue's prices."""
        execute = decrease if order.kind in DECREASES else increase
        return execute(self.state, owner, order)

    def preview_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> GmxV2Venue:
        """Return the venue after collateral came to the account's position in ``market``."""
        order = self._orders.make_transfer(owner, token, market, amount)
        return self._after(self.preview_order(owner, order))

    def preview_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> GmxV2Venue:
        """Return the venue after collateral was taken out of the account's position in ``market``."""
        order = self._orders.make_transfer(owner, token, market, -amount)
        return self._after(self.preview_order(owner, order))

    def preview_liquidation(self, liquidator: Address, owner: Address, market: Address) -> GmxV2Venue:
        """Return the venue after one of GMX's keepers liquidated the account's only position in a market."""
        return self._after(liquidate(self.state, owner, self._orders.find_position(owner, market)))

    def encode_trade(
        self, owner: Address, market: Address, size_wad: int, bound_wad: int, deadline_at: int
    ) -> Call:
        """Return the multicall that asks for the trade; GMX has its own deadline for market orders."""
        return self._encode(owner, self._orders.make_trade(owner, market, size_wad, bound_wad))

    def encode_close(self, owner: Address, market: Address, bound_wad: int, deadline_at: int) -> Call:
        """Return the multicall that asks for the close."""
        return self._encode(owner, self._orders.make_close(owner, market, bound_wad))

    def encode_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return the multicall that asks to add collateral, which GMX's router must be allowed to take."""
        return self._encode(owner, self._orders.make_transfer(owner, token, market, amount))

    def encode_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return the multicall that asks to take collateral out."""
        return self._encode(owner, self._orders.make_transfer(owner, token, market, -amount))

    def encode_liquidation(self, liquidator: Address, owner: Address, market: Address) -> Call:
        """Refuse it.

        Raises:
            UnsupportedOrderError: only GMX's own keepers liquidate.
        """
        raise UnsupportedOrderError(
            "a liquidation at GMX", needed="the role LIQUIDATION_KEEPER, which its own keepers have"
        )

    def encode_cancel(self, owner: Address, request: TradeRequest) -> Call:
        """Return the multicall that cancels an order: a market order once it expired, another one at once."""
        return encode_cancel_order(self.state.contracts, owner, request.key)

    @property
    def _orders(self) -> OrderMaker:
        return OrderMaker(self.state, self.leverage_wad, self.gas_price_wei, self.collateral)

    def _get_index(self, market: Market) -> OraclePrice:
        return self.state.get_price(market.index_token)

    def _describe(self, market: Market) -> MarketState:
        index, price = self._get_index(market), self.state.get_prices(market).index.middle
        price_wad = scale.price_to_wad(price, index.token)
        return MarketState(
            market=market.address,
            symbol=index.token.symbol,
            is_open=market.is_enabled and OrderType.MARKET_INCREASE not in self.state.disabled,
            market_price_wad=price_wad,
            mark_price_wad=price_wad,
            index_price_wad=price_wad,
            fee_pips=market.rules.fee_if_worse // _PIPS,
        )

    def _take_seats(self, owner: Address) -> list[Seat]:
        holdings = self.state.get_account(owner).holdings
        return [take_accrued_seat(self.state, owner, position) for position in holdings]

    def _describe_position(self, owner: Address, seat: Seat) -> PositionState:
        held, sign, price = seat.holding, 1 if seat.position.is_long else -1, seat.collateral_price.least
        fees, token = seat.get_fees(Change(0, improves=False)), self._get_index(seat.market).token
        claims = zip(fees.claimable, (seat.prices.long.least, seat.prices.short.least), strict=True)
        owed = (fees.funding + fees.borrowing) * price - sum(amount * worth for amount, worth in claims)
        return PositionState(
            market=seat.market.address,
            size_wad=sign * scale.size_to_wad(held.tokens, token),
            entry_notional_wad=sign * scale.to_wad(held.size),
            unrealised_pnl_wad=scale.to_wad(seat.get_pnl(held.size)),
            funding_owed_wad=scale.to_wad(owed),
            margin_ratio_wad=div_trunc(get_solvency(seat).remaining * WAD, held.size),
            liquidation_price_wad=self._get_liquidation_price(owner, seat),
        )

    def _get_liquidation_price(self, owner: Address, seat: Seat) -> int | None:
        """Return the index price at which it can be liquidated; the same token as collateral moves along."""
        market = seat.market.address

        def holds(price_wad: int) -> bool:
            moved = self.with_index(market, price_wad).state
            return not get_solvency(take_accrued_seat(moved, owner, seat.position)).reason

        now_wad = self.get_market(market).index_price_wad
        return find_liquidation_price(holds, now_wad, is_long=seat.position.is_long)

    def _get_size(self, order: GmxOrder) -> int:
        """Return an order's size in 1e18 of base at the venue's price, below 0 where it sells."""
        index = self._get_index(self.state.get_market(order.position.market))
        tokens = order.size_delta_usd * 2 // (index.least + index.most)
        buys = order.position.is_long == (order.kind not in DECREASES)
        return scale.size_to_wad(tokens if buys else -tokens, index.token)

    def _encode(self, owner: Address, order: GmxOrder) -> Call:
        return encode_create_order(self.state.contracts, owner, order)

    def _after(self, executed: Executed) -> GmxV2Venue:
        return replace(self, state=executed.state)

    def _preview(self, owner: Address, order: GmxOrder) -> Preview[GmxV2Venue]:
        market = self.state.get_market(order.position.market)
        done, prices = self.preview_order(owner, order), self.state.get_prices(market)
        token = self._get_index(market).token
        buys = order.position.is_long == (order.kind not in DECREASES)
        tokens = abs(done.tokens) if buys else -abs(done.tokens)
        notional = tokens * prices.index.pick(buys) - done.impact
        fee = (done.fees.position - done.fees.discount) * market.get_price(
            order.position.collateral_token, prices
        ).least
        price_wad = scale.price_to_wad(prices.index.middle, token)
        return Preview(
            size_wad=scale.size_to_wad(tokens, token),
            notional_wad=scale.to_wad(notional),
            fee_wad=scale.to_wad(fee),
            realised_pnl_wad=scale.to_wad(done.pnl),
            price_before_wad=price_wad,
            price_after_wad=price_wad,
            after=self._after(done),
        )
