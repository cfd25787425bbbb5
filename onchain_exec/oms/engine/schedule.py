"""What a parent order does next: begin a child, end, or wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from onchain_exec.core import Exact, ParentOrder
from onchain_exec.oms.book.parents import ParentView
from onchain_exec.oms.book.states import UNDECIDED, OrderEvent, OrderState
from onchain_exec.oms.book.views import Failure, OrderView

MAX_FAILED_CHILDREN: Final = 5
"""A parent whose newest children failed this often in a row is given up."""


_FAILED: Final = frozenset({OrderState.REJECTED, OrderState.EXPIRED, OrderState.FAILED, OrderState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Begin:
    """Trade ``amount`` base units (of the side that the parent fixes) as a child, if the price allows."""

    amount: int


@dataclass(frozen=True, slots=True)
class End:
    """Trade no more: it expires, or is denied or rejected, for this reason."""

    happened: OrderEvent
    failure: Failure


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do now."""


Move: TypeAlias = Begin | End | Wait


def plan_next(view: ParentView, children: Sequence[OrderView], replaced: ParentView | None, now: int) -> Move:
    """Return the next move of a parent with these children, oldest first; ``now`` is unix seconds.

    A child counts against the amount as long as its bytes might fill, whatever is known of them now:
    a reverted or cancelled swap can come back by a reorg, so what it was to trade is free again only
    when its end is final. ``replaced`` is what `ParentOrder.replaces` names; its fills count, and it
    must have ended for good before anything begins.
    """
    parent = view.parent
    if not view.is_alive or view.state is OrderState.CANCEL_PENDING:
        return Wait()
    if replaced is not None and not replaced.final:
        return Wait() if now <= parent.expires_at else _expire(parent)
    goal = parent.amount - (replaced.filled if replaced else 0)
    if goal <= 0:
        return _reject(
            "ALREADY_FILLED", f"{parent.replaces} filled {parent.amount} or more", "Nothing is left"
        )
    if refusal := _find_refusal(parent, children):
        return refusal
    if now > parent.expires_at:
        busy = any(child.state in UNDECIDED for child in children)
        return Wait() if busy else _expire(parent)
    left = _get_due(parent, goal, now) - sum(_get_committed(child) for child in children)
    return Begin(min(left, -(-goal // parent.slices))) if left > 0 else Wait()


def get_limit_bound(parent: ParentOrder, amount: int) -> int | None:
    """Return what ``limit_price`` demands for ``amount`` in base units of the other side: at least so much
    out for an exact input (rounded up), at most so much in for an exact output (rounded down); None
    without a limit. Both roundings are the trader's."""
    price = parent.limit_price
    if price is None:
        return None
    if parent.exact is Exact.IN:
        return -(-amount * price.numerator // price.denominator)
    return int(amount / price)


def _get_due(parent: ParentOrder, goal: int, now: int) -> int:
    """Return how much of ``goal`` may have been begun by now."""
    if now < parent.starts_at:
        return 0
    if parent.slices == 1:
        return goal
    begun = min(parent.slices, 1 + (now - parent.starts_at) // parent.interval_s)
    return goal * begun // parent.slices


def _get_committed(child: OrderView) -> int:
    dead = child.final and child.state is not OrderState.FILLED
    return 0 if dead or child.order is None else child.order.amount


def _find_refusal(parent: ParentOrder, children: Sequence[OrderView]) -> End | None:
    """Return why nothing more is to be tried after these children, or None."""
    for child in children:
        if child.state is OrderState.DENIED and child.failure:
            return End(OrderEvent.DENY, child.failure)
    failed = [child for child in children if child.state in _FAILED]
    if parent.fill_or_kill and failed:
        why = failed[-1].failure.found if failed[-1].failure else failed[-1].state.value
        return kill(why)
    newest = children[-MAX_FAILED_CHILDREN:]
    if len(newest) == MAX_FAILED_CHILDREN and all(child.state in _FAILED for child in newest):
        last = newest[-1].failure
        return _reject(
            "TOO_MANY_FAILURES", last.found if last else "children expired", "Look at its children"
        )
    return None


def kill(why: str) -> End:
    """Return the end of a fill-or-kill order whose only chance has passed."""
    return _reject("FILL_OR_KILL", why, "Give it again, with other bounds or without fill_or_kill")


def _expire(parent: ParentOrder) -> End:
    found = f"its time ended at {parent.expires_at}"
    return End(
        OrderEvent.EXPIRE, Failure("EXPIRED", found, "the whole amount before that", "Give a new order")
    )


def _reject(code: str, found: str, todo: str) -> End:
    return End(OrderEvent.REJECT, Failure(code, found, "a child that fills", todo))
