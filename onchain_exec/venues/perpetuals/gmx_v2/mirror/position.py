"""What a position has won, what it pays, and whether it can be liquidated. ``PositionUtils``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import div_trunc, div_up, mul_div_down, mul_div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.accrual import PER_SIZE, accrue
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Cell, Market, Price, Prices
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT, apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import Impact, get_price_impact
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import Discounts, GlobalRules
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import Holding, State
from onchain_exec.venues.perpetuals.gmx_v2.orders import Position


@dataclass(frozen=True, slots=True)
class Fees:
    """What a change of a position is charged, in base units of its collateral; ``claimable`` is what funding
    gives it, of the long and of the short token."""

    position: int
    discount: int
    borrowing: int
    liquidation: int
    funding: int
    for_pool: int
    claimable: tuple[int, int]

    @property
    def without_funding(self) -> int:
        """All but funding."""
        return self.position + self.borrowing + self.liquidation - self.discount

    @property
    def total(self) -> int:
        """All of it."""
        return self.without_funding + self.funding


class Change(NamedTuple):
    """What fees are asked for: dollars of size, whether the sides come closer, and whether it liquidates."""

    size: int
    improves: bool
    liquidates: bool = False


class Cut(NamedTuple):
    """A part of a position: dollars of size, base units of the index token, and its end's price impact."""

    size: int
    tokens: int
    impact: Impact


@dataclass(frozen=True, slots=True)
class Seat:
    """A position in its market, with the prices and all that decides what it pays."""

    rules: GlobalRules
    market: Market
    prices: Prices
    position: Position
    holding: Holding
    discounts: Discounts
    inventory: int | None

    @property
    def cell(self) -> Cell:
        """Its collateral token and side."""
        return Cell(self.position.collateral_token, self.position.is_long)

    @property
    def collateral_price(self) -> Price:
        """The price of its collateral."""
        return self.market.get_price(self.position.collateral_token, self.prices)

    def get_impact(self, size_delta: int, tokens_delta: int) -> Impact:
        """Return the price impact of a change; a gain is within its share of the size.

        Mirror of ``PositionPricingUtils.getPriceImpactUsd``, capped by ``MarketUtils``.
        """
        middle, in_tokens = self.prices.index.middle, self.rules.counts_tokens
        balance = self.market.get_balance(middle, in_tokens)
        delta = tokens_delta * middle if in_tokens else size_delta
        impact = get_price_impact(
            self.market.rules.impact, balance, delta, self.position.is_long, self.inventory
        )
        capped = self.market.rules.cap_positive_impact(impact.usd, abs(size_delta))
        return Impact(capped, impact.improves)

    def cut(self, size: int) -> Cut:
        """Return a part of the position with what its end moves."""
        tokens = self.get_tokens(size)
        return Cut(size, tokens, self.get_impact(-size, -tokens) if size else Impact(0, False))

    def get_tokens(self, size: int) -> int:
        """Return the base units of the index token that go with a part of the size, in the pool's favour."""
        held = self.holding
        if size == held.size:
            return held.tokens
        divide = mul_div_up if self.position.is_long else mul_div_down
        return divide(held.tokens, size, held.size)

    def get_pnl(self, size: int) -> int:
        """Return what a part of the position has won, within what traders may win. ``getPositionPnlUsd``."""
        held, is_long = self.holding, self.position.is_long
        worth = held.tokens * self.prices.index.pick(not is_long)
        won = worth - held.size if is_long else held.size - worth
        if won > 0:
            won = self._cap_pnl(won)
        return div_trunc(won * self.get_tokens(size), held.tokens)

    def get_fees(self, change: Change) -> Fees:
        """Return what a change is charged. Mirror of ``PositionPricingUtils.getPositionFees``."""
        market, held, price = self.market.rules, self.holding, self.collateral_price.least
        own, discounts = self.rules, self.discounts
        fee = apply_factor(change.size, market.fee_if_better if change.improves else market.fee_if_worse)
        position = fee // price
        discount = max(apply_factor(position, factor) for factor in (discounts.pro, discounts.trader))
        protocol = position - discount - apply_factor(position, discounts.affiliate_share)
        grown = self.market.borrowing.of(self.position.is_long) - held.borrowing
        borrowing = apply_factor(held.size, grown) // price
        liquidation = (
            div_up(apply_factor(change.size, market.liquidation_fee), price) if change.liquidates else 0
        )
        parts = (
            (protocol, own.position_fee_receiver),
            (borrowing, own.borrowing_fee_receiver),
            (liquidation, own.liquidation_fee_receiver),
        )
        owed = self.market.fee_per_size[self.cell] - held.fee_per_size
        return Fees(
            position=position,
            discount=discount,
            borrowing=borrowing,
            liquidation=liquidation,
            funding=mul_div_up(held.size, owed, PER_SIZE),
            for_pool=sum(amount - apply_factor(amount, receiver) for amount, receiver in parts),
            claimable=self._get_claimable(),
        )

    def charged(self) -> Holding:
        """Return what it holds, funding charged up to now."""
        long, short = (
            self.market.claimable_per_size[Cell(token, self.position.is_long)] for token in self.market.tokens
        )
        return replace(
            self.holding,
            fee_per_size=self.market.fee_per_size[self.cell],
            long_claimable_per_size=long,
            short_claimable_per_size=short,
        )

    def _cap_pnl(self, won: int) -> int:
        market, is_long = self.market, self.position.is_long
        total = market.get_pnl(is_long, self.prices.index.pick(is_long))
        most = apply_factor(
            market.get_pool_usd(is_long, self.prices), market.rules.max_pnl_for_traders.of(is_long)
        )
        return mul_div_down(won, most, total) if 0 < most < total else won

    def _get_claimable(self) -> tuple[int, int]:
        held, now = self.holding, self.charged()
        return (
            mul_div_down(held.size, now.long_claimable_per_size - held.long_claimable_per_size, PER_SIZE),
            mul_div_down(held.size, now.short_claimable_per_size - held.short_claimable_per_size, PER_SIZE),
        )


def take_seat(state: State, market: Market, owner: Address, position: Position, holding: Holding) -> Seat:
    """Return a position in a market of the state that funding and borrowing are charged in."""
    return Seat(
        rules=state.rules,
        market=market,
        prices=state.get_prices(market),
        position=position,
        holding=holding,
        discounts=state.get_account(owner).discounts,
        inventory=state.get_inventory(market),
    )


def take_accrued_seat(state: State, owner: Address, position: Position) -> Seat:
    """Return a position as it stands, with funding and borrowing charged until now."""
    market = state.get_market(position.market)
    accrued = accrue(market, state.rules, state.get_prices(market), state.at)
    return take_seat(state, accrued, owner, position, state.get_holding(owner, position))


class Solvency(NamedTuple):
    """Dollars that remain if the position is closed, and must at the least; ``reason`` is why it can be
    liquidated, empty if it cannot."""

    remaining: int
    needed: int
    reason: str


def get_solvency(seat: Seat, *, checks_least: bool = True, liquidates: bool = True) -> Solvency:
    """Return how a position stands. Mirror of ``isPositionLiquidatable``.

    ``checks_least`` asks for the least collateral of any position, too; ``liquidates`` takes the factor for
    liquidations rather than that for trades.
    """
    held, market = seat.holding, seat.market.rules
    impact = seat.get_impact(-held.size, -held.tokens)
    pending = held.pending_impact * seat.prices.index.pick(held.pending_impact <= 0)
    most = apply_factor(held.size, market.max_impact_for_liquidations)
    cost = seat.get_fees(Change(held.size, impact.improves)).total
    price = seat.collateral_price.least
    remaining = (held.collateral - cost) * price + seat.get_pnl(held.size)
    remaining += max(-most, min(0, impact.usd + pending))
    factor = market.min_collateral_for_liquidation if liquidates else market.min_collateral
    by_size = apply_factor(held.size, factor)
    least = seat.rules.min_collateral_usd if checks_least else 0
    reason = ""
    if checks_least and remaining < least:
        reason = "min collateral"
    elif remaining <= 0:
        reason = "< 0"
    elif remaining < by_size:
        reason = "min collateral for leverage"
    return Solvency(remaining, max(least, by_size), reason)


def get_needed_collateral(market: Market, is_long: bool, size: int, interest_delta: int) -> int:
    """Return the collateral that a size needs, gains aside: more where open interest is high.

    Mirror of ``willPositionCollateralBeSufficient``.
    """
    interest = market.get_interest(is_long) + interest_delta
    by_interest = apply_factor(interest, market.rules.min_collateral_per_interest.of(is_long))
    return apply_factor(size, max(by_interest, market.rules.min_collateral))


def get_free_collateral(seat: Seat) -> int:
    """Return the dollars of collateral that may be taken out; below 0 where there is too little already."""
    held, price = seat.holding, seat.collateral_price.least
    for_size = get_needed_collateral(seat.market, seat.position.is_long, held.size, 0)
    solvency = get_solvency(seat, checks_least=False, liquidates=False)
    collateral = held.collateral * price
    return min(
        collateral - seat.get_fees(Change(0, improves=False)).total * price,
        collateral - for_size,
        collateral + seat.get_pnl(held.size) - seat.rules.min_collateral_usd,
        solvency.remaining - max(1, solvency.needed),
    )


def require_solvent(seat: Seat, *, checks_least: bool, liquidates: bool) -> None:
    """Refuse a position that could be liquidated at once. Mirror of ``validatePosition``.

    Raises:
        PoolRevertError: ``MinPositionSize``, ``LiquidatablePosition``.
    """
    held, least = seat.holding, seat.rules.min_position_usd
    if not held.size or not held.tokens:
        raise PoolRevertError("InvalidPositionSizeValues", found=f"a size of {held.size / FLOAT:g} USD")
    if checks_least and held.size < least:
        raise PoolRevertError(
            "MinPositionSize",
            found=f"a size of {held.size / FLOAT:.2f} USD",
            needed=f"{least / FLOAT:.2f} USD or more",
        )
    found = get_solvency(seat, checks_least=checks_least, liquidates=liquidates)
    if found.reason:
        raise PoolRevertError(
            "LiquidatablePosition",
            found=f"{found.remaining / FLOAT:.2f} USD of collateral left ({found.reason})",
            needed=f"{found.needed / FLOAT:.2f} USD",
        )
