"""A market of v1: a virtual constant-product AMM, and its index. Mirror of ``Amm`` and ``L2PriceFeed``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD, div_trunc
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.decimals import div_d, mul_d, sub_d

R = TypeVar("R", "Snapshot", "Round")

_VALUE_INTERVAL_S: Final = 900
_MAX_SPREAD_WAD: Final = WAD // 10
_DAY_S, _HOUR_S = 86_400, 3_600


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The reserves from ``at`` on, as block ``number`` left them."""

    quote_reserve: int
    base_reserve: int
    at: int
    number: int


@dataclass(frozen=True, slots=True)
class Round:
    """A price of the index from ``at`` on, in 1e18."""

    price: int
    at: int


@dataclass(frozen=True, slots=True)
class Amm:
    """A market. Amounts and ratios are in 1e18; ``snapshots`` and ``rounds`` oldest first, as far back as
    means reach, or all. ``premium`` is the sum of all funding so far per base of a long."""

    address: Address
    symbol: str
    quote_token: Address
    is_open: bool
    quote_reserve: int
    base_reserve: int
    trade_limit: int
    fluctuation_limit: int
    toll: int
    spread: int
    max_holding: int
    open_interest_cap: int
    open_interest: int
    total_size: int
    funding_period_s: int
    funding_buffer_s: int
    next_funding_at: int
    twap_interval_s: int
    premium: int
    snapshots: tuple[Snapshot, ...]
    rounds: tuple[Round, ...]

    @property
    def spot_price(self) -> int:
        """The price of an infinitely small trade. Mirror of ``getSpotPrice``."""
        return div_d(self.quote_reserve, self.base_reserve)

    @property
    def index_price(self) -> int:
        """The feed's newest price. Mirror of ``getUnderlyingPrice``."""
        return self.rounds[-1].price

    def get_fees(self, notional: int) -> int:
        """Return what a trade of so much money pays on top. Mirror of ``calcFee``."""
        return mul_d(notional, self.toll) + mul_d(notional, self.spread)

    def get_base(self, quote: int, *, buys: bool) -> int:
        """Return the base that so much quote buys or sells. Mirror of ``getInputPrice``."""
        return get_base(quote, self.quote_reserve, self.base_reserve, buys=buys)

    def get_quote(self, base: int, *, buys: bool) -> int:
        """Return the quote that so much base costs or gives. Mirror of ``getOutputPrice``."""
        return get_quote(base, self.quote_reserve, self.base_reserve, buys=buys)

    def get_mean_quote(self, base: int, at: int, *, buys: bool) -> int:
        """Return `get_quote` in the mean of the last 15 minutes. Mirror of ``getOutputTwap``."""
        return get_mean(
            self.snapshots,
            _VALUE_INTERVAL_S,
            at,
            lambda one: get_quote(base, one.quote_reserve, one.base_reserve, buys=buys),
        )

    def get_premium(self, at: int) -> int:
        """Return what a long pays per base in one funding period. Mirror of ``settleFunding``."""
        interval_s = self.twap_interval_s
        mean = get_mean(
            self.snapshots, interval_s, at, lambda one: div_d(one.quote_reserve, one.base_reserve)
        )
        index = get_mean(self.rounds, interval_s, at, lambda one: one.price)
        return div_trunc((mean - index) * self.funding_period_s, _DAY_S)

    def settle_funding(self, at: int) -> tuple[Amm, int]:
        """Return the market after ``payFunding`` at ``at``, and what it added per base of a long.

        Raises:
            PoolRevertError: ``settle funding too early``.
        """
        if at < self.next_funding_at:
            raise PoolRevertError(
                "settle funding too early", found=f"{at}", needed=f"{self.next_funding_at} or later"
            )
        fraction = self.get_premium(at)
        on_the_hour = (self.next_funding_at + self.funding_period_s) // _HOUR_S * _HOUR_S
        next_at = max(on_the_hour, at + self.funding_buffer_s)
        return replace(self, premium=self.premium + fraction, next_funding_at=next_at), fraction

    @property
    def is_over_spread(self) -> bool:
        """Whether the price is a tenth or more off the index. Mirror of ``isOverSpreadLimit``."""
        if not self.index_price:
            raise PoolRevertError("underlying price is 0")
        return abs(div_d(self.spot_price - self.index_price, self.index_price)) >= _MAX_SPREAD_WAD

    def swap_quote(
        self, quote: int, *, buys: bool, liquidates: bool, when: tuple[int, int]
    ) -> tuple[Amm, int]:
        """Return the market after so much quote went in (``buys``) or out, and the base for it.

        ``when`` is time and block number. Mirror of ``swapInput``.

        Raises:
            PoolRevertError: ``over trading limit`` or ``price is over fluctuation limit``.
        """
        if not quote:
            return self, 0
        if not buys:
            self._require_within_limit(quote, self.quote_reserve)
        base = self.get_base(quote, buys=buys)
        checks = not (liquidates and self._jumps(quote, base, buys=buys))
        return self._moved(quote, base, buys=buys, checks=checks, when=when), base

    def swap_base(self, base: int, *, buys: bool, liquidates: bool, when: tuple[int, int]) -> tuple[Amm, int]:
        """Return the market after so much base went out (``buys``) or in, and the quote for it.

        Mirror of ``swapOutput``; the price's fluctuation is checked in a liquidation alone.

        Raises:
            PoolRevertError: as `swap_quote`.
        """
        if buys:
            self._require_within_limit(base, self.base_reserve)
        quote = self.get_quote(base, buys=buys)
        checks = liquidates and not self._jumps(quote, base, buys=buys)
        return self._moved(quote, base, buys=buys, checks=checks, when=when), quote

    def _moved(self, quote: int, base: int, *, buys: bool, checks: bool, when: tuple[int, int]) -> Amm:
        """Mirror of ``updateReserve`` and ``addReserveSnapshot``."""
        at, number = when
        quote_after = self.quote_reserve + quote if buys else sub_d(self.quote_reserve, quote)
        base_after = sub_d(self.base_reserve, base) if buys else self.base_reserve + base
        last = self.snapshots[-1]
        same_block = last.number == number
        if checks and self.fluctuation_limit:
            before = self.snapshots[-2] if same_block and len(self.snapshots) > 1 else last
            self._require_calm(div_d(quote_after, base_after), before)
        taken = Snapshot(quote_after, base_after, last.at if same_block else at, number)
        kept = self.snapshots[:-1] if same_block else self.snapshots
        return replace(
            self,
            quote_reserve=quote_after,
            base_reserve=base_after,
            total_size=self.total_size + (base if buys else -base),
            snapshots=(*kept, taken),
        )

    def _jumps(self, quote: int, base: int, *, buys: bool) -> bool:
        """Mirror of ``isSingleTxOverFluctuation``."""
        sign = 1 if buys else -1
        price = div_d(self.quote_reserve + sign * quote, self.base_reserve - sign * base)
        low, high = self._calm_range(self.snapshots[-1])
        return not low <= price <= high

    def _calm_range(self, before: Snapshot) -> tuple[int, int]:
        price = div_d(before.quote_reserve, before.base_reserve)
        return mul_d(price, WAD - self.fluctuation_limit), mul_d(price, WAD + self.fluctuation_limit)

    def _require_calm(self, price: int, before: Snapshot) -> None:
        low, high = self._calm_range(before)
        if not low <= price <= high:
            raise PoolRevertError(
                "price is over fluctuation limit",
                found=f"the trade would leave a price of {price / WAD:.6f}",
                needed=f"{low / WAD:.6f} to {high / WAD:.6f} in this block",
                todo="Trade less, or in several blocks",
            )

    def _require_within_limit(self, amount: int, reserve: int) -> None:
        most = mul_d(reserve, self.trade_limit)
        if amount > most:
            raise PoolRevertError(
                "over trading limit",
                found=f"{amount / WAD:.6f} out of the AMM",
                needed=f"{most / WAD:.6f} at most",
                todo="Trade less",
            )


def get_base(quote: int, quote_reserve: int, base_reserve: int, *, buys: bool) -> int:
    """Return the base for so much quote, a unit in the AMM's favour. ``getInputPriceWithReserves``."""
    return _get_other(quote, quote_reserve, base_reserve, adds=buys)


def get_quote(base: int, quote_reserve: int, base_reserve: int, *, buys: bool) -> int:
    """Return the quote for so much base, a unit in the AMM's favour. ``getOutputPriceWithReserves``."""
    return _get_other(base, base_reserve, quote_reserve, adds=not buys)


def _get_other(amount: int, reserve: int, other_reserve: int, *, adds: bool) -> int:
    if not amount:
        return 0
    invariant = mul_d(reserve, other_reserve)
    after = reserve + amount if adds else sub_d(reserve, amount)
    if not after:
        raise PoolRevertError("", found="the trade would empty the AMM")
    moved = abs(div_d(invariant, after) - other_reserve)
    if invariant * WAD % after:
        return sub_d(moved, 1) if adds else moved + 1
    return moved


def get_mean(records: Sequence[R], interval_s: int, at: int, get_price: Callable[[R], int]) -> int:
    """Return the mean price of the interval before ``at``, rounded down, or since the first record.

    Mirror of ``Amm.calcTwap`` and of ``L2PriceFeed.getTwapPrice``.
    """
    last, start = records[-1], at - interval_s
    if len(records) == 1 or last.at <= start:
        return get_price(last)
    weighted, until = 0, at
    for record in reversed(records):
        since = max(record.at, start)
        weighted += get_price(record) * (until - since)
        until = since
        if record.at <= start:
            break
    if at == until:
        raise PoolRevertError("SafeMath: division by zero", found=f"no price before {at}")
    return weighted // (at - until)
