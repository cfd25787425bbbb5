"""What a keeper's execution of an order did, and when its prices let it be executed."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import ZERO_ADDRESS
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Price
from onchain_exec.venues.perpetuals.gmx_v2.mirror.position import Fees
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import State
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxOrder, OrderType


@dataclass(frozen=True, slots=True)
class Executed:
    """An order executed: dollars of size and base units of the index token that the position changed by
    (below 0: less), at which price, the impact and the gain in dollars, the fees, and what was paid out.

    ``impact`` is what the trade itself moved; of an increase it is settled when the position gets smaller.
    """

    size: int
    tokens: int
    price: int
    impact: int
    pnl: int
    fees: Fees
    output: int
    profit_output: int
    state: State


def require_executable(state: State, order: GmxOrder) -> None:
    """Refuse what a keeper cannot execute now, at the state's prices, whatever the account.

    Raises:
        InputError: a path of swaps, or an interface's fee: that is not foreseen.
        PoolRevertError: ``DisabledFeature``, ``DisabledMarket``, or of an order that keeps waiting for its
            price or time ``InvalidOrderPrices``, ``OrderValidFromTimeNotReached``.
    """
    if order.swap_path or order.ui_fee_receiver != ZERO_ADDRESS:
        raise InputError(
            "an order with a path of swaps, or with an interface's fee, is not foreseen",
            needed="a collateral token of the market itself, no interface's fee",
        )
    state.require_enabled(order.kind)
    market = state.get_open_market(order.position.market)
    _require_triggered(order, state.get_prices(market).index, state.at)


def _require_triggered(order: GmxOrder, index: Price, at: int) -> None:
    """Mirror of ``validateOrderTriggerPrice`` and ``validateOrderValidFromTime``."""
    waits_for = _WAITS.get(order.kind)
    if waits_for is None:
        return
    opens, falls = waits_for
    is_long = order.position.is_long
    price = index.pick(is_long == opens)
    trigger = order.terms.trigger_price
    if price > trigger if falls == is_long else price < trigger:
        raise PoolRevertError("InvalidOrderPrices", found=f"a price of {price}", needed=f"{trigger}")
    if order.terms.valid_from_at > at:
        raise PoolRevertError(
            "OrderValidFromTimeNotReached", found=f"at {at}", needed=f"{order.terms.valid_from_at} or later"
        )


_WAITS = {
    OrderType.LIMIT_INCREASE: (True, True),
    OrderType.STOP_INCREASE: (True, False),
    OrderType.LIMIT_DECREASE: (False, False),
    OrderType.STOP_LOSS_DECREASE: (False, True),
}
"""Whether it opens, and whether a long's waits for the price to fall; a short's for the other way."""


def require_acceptable(order: GmxOrder, price: int, *, buys: bool) -> None:
    """Refuse a price beyond the acceptable one.

    Raises:
        PoolRevertError: ``OrderNotFulfillableAtAcceptablePrice``.
    """
    bound = order.terms.acceptable_price
    if price > bound if buys else price < bound:
        raise PoolRevertError(
            "OrderNotFulfillableAtAcceptablePrice",
            found=f"an execution price of {price}",
            needed=f"{bound} or {'less' if buys else 'more'}",
        )
