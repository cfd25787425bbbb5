"""Which parent orders make sense, before one is taken in."""

from __future__ import annotations

from fractions import Fraction

from onchain_exec.core import ParentOrder
from onchain_exec.errors import InputError, UnsupportedOrderError


def require_tradable(parent: ParentOrder, now: int, *, reduce_only: bool = False) -> None:
    """Return if the parent order can be traded at ``now`` (unix seconds).

    Raises:
        UnsupportedOrderError: ``reduce_only``, which needs a position in a derivative.
        InputError: terms that contradict one another, or a time that is past.
    """
    if reduce_only:
        raise UnsupportedOrderError(
            "reduce_only on a spot swap",
            needed="a position in a derivative, which a trade could reduce",
            todo="Leave reduce_only out: a swap never sells more than the account holds",
        )
    faults = (
        (parent.amount <= 0, f"an amount of {parent.amount}", "more than 0 base units"),
        (not parent.accounts, "no account", "one that trades, at least"),
        (parent.token_in == parent.token_out, f"{parent.token_in} on both sides", "two tokens"),
        (not 0 <= parent.max_slippage_bps < 10_000, f"{parent.max_slippage_bps} bps", "0 to 9,999 bps"),
        (parent.expires_at <= now, f"an end at {parent.expires_at}", f"one after {now}"),
        (not 1 <= parent.slices <= parent.amount, f"{parent.slices} slices", "1 to one per base unit"),
        (parent.slices > 1 and parent.interval_s <= 0, f"{parent.interval_s} s apart", "1 s or more"),
        (parent.slices > 1 and parent.fill_or_kill, "slices that fill or kill", "one of the two"),
        (_is_not_positive(parent.limit_price), f"a limit of {parent.limit_price}", "a price above 0"),
        (_is_not_positive(parent.stop_price), f"a stop of {parent.stop_price}", "a price above 0"),
        (parent.replaces == parent.order_id, "an order that replaces itself", "another order"),
    )
    for wrong, found, needed in faults:
        if wrong:
            raise InputError(f"the order has {found}", needed=needed)


def _is_not_positive(price: Fraction | None) -> bool:
    return price is not None and price <= 0
