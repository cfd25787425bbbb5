"""Who pays what when a position gets smaller. Mirror of ``DecreasePositionCollateralUtils``.

Profit and a gain by price impact come out of the pool; funding, losses, fees and the cost of price impact are
then paid in this order: out of what is to be paid out, out of the collateral, out of profit in another token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from onchain_exec.core.fixed_point import div_up, mul_div_down, mul_div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Market
from onchain_exec.venues.perpetuals.gmx_v2.mirror.position import Change, Cut, Fees, Seat
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT, apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.swap import swap


class Purse(NamedTuple):
    """Base units to be paid out in the collateral token, those left as collateral, and those of a profit that
    is paid out in another token."""

    output: int
    collateral: int
    profit: int


class _Paid(NamedTuple):
    """Base units paid in the collateral token and in another one, and the dollars that nobody could pay."""

    collateral: int
    profit: int
    missing: int


@dataclass(frozen=True, slots=True)
class Payout:
    """A decrease settled: its gain, dollars of impact kept for the account to claim, the pending impact that
    is gone, in tokens, fees (none where they were not paid), what is paid out, and the market after."""

    pnl: int
    refundable: int
    pending_impact: int
    fees: Fees
    purse: Purse
    market: Market


class _Impact(NamedTuple):
    """Dollars of impact to settle, dollars beyond its limit that are kept for the account to claim, and the
    pending impact that they hold, in tokens."""

    settled: int
    refundable: int
    pending: int


def settle(seat: Seat, cut: Cut, *, liquidates: bool, swaps_profit: bool) -> Payout:
    """Return what ending a part of a position pays. Mirror of ``processCollateral``.

    With ``swaps_profit`` a profit in another token than the collateral is swapped to it, if that works.

    Raises:
        PoolRevertError: ``InsufficientFundsToPayForCosts``; a liquidation goes on with what there is.
    """
    pnl = seat.get_pnl(cut.size)
    fees = seat.get_fees(Change(cut.size, cut.impact.improves, liquidates))
    counter = _Counter(seat)
    if pnl > 0:
        counter.pay_profit(pnl)
    owed = _get_impact(counter, cut)
    if owed.settled > 0:
        counter.market = counter.market.with_impact_pool(-div_up(owed.settled, seat.prices.index.least))
        counter.pay_profit(owed.settled)
    if swaps_profit:
        counter.swap_profit()
    payer = _Payer(counter, fees, closes_insolvent=liquidates and cut.size == seat.holding.size)
    paid = payer.collect(pnl, owed)
    return Payout(pnl, owed.refundable, owed.pending, paid, counter.purse, counter.market)


class _Counter:
    """Where a position's money and its market's pool meet."""

    def __init__(self, seat: Seat) -> None:
        self.seat, self.market = seat, seat.market
        self.purse = Purse(0, seat.holding.collateral, 0)
        self.collateral_token = seat.position.collateral_token
        self.profit_token = self.market.get_pnl_token(seat.position.is_long)
        self.price = seat.collateral_price.least
        self.profit_price = self.market.get_price(self.profit_token, seat.prices)

    def pay_profit(self, usd: int) -> None:
        """Let the pool pay dollars in the profit token, rounded down."""
        amount = usd // self.profit_price.most
        self.market = self.market.with_pool(self.profit_token, -amount)
        if self.profit_token == self.collateral_token:
            self.purse = self.purse._replace(output=self.purse.output + amount)
        else:
            self.purse = self.purse._replace(profit=self.purse.profit + amount)

    def swap_profit(self) -> None:
        """Swap profit to the collateral token; it stays what it is where the swap fails."""
        if not self.purse.profit:
            return
        seat = self.seat
        try:
            swapped = swap(
                self.market, seat.prices, self.profit_token, self.purse.profit, seat.rules.swap_fee_receiver
            )
        except PoolRevertError:
            return
        output, collateral, _ = self.purse
        self.purse, self.market = Purse(output + swapped.amount_out, collateral, 0), swapped.market

    def charge(self, usd: int) -> _Paid:
        """Take dollars out of the purse. Mirror of ``payForCost``."""
        owed = div_up(usd, self.price)
        from_output = min(self.purse.output, owed)
        from_collateral = min(self.purse.collateral, owed - from_output)
        owed -= from_output + from_collateral
        in_profit = owed * self.price // self.profit_price.least
        from_profit = min(self.purse.profit, in_profit)
        self.purse = Purse(
            self.purse.output - from_output,
            self.purse.collateral - from_collateral,
            self.purse.profit - from_profit,
        )
        missing = (in_profit - from_profit) * self.profit_price.least
        return _Paid(from_output + from_collateral, from_profit, missing)

    def to_pool(self, paid: _Paid) -> None:
        """Let the pool have what was paid."""
        self.market = self.market.with_pool(self.collateral_token, paid.collateral)
        self.market = self.market.with_pool(self.profit_token, paid.profit)

    def to_impact_pool(self, paid: _Paid) -> None:
        """Let the impact pool have what was paid, in the index token."""
        index = self.seat.prices.index.most
        for amount, price in ((paid.collateral, self.price), (paid.profit, self.profit_price.least)):
            if amount:
                self.market = self.market.with_impact_pool(amount * price // index)


@dataclass(frozen=True, slots=True)
class _Payer:
    """The costs of a decrease, each paid in its turn."""

    counter: _Counter
    fees: Fees
    closes_insolvent: bool

    def collect(self, pnl: int, owed: _Impact) -> Fees:
        """Pay all costs; return the fees that were paid."""
        counter, fees = self.counter, self.fees
        funding = counter.charge(fees.funding * counter.price)
        if self._ends(funding, "funding"):
            return _without(fees)
        loss = counter.charge(max(0, -pnl))
        counter.to_pool(loss)
        if self._ends(loss, "pnl"):
            return _without(fees)
        charged = counter.charge(fees.without_funding * counter.price)
        if charged.missing or charged.profit:
            counter.to_pool(charged)
            fees = _without(fees)
        else:
            counter.market = counter.market.with_pool(counter.collateral_token, fees.for_pool)
        if self._ends(charged, "fees"):
            return fees
        impact = counter.charge(max(0, -owed.settled))
        counter.to_pool(impact)
        counter.to_impact_pool(impact)
        if self._ends(impact, "impact"):
            return _without(fees)
        return _without(fees) if self._ends(counter.charge(owed.refundable), "diff") else fees

    def _ends(self, paid: _Paid, step: str) -> bool:
        """Return whether nothing is left, in a liquidation; refuse it in any other order."""
        if paid.missing and not self.closes_insolvent:
            raise PoolRevertError(
                "InsufficientFundsToPayForCosts",
                found=f"{paid.missing / FLOAT:.2f} USD of {step} that cannot be paid",
                needed="collateral for all costs",
            )
        return bool(paid.missing)


def _get_impact(counter: _Counter, cut: Cut) -> _Impact:
    """Return the impact to settle: the trade's with its part of the pending one, within the limits."""
    seat, rules = counter.seat, counter.market.rules
    pending, size = _get_pending(seat, cut.size), cut.size
    total = cut.impact.usd + pending * seat.prices.index.pick(pending <= 0)
    least = -apply_factor(size, rules.max_negative_impact)
    settled = rules.cap_positive_impact(max(total, least), size)
    if settled > 0:
        settled = _cap_by_pool(counter.market, seat, settled)
    return _Impact(settled, max(0, least - total), pending)


def _get_pending(seat: Seat, size: int) -> int:
    """Return the part of the pending impact that goes with a part of the size; a cost is rounded up."""
    held = seat.holding
    if held.pending_impact < 0:
        return -mul_div_up(-held.pending_impact, size, held.size)
    return mul_div_down(held.pending_impact, size, held.size)


def _cap_by_pool(market: Market, seat: Seat, impact: int) -> int:
    """Mirror of ``capPositiveImpactUsdByPositionImpactPool``: what it lacks the pool lends."""
    in_pool = market.impact_pool * seat.prices.index.least
    if impact <= in_pool:
        return impact
    return min(impact, in_pool + market.get_lendable(seat.prices))


def _without(fees: Fees) -> Fees:
    """Return no fees but what funding gave. Mirror of ``getEmptyFees``."""
    return replace(fees, position=0, discount=0, borrowing=0, liquidation=0, funding=0, for_pool=0)
