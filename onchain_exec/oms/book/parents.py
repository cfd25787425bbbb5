"""The part of the fold that follows parent orders: where one stands is what its children did, and what
was asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from onchain_exec.core import ParentOrder
from onchain_exec.oms.book.parent_terms import parent_from_json, parent_to_json
from onchain_exec.oms.book.states import UNDECIDED, OrderEvent, OrderState, next_parent_state
from onchain_exec.oms.book.undo import TrackedDict, UndoDict, UndoLog
from onchain_exec.oms.book.views import Failure, OrderView

_ALIVE: Final = UNDECIDED | {OrderState.PARTIAL}


class ParentView(msgspec.Struct, frozen=True, gc=False):
    """A parent order as the journal holds it.

    ``filled`` is what its filled children and those of the orders it replaced have, in base units of
    the side that `ParentOrder.exact` fixes; ``final`` says that nothing on the chain can change its
    state any more. ``promised`` says that it was accepted under ``private_only``, which its children keep.
    Times are unix seconds.
    """

    parent: ParentOrder
    state: OrderState
    created_at: int
    updated_at: int
    filled: int = 0
    children: tuple[str, ...] = ()
    failure: Failure | None = None
    final: bool = False
    promised: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it may still trade, or is being cancelled."""
        return self.state in _ALIVE

    def to_json(self) -> dict[str, Any]:
        """Return the parent order as JSON values, amounts as text."""
        return {
            **parent_to_json(self.parent),
            "state": self.state.value,
            "final": self.final,
            "filled": str(self.filled),
            "children": list(self.children),
            "failure": self.failure and self.failure.to_json(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


class Tally(NamedTuple):
    """What a parent's children are together: their filled base units, how many are without an end, and
    how many the chain can still change."""

    filled: int = 0
    undecided: int = 0
    unsettled: int = 0

    def exchange(self, before: OrderView | None, after: OrderView) -> Tally:
        """Return the tally after a child (None: a new one) became ``after``."""
        was, now = _weigh(before) if before else _NOTHING, _weigh(after)
        return Tally(*(total - old + new for total, old, new in zip(self, was, now, strict=True)))


_NOTHING: Final = Tally()


class Parents:
    """Parent orders by id. ``orders`` are the book's orders, the children among them."""

    def __init__(self, log: UndoLog, orders: Mapping[str, OrderView]) -> None:
        self.views: TrackedDict[str, ParentView] = TrackedDict(log)
        self._tallies: dict[str, Tally] = UndoDict(log)
        self._orders = orders

    def restore(self, views: Iterable[ParentView]) -> None:
        """Take in parents as they were; their children are in the book."""
        for view in views:
            tally = _NOTHING
            for child in self.get_children(view):
                tally = tally.exchange(None, child)
            self.views.update({view.parent.order_id: view})
            self._tallies[view.parent.order_id] = tally

    def accept(self, payload: dict[str, Any], recorded_at: int) -> ParentView:
        """Take in a new parent order."""
        parent = parent_from_json(payload["parent"])
        state = next_parent_state(None, OrderEvent.ACCEPT, parent.order_id)
        promised = payload.get("promised", False)  # older lines do not say
        view = ParentView(parent, state, recorded_at, recorded_at, promised=promised)
        self.views[parent.order_id] = view
        return view

    def move(self, order_id: str, happened: OrderEvent, recorded_at: int, **changes: Any) -> None:
        """Let ``happened`` happen to a parent, and cancel it if nothing of it is left to wait for."""
        view = self.views[order_id]
        state = next_parent_state(view.state, happened, order_id)
        if state is OrderState.CANCEL_PENDING and not self._get_tally(order_id).undecided:
            state = next_parent_state(state, OrderEvent.CANCEL, order_id)
        self._put(replace(view, state=state, updated_at=recorded_at, **changes))

    def follow(self, was: OrderView | None, child: OrderView, recorded_at: int) -> None:
        """Take in that a child changed from what it ``was`` (None: it is new)."""
        if child.order is None or child.order.parent_id not in self.views:
            return
        parent_id = child.order.parent_id
        before = self.views[parent_id]
        tally = self._tallies[parent_id] = self._get_tally(parent_id).exchange(was, child)
        children = before.children if was else (*before.children, child.order_id)
        filled = tally.filled + self._get_filled(before.parent.replaces)
        self._put(replace(before, children=children, filled=filled))
        for happened in _find_events(before, filled, child):
            self.move(parent_id, happened, recorded_at)
        if self.views[parent_id].state is OrderState.CANCEL_PENDING:
            self.move(parent_id, OrderEvent.ASK_CANCEL, recorded_at)

    def get_children(self, view: ParentView) -> list[OrderView]:
        """Return the children as the journal holds them, the oldest first."""
        return [self._orders[child] for child in view.children]

    def _get_filled(self, replaced: str) -> int:
        return self.views[replaced].filled if replaced in self.views else 0

    def _get_tally(self, order_id: str) -> Tally:
        return self._tallies.get(order_id, _NOTHING)

    def _put(self, view: ParentView) -> None:
        order_id = view.parent.order_id
        final = not view.is_alive and not self._get_tally(order_id).unsettled
        self.views[order_id] = replace(view, final=final)


def _weigh(child: OrderView) -> Tally:
    filled = child.order.amount if child.order and child.state is OrderState.FILLED else 0
    return Tally(filled, child.state in UNDECIDED, not child.final)


def _find_events(before: ParentView, filled: int, child: OrderView) -> Iterator[OrderEvent]:
    """Yield what a child's change means for its parent."""
    if child.state is OrderState.WORKING and before.state is OrderState.NEW:
        yield OrderEvent.SIGN
    if filled < before.filled:
        yield OrderEvent.ORPHAN
    if filled != before.filled and filled:
        yield OrderEvent.FILL if filled >= before.parent.amount else OrderEvent.FILL_PART
