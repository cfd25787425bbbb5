"""Perpetual Protocol v1 as a `PerpetualVenue`: isolated margin, funding by the hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from typing import ClassVar, Final

from onchain_exec.core import Address, Call
from onchain_exec.core.fixed_point import WAD, div_up
from onchain_exec.errors import InputError
from onchain_exec.venues.perpetuals.decimals import div_d, mul_d
from onchain_exec.venues.perpetuals.liquidation_price import find_liquidation_price
from onchain_exec.venues.perpetuals.perp_v1 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v1.mirror import trading
from onchain_exec.venues.perpetuals.perp_v1.mirror.amm import Amm, Round
from onchain_exec.venues.perpetuals.perp_v1.mirror.house import (
    House,
    Position,
    get_liquidation_ratio,
    get_margin_ratio,
    get_margin_ratio_of,
    get_remaining,
    get_worth,
)
from onchain_exec.venues.perpetuals.perp_v1.mirror.trading import Traded, Wish
from onchain_exec.venues.perpetuals.venue import AccountState, Funding, MarketState, PositionState, Preview

_DAY_S: Final = 86_400
_PIPS_WAD: Final = WAD // 10**6
_BUY, _SELL = 0, 1
_STRICTEST: Final = 1
"""The contract takes a limit of 0 for none."""

_SMALLEST: Final = WAD // 10**6
"""Below it, rounding decides what a position is worth."""


@dataclass(frozen=True, slots=True)
class PerpV1Venue:
    """The clearing house as `read_perp_v1` found it. What a trade adds takes margin by ``leverage_wad``.

    The contract trades for an amount of money, so the size of a trade may be some units off the one asked;
    the preview tells. Deadlines are not kept: the contract knows none.
    """

    kind: ClassVar[str] = "perp_v1"
    is_two_phase: ClassVar[bool] = False

    house: House
    leverage_wad: int = WAD

    @property
    def at(self) -> int:
        """The time that it is seen at."""
        return self.house.at

    @property
    def markets(self) -> tuple[MarketState, ...]:
        """The markets that were read."""
        return tuple(_describe(amm) for amm in self.house.amms.values())

    def seen_at(self, at: int) -> PerpV1Venue:
        """Return the venue at a later time. Raises InputError if it is earlier."""
        return replace(self, house=self.house.seen_at(at))

    def with_index(self, market: Address, price_wad: int) -> PerpV1Venue:
        """Return the venue after another round of a market's index."""
        amm = self.house.get_amm(market)
        moved = replace(amm, rounds=(*amm.rounds, Round(price_wad, self.at)))
        return replace(self, house=self.house.with_amm(moved))

    def get_market(self, market: Address) -> MarketState:
        """Return a market, by its AMM's address."""
        return _describe(self.house.get_amm(market))

    def get_funding(self, market: Address) -> Funding:
        """Return what longs pay if the means stay: settled when somebody calls ``payFunding``."""
        amm = self.house.get_amm(market)
        per_day = amm.get_premium(self.at) * _DAY_S // amm.funding_period_s
        return Funding(per_day, div_d(per_day, amm.index_price), amm.funding_period_s)

    def get_account(self, owner: Address) -> AccountState:
        """Return an account: the sum of its positions, each of which is liquidated alone."""
        held = [
            (self.house.get_amm(market), position)
            for (market, who), position in self.house.positions.items()
            if who == owner and (position.size or position.margin)
        ]
        values = [self._get_value(amm, position) for amm, position in held]
        needs = [mul_d(get_worth(*one).notional, self.house.maintenance_margin) for one in held]
        free = sum(
            value - mul_d(get_worth(*one).notional, self.house.initial_margin)
            for one, value in zip(held, values, strict=True)
        )
        return AccountState(
            owner=owner,
            value_wad=sum(values),
            free_collateral_wad=free,
            maintenance_margin_wad=sum(needs),
            is_liquidatable=any(self._is_liquidatable(*one) for one in held),
            positions=tuple(self._describe_position(*one) for one in held),
        )

    def preview_trade(self, owner: Address, market: Address, size_wad: int) -> Preview[PerpV1Venue]:
        """Return what ``openPosition`` does for the money that so much base costs or gives."""
        return self._preview(
            market, trading.open_position(self.house, owner, market, self._wish(market, size_wad, 0))
        )

    def preview_close(self, owner: Address, market: Address) -> Preview[PerpV1Venue]:
        """Return what ``closePosition`` does."""
        return self._preview(market, trading.close_position(self.house, owner, market))

    def preview_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> PerpV1Venue:
        """Return the venue after ``addMargin`` to the position in ``market``."""
        amount_wad = self._to_wad(market, token, amount)
        return replace(self, house=trading.add_margin(self.house, owner, market, amount_wad))

    def preview_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> PerpV1Venue:
        """Return the venue after ``removeMargin`` from the position in ``market``."""
        amount_wad = self._to_wad(market, token, amount)
        return replace(self, house=trading.remove_margin(self.house, owner, market, amount_wad))

    def preview_liquidation(self, liquidator: Address, owner: Address, market: Address) -> PerpV1Venue:
        """Return the venue after ``liquidate``; the liquidator is paid and takes nothing over."""
        return replace(self, house=trading.liquidate(self.house, owner, market).house)

    def preview_funding(self, market: Address) -> PerpV1Venue:
        """Return the venue after ``payFunding``."""
        return replace(self, house=trading.pay_funding(self.house, market))

    def encode_trade(
        self, owner: Address, market: Address, size_wad: int, bound_wad: int, deadline_at: int
    ) -> Call:
        """Return ``openPosition``. The money is fixed, so the bound becomes one of base: the same price, fees
        included, which the contract takes on top of what it compares."""
        wish = self._wish(market, size_wad, bound_wad)
        side = _BUY if wish.buys else _SELL
        terms = ((wish.margin,), (wish.leverage,), (wish.base_limit,))
        return self._call(owner, abi.OPEN_POSITION.encode(market, side, *terms))

    def encode_close(self, owner: Address, market: Address, bound_wad: int, deadline_at: int) -> Call:
        """Return ``closePosition``, bounded in the quote that leaves the bound once the fees are paid."""
        amm, size = self.house.get_amm(market), self.house.get_position(market, owner).size
        fees = amm.toll + amm.spread
        limit = div_up(bound_wad * WAD, WAD - fees) if size > 0 else bound_wad * WAD // (WAD + fees)
        return self._call(
            owner, abi.CLOSE_POSITION.encode(market, (max(limit, _STRICTEST if bound_wad else 0),))
        )

    def encode_deposit(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return ``addMargin``."""
        return self._call(owner, abi.ADD_MARGIN.encode(market, (self._to_wad(market, token, amount),)))

    def encode_withdraw(self, owner: Address, token: Address, amount: int, market: Address) -> Call:
        """Return ``removeMargin``."""
        return self._call(owner, abi.REMOVE_MARGIN.encode(market, (self._to_wad(market, token, amount),)))

    def encode_liquidation(self, liquidator: Address, owner: Address, market: Address) -> Call:
        """Return ``liquidate``."""
        return self._call(liquidator, abi.LIQUIDATE.encode(market, owner))

    def encode_funding(self, sender: Address, market: Address) -> Call:
        """Return ``payFunding``, which anyone may call."""
        return self._call(sender, abi.PAY_FUNDING.encode(market))

    def _call(self, sender: Address, data: bytes) -> Call:
        return Call(self.house.address, data, sender=sender)

    def _wish(self, market: Address, size_wad: int, bound_wad: int) -> Wish:
        if not size_wad:
            raise InputError("a trade of no size", needed="a size above 0 to buy, below 0 to sell")
        buys, size = size_wad > 0, abs(size_wad)
        amm = self.house.get_amm(market)
        money = amm.get_quote(size, buys=buys)
        margin = div_up(money * WAD, self.leverage_wad)
        if not bound_wad:
            return Wish(buys, margin, self.leverage_wad)
        fees = amm.get_fees(money)
        limit = div_up(size * (money + fees), bound_wad) if buys else size * (money - fees) // bound_wad
        return Wish(buys, margin, self.leverage_wad, max(limit, _STRICTEST))

    def _to_wad(self, market: Address, token: Address, amount: int) -> int:
        cash = self.house.get_cash(self.house.get_amm(market))
        if token != cash.token.address:
            raise InputError(f"{token} is no margin of this market", needed=f"{cash.token}")
        return cash.to_wad(amount)

    def _get_value(self, amm: Amm, position: Position) -> int:
        left = get_remaining(amm, position, get_worth(amm, position).pnl)
        return left.margin - left.bad_debt

    def _is_liquidatable(self, amm: Amm, position: Position) -> bool:
        if not position.size:
            return False
        return get_liquidation_ratio(amm, position, self.at) < self.house.maintenance_margin

    def _describe_position(self, amm: Amm, position: Position) -> PositionState:
        worth = get_worth(amm, position)
        return PositionState(
            market=amm.address,
            size_wad=position.size,
            entry_notional_wad=position.open_notional if position.size > 0 else -position.open_notional,
            unrealised_pnl_wad=worth.pnl,
            funding_owed_wad=get_remaining(amm, position, 0).funding,
            margin_ratio_wad=get_margin_ratio(amm, position, self.at) if position.size else None,
            liquidation_price_wad=self._get_liquidation_price(amm, position),
        )

    def _get_liquidation_price(self, amm: Amm, position: Position) -> int | None:
        """Return the spot price on the curve at which the position's ratio is the maintenance margin."""
        if get_worth(amm, position).notional < _SMALLEST:
            return None
        invariant = amm.quote_reserve * amm.base_reserve

        def holds(price_wad: int) -> bool:
            base = isqrt(invariant * WAD // price_wad)
            if base <= -position.size:
                return False
            there = replace(amm, quote_reserve=invariant // base, base_reserve=base)
            worth = get_worth(there, position)
            return get_margin_ratio_of(there, position, worth) >= self.house.maintenance_margin

        return find_liquidation_price(holds, amm.spot_price, is_long=position.size > 0)

    def _preview(self, market: Address, traded: Traded) -> Preview[PerpV1Venue]:
        before, after = self.house.get_amm(market), traded.house.get_amm(market)
        return Preview(
            size_wad=traded.size,
            notional_wad=traded.notional if traded.size > 0 else -traded.notional,
            fee_wad=traded.fee,
            realised_pnl_wad=traded.realised_pnl,
            price_before_wad=before.spot_price,
            price_after_wad=after.spot_price,
            after=replace(self, house=traded.house),
        )


def _describe(amm: Amm) -> MarketState:
    return MarketState(
        market=amm.address,
        symbol=amm.symbol,
        is_open=amm.is_open,
        market_price_wad=amm.spot_price,
        mark_price_wad=amm.spot_price,
        index_price_wad=amm.index_price,
        fee_pips=(amm.toll + amm.spread) // _PIPS_WAD,
    )
