"""The journal: the only memory of what was signed, and the only maker of `DurableTx`.

Every ``append_`` and ``write_`` is one transaction that survives power loss when it returns. A reserved
nonce survives the end of the process; power loss may free it, which harms nobody: nothing was signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from onchain_exec.core import Address, Order, ParentOrder, Receipt
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import InputError, OnchainExecError, RevertError
from onchain_exec.execution.channels import Decision, TrackRecord
from onchain_exec.execution.delivery.outcome import Outcome, SendOutcome
from onchain_exec.execution.plan import DurableTx, Purpose, SignedTx
from onchain_exec.oms.book import allowances, conduct, decisions, events, nonces
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind, Reservation
from onchain_exec.oms.book.parents import ParentView
from onchain_exec.oms.book.states import OPEN, OrderEvent
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.oms.book.switches import Switch, SwitchState
from onchain_exec.oms.book.views import AllowanceKey, Consumer, Failure, OrderView, SlotKey, SlotView
from onchain_exec.oms.intent_journal import IntentJournal
from onchain_exec.oms.storage import open_database
from onchain_exec.oms.store import CHECKPOINT_LINES, Store, then
from onchain_exec.risk import Denied
from onchain_exec.risk.action import DeniedAction
from onchain_exec.routing import Quote

Found = TypeVar("Found")
View = TypeVar("View", OrderView, ParentView, SlotView)


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What a start-up has to look at: orders without an end, and slots whose signed bytes may still
    be mined, with all their attempts; slots in the order of their nonces."""

    orders: tuple[OrderView, ...]
    slots: tuple[SlotView, ...]


class Journal:
    """One journal; open it with `open`, use it as a context manager, from any thread.

    Several processes of one machine may hold the same file, those of several hosts the same
    PostgreSQL database. Do not carry one over a fork. ``intents`` is its part for them.
    """

    def __init__(self, store: Store, confirmed_depth: int) -> None:
        self._store, self._confirmed_depth = store, confirmed_depth
        self.intents = IntentJournal(store)

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        confirmed_depth: int = 12,
        timeout_s: float = 5.0,
        lease_s: float = 10.0,
        clock: Callable[[], float] = time.time,
        checkpoint_lines: int = CHECKPOINT_LINES,
    ) -> Self:
        """Open the journal at a path, or at a ``postgresql+psycopg://`` URL; make it if it is not there.

        ``confirmed_depth`` is how many blocks deep (the including one counts) a transaction is
        CONFIRMED. ``timeout_s`` bounds the wait for other processes; ``clock`` gives unix seconds.
        In PostgreSQL one process at a time writes an account: ``lease_s`` after its last nonce or
        signature another one may take the account over. A start reads the checkpoint and what came after
        it; a thread adds to it after every ``checkpoint_lines``.

        Raises:
            JournalError: it is locked, damaged, changed, of another program or version, or may not
                be written.
            MissingToolError: a URL, and the extra ``postgres`` is not installed.
        """
        store = Store(open_database(where, timeout_s, lease_s), clock, checkpoint_lines)
        return cls(store, confirmed_depth)

    def close(self) -> None:
        """Release the journal. What was reserved and not signed becomes free."""
        self._store.close()

    def verify(self) -> int:
        """Read every line, from the first, and compare what they give with what is held; return how many they
        are. A start trusts its checkpoint for the lines before it.

        Raises:
            JournalError: a line was changed or moved, or the checkpoint is not what its lines give.
        """
        return self._store.verify()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append_order(self, order: Order, quote: Quote, *, promised: bool = False) -> OrderView:
        """Record an accepted order; return it, or the one that its ``client_order_id`` already has. With
        ``promised`` whatever is signed of it is private, now and after any restart.

        Raises:
            DuplicateOrderError: the id is taken by an order with other terms.
        """
        return self._append_order(
            order, lambda before: None if before else events.order_accepted(order, quote, promised=promised)
        )

    def append_revocation(self, order_id: str, *, promised: bool = False) -> OrderView:
        """Record that an approval is to be taken back, as an order of its own; return it. It has no
        terms; FILLED says that the approval is gone. ``promised`` as of `append_order`."""
        accepted = events.revocation_accepted(order_id, promised=promised)
        return self._append_to(order_id, lambda book: iter(() if order_id in book.orders else (accepted,)))

    def append_action(self, order: ActionOrder, *, promised: bool = False) -> OrderView:
        """Record an accepted action at a venue; return it, or the one that its ``client_order_id`` has.
        ``promised`` as of `append_order`.

        Raises:
            DuplicateOrderError: the id is taken by an order that does something else.
        """
        return self._append_action(order, events.action_accepted(order, promised=promised))

    def append_action_denial(self, denied: DeniedAction) -> OrderView:
        """Record a refusal of an action, unless its ``client_order_id`` has another one; return either.

        Raises:
            DuplicateOrderError: as of `append_action`.
        """
        return self._append_action(denied.order, events.action_denied(denied))

    def append_denial(self, quote: Quote, denied: Denied) -> OrderView:
        """Record a refusal. Another order that the ``client_order_id`` already has stays untouched,
        and is returned.

        Raises:
            DuplicateOrderError: the id is taken by an order with other terms.
        """
        return self._append_order(denied.order, lambda _: events.order_denied(quote, denied))

    def append_failure(self, order_id: str, error: OnchainExecError) -> OrderView:
        """Record that an order, accepted or not, failed before any swap bytes existed; return it. One that
        has bytes, so that only the chain can tell how it ends, or an end, stays as it is."""
        return self._append_to(order_id, lambda book: decisions.fail(book, order_id, error))

    def append_expiry(self, order_id: str) -> OrderView:
        """Record that the time of an order, or action, passed before any bytes of it existed; return it. One
        that has bytes, or an end, stays as it is."""
        return self._append_to(order_id, lambda book: decisions.expire(book, order_id))

    def append_parent(self, parent: ParentOrder, *, promised: bool = False) -> ParentView:
        """Record a parent order, and that what it replaces is to be cancelled; return it, or the one that
        its ``client_order_id`` already has. ``promised`` as of `append_order`, for each of its children.

        Raises:
            DuplicateOrderError: the id is taken by an order with other terms.
        """
        found = self._append(
            lambda book: decisions.accept_parent(book, parent, promised=promised),
            lambda book: decisions.find_same_parent(book, parent),
        )
        return _require(found, parent.order_id)

    def append_parent_end(self, order_id: str, happened: OrderEvent, failure: Failure) -> ParentView:
        """Record that a parent order trades no more (EXPIRE, DENY or REJECT), unless it has ended."""
        return self._append(
            lambda book: decisions.end_parent(book, order_id, happened, failure),
            lambda book: book.parents.views[order_id],
        )

    def append_cancel(self, order_id: str) -> None:
        """Record that an order, or a parent with its children, is to be cancelled: what has no swap bytes
        is CANCELLED now, the rest CANCEL_PENDING until a cancel takes the nonce. One that has ended
        stays as it is."""
        self._store.append_new(lambda book: decisions.ask_cancel(book, order_id))

    def append_switch(self, scope: str, state: SwitchState, reason: str = "") -> None:
        """Record that a scope (see `oms.book.switches`) stops or runs again, in every process."""
        self._store.append_new(lambda book: decisions.set_switch(book, scope, state, reason))

    def reserve_nonce(
        self, chain_id: int, account: Address, order_id: str, purpose: Purpose, chain_nonce_floor: int
    ) -> int:
        """Return a nonce that no other order holds: the lowest free one.

        ``chain_nonce_floor`` is the account's nonce at the head. The journal may be ahead of it; a
        node that lags behind what was seen before changes nothing. A slot that a dead process (or
        a refused order) left without signed bytes is used again, so no gap stays. Asking again for
        the same order and purpose before signing returns the same nonce.

        Raises:
            JournalError: the order has signed swap bytes, or an end, and gets no others; or the account
                lends code by a transaction on its way, which may take the nonce.
            FencedError: another process writes the account.
        """
        chain = SlotKey(chain_id, account, chain_nonce_floor)

        def decide(book: Book) -> Generator[Event, None, int]:
            _require(book.orders.get(order_id), order_id)
            wanted = Reservation(order_id, purpose, self._store.leases.take(chain_id, account))
            slot = yield from nonces.reserve(book, chain, wanted, self._store.leases.is_live)
            return slot.nonce

        return self._store.append(decide, survives_power_loss=False)[0]

    def hold_turn(self, chain_id: int, contract: Address) -> None:
        """Take or keep the turn at the book of orders that a contract settles: one process at a time has it.
        In PostgreSQL another may have it ``lease_s`` after it was last asked for.

        Raises:
            FencedError: another process has it.
        """
        self._store.ask(lambda _: self._store.leases.hold(chain_id, contract))

    def write_signed(self, order_id: str, signed: SignedTx, *, private: bool = False) -> DurableTx:
        """Write signed bytes down; when this returns they survive a crash, and may be sent.

        ``private`` ones go to private endpoints only, now and after any restart, and so does whatever
        replaces them but a cancel.

        Raises:
            JournalError: the slot already holds other bytes, or the bytes lend code and the next nonce, which
                that takes, is given out. Do not send.
            HaltedError: a pause, or the kill switch, forbids it. Do not send.
            FencedError: the slot is not the order's, or another process took the account over since
                it was reserved. Do not send.
        """
        plan = signed.simulated.plan
        key = SlotKey(plan.block.chain_id, plan.sender, signed.nonce)

        def decide(book: Book) -> Iterator[Event]:
            session = self._store.leases.take(key.chain_id, key.account)
            return decisions.sign(book, order_id, key, signed, session, private=private)

        slot = self._append(decide, lambda book: book.slots[key])
        return next(attempt.tx for attempt in slot.attempts if attempt.tx.tx_hash == signed.tx_hash)

    def append_channel(self, order_id: str, decision: Decision) -> None:
        """Record which way an order goes out, unless it goes that way already. An order whose newest choice
        is public has no private bytes any more.

        Raises:
            JournalError: it was accepted under ``private_only``, and the choice is public.
        """
        self._store.append_new(lambda book: conduct.choose(book, order_id, decision))

    def append_leak(self, slot: SlotKey, tx_hash: str) -> None:
        """Record that others were seen to have a private transaction which stands in no block."""
        self._store.append_new(lambda book: conduct.leak(book, slot, tx_hash))

    def append_surroundings(self, order_id: str, found: Surroundings) -> None:
        """Record who was around an order's fill, if that is still its fill."""
        self._store.append_new(lambda book: conduct.watch(book, order_id, found))

    def append_send_outcome(self, durable: DurableTx, outcome: SendOutcome) -> None:
        """Record what a node said, or that it said nothing, when the bytes were sent."""
        self._store.append_new(
            lambda book: iter((events.tx_sent(decisions.get_slot(book, durable), outcome),))
        )

    def append_outcome(self, durable: DurableTx, outcome: Outcome) -> OrderView:
        """Record how waiting for a transaction ended; return its order.

        StillUnknown appends nothing, and neither does Superseded by another attempt of ours: that
        one has an outcome of its own.
        """
        return self._append_to(
            durable.order_id, lambda book: decisions.conclude(book, durable, outcome, self._confirmed_depth)
        )

    def append_receipt(
        self, seen: SlotView, receipt: Receipt, confirmations: int, reason: RevertError | str = ""
    ) -> tuple[Event, ...]:
        """Record that an attempt of ours consumes the slot, instead of whatever was ``seen`` to before the
        chain was looked at: another consumer, recorded since by somebody else, stands.

        ``confirmations`` counts the including block. Returns the events that were new.
        """

        def find(book: Book) -> Iterator[Event]:
            yield from decisions.consume(book, seen.key, receipt, reason)
            if confirmations >= self._confirmed_depth:
                yield from decisions.confirm(book, seen.key)

        return self._store.append_new(lambda book: decisions.correct(book, seen, find(book)))

    def append_foreign(self, seen: SlotView, tx_hash: str) -> tuple[Event, ...]:
        """Record that a transaction which is not ours consumes the slot; return what was new. ``seen`` as of
        `append_receipt`."""
        return self._store.append_new(
            lambda book: decisions.correct(book, seen, decisions.lose(book, seen.key, tx_hash))
        )

    def append_orphaned(self, seen: SlotView) -> tuple[Event, ...]:
        """Record that the slot's consumer is no longer on the chain; return what was new. ``seen`` as of
        `append_receipt`."""
        return self._store.append_new(
            lambda book: decisions.correct(book, seen, decisions.orphan(book, seen.key))
        )

    def append_final(self, slot: SlotKey) -> tuple[Event, ...]:
        """Record that the slot's consumer is finalised: the slot is closed. Return what was new."""
        return self._store.append_new(lambda book: decisions.finalise(book, slot))

    def append_allowances(self, found: Mapping[AllowanceKey, int]) -> tuple[Event, ...]:
        """Record what the chain lets others pull where the journal has it otherwise; return what was new."""
        return self._store.append_new(lambda book: allowances.correct(book, found))

    def read_allowances(self, chain_id: int) -> dict[AllowanceKey, int]:
        """Return what others were last found able to pull on that chain, in base units; what they were found
        unable to any more is 0."""
        known = self._store.ask(lambda book: dict(book.allowances))
        return {key: found.amount for key, found in known.items() if key.chain_id == chain_id}

    def read_waiting(self, key: AllowanceKey, besides: str, nonce: int | None = None) -> int:
        """Return what other orders than ``besides`` were granted of an allowance and may still have pulled,
        in base units; with ``nonce``, what an approval there has to leave them."""
        return self._store.ask(lambda book: allowances.sum_waiting(book, key, besides, nonce))

    def read_needed(self, keys: Iterable[AllowanceKey]) -> dict[AllowanceKey, int]:
        """Return what orders under way may yet have pulled of each allowance at the most, in base units."""
        return self._store.ask(lambda book: {key: allowances.sum_needed(book, key) for key in keys})

    def read_order(self, name: str) -> OrderView:
        """Return the order of that id, client order id or transaction hash, or raise InputError."""

        def find(book: Book) -> OrderView | None:
            slot = book.slots.get(book.tx_slots[name]) if name in book.tx_slots else None
            order_id = slot.order_id if slot else book.client_ids.get(name, name)
            return book.orders.get(name) or book.orders.get(order_id)

        return _require(self._store.ask(find), name)

    def find_order(self, client_order_id: str) -> OrderView | None:
        """Return the order of that client order id, or None."""
        return self._store.ask(lambda book: book.orders.get(book.client_ids.get(client_order_id, "")))

    def read_orders(self) -> tuple[OrderView, ...]:
        """Return every order, oldest first."""
        return self._store.ask(lambda book: tuple(book.orders.values()))

    def read_children(self, parent: ParentView) -> tuple[OrderView, ...]:
        """Return a parent's children as they stand now, oldest first."""
        return self._store.ask(lambda book: tuple(book.parents.get_children(parent)))

    def read_parents(self) -> tuple[ParentView, ...]:
        """Return every parent order, oldest first."""
        return self._store.ask(lambda book: tuple(book.parents.views.values()))

    def find_parent(self, name: str) -> ParentView | None:
        """Return the parent order of that id or client order id, or None."""
        return self._store.ask(lambda book: book.parents.views.get(book.client_ids.get(name, name)))

    def read_switches(self) -> dict[str, Switch]:
        """Return what was stopped, or runs again after that, by scope."""
        return self._store.ask(lambda book: dict(book.switches))

    def read_slot(self, slot: SlotKey) -> SlotView:
        """Return the slot, or raise InputError."""
        return _require(self._store.ask(lambda book: book.slots.get(slot)), str(slot))

    def read_slots(self) -> tuple[SlotView, ...]:
        """Return every slot, by chain, account and nonce."""
        return self._store.ask(lambda book: tuple(book.slots[key] for key in sorted(book.slots)))

    def read_unsettled(self) -> tuple[SlotView, ...]:
        """Return the slots without a final consumer, by chain, account and nonce."""
        return self._store.ask(_list_unsettled)

    def read_open(self) -> OpenWork:
        """Return the orders without an end and the slots whose bytes may still be mined."""
        orders, slots = self._store.ask(
            lambda book: (tuple(map(book.orders.__getitem__, book.undecided)), _list_unsettled(book))
        )
        return OpenWork(orders, tuple(slot for slot in slots if slot.state in OPEN and slot.attempts))

    def read_positions(self) -> dict[tuple[int, Address, Address], int]:
        """Return base units by (chain id, owner, token), summed over the canonical fills."""
        return self._store.ask(lambda book: dict(book.positions))

    def read_tops(self, chain_id: int) -> dict[Address, int]:
        """Return the nonce after the highest that was ever reserved, by account of that chain."""
        tops = self._store.ask(lambda book: dict(book.tops))
        return {account: top for (chain, account), top in tops.items() if chain == chain_id}

    def read_gas_wei(self) -> dict[tuple[int, Address], int]:
        """Return wei paid for canonical transactions of ours, by (chain id, account)."""
        return self._store.ask(lambda book: dict(book.gas_wei))

    def read_records(self) -> dict[str, TrackRecord]:
        """Return what the chain has shown of each channel, by its name, and of each endpoint that
        acknowledged what was mined, by ``CHANNEL@ENDPOINT``."""
        return self._store.ask(lambda book: dict(book.records))

    def find_newest_final(self, chain_id: int) -> Consumer | None:
        """Return the highest transaction of ours on that chain that is final, or None."""
        return self._store.ask(lambda book: book.newest_final.get(chain_id))

    def follow(self, timeout_s: float) -> Iterator[Event]:
        """Yield what anyone appends from now on, as it comes, until nothing came for ``timeout_s``.

        "Now" is the call, not the first event. Use it from a thread of its own.
        """
        return _until_idle(self._store.tail(timeout_s))

    def tail(self, idle_s: float) -> Generator[Event | None]:
        """Yield what anyone appends from now on, and None whenever nothing came for ``idle_s``; without
        end, so close it. "Now" is the call; use it from a thread of its own."""
        return self._store.tail(idle_s)

    def is_abandoned(self, slot: SlotView) -> bool:
        """Return whether the slot was reserved, never signed, and whoever reserved it is gone."""
        return self._store.ask(lambda book: nonces.is_free(book, slot, self._store.leases.is_live))

    def is_left_out(self, key: SlotKey) -> bool:
        """Return whether nobody has a nonce below others that are given out: lending code was to take it."""
        return self._store.ask(lambda book: nonces.is_left_out(book, key))

    def _append(self, decide: decisions.Decision, find: Callable[[Book], Found]) -> Found:
        return self._store.append(then(decide, find))[0]

    def _append_to(self, order_id: str, decide: decisions.Decision) -> OrderView:
        return self._append(decide, lambda book: book.orders[order_id])

    def _append_action(self, order: ActionOrder, event: Event) -> OrderView:
        def decide(book: Book) -> Iterator[Event]:
            before = decisions.find_same_action(book, order)
            denies = event.kind is EventKind.ORDER_DENIED and before and before.order_id == order.order_id
            if before is None or denies:
                yield event

        found = self._append(decide, lambda book: decisions.find_same_action(book, order))
        return _require(found, order.order_id)

    def _append_order(self, order: Order, make: Callable[[OrderView | None], Event | None]) -> OrderView:
        """Append what ``make`` says of this order, unless its client order id has another one."""

        def decide(book: Book) -> Iterator[Event]:
            before = decisions.find_same(book, order)
            if before is None or before.order_id == order.order_id:
                event = make(before)
                if event:
                    yield event

        return _require(self._append(decide, lambda book: decisions.find_same(book, order)), order.order_id)


def _list_unsettled(book: Book) -> tuple[SlotView, ...]:
    return tuple(book.slots[key] for key in sorted(book.unsettled))


def _until_idle(news: Iterator[Event | None]) -> Iterator[Event]:
    for event in news:
        if event is None:
            return
        yield event


def _require(view: View | None, name: str) -> View:
    if view is None:
        raise InputError(
            f"the journal knows no {name!r}", todo="List what it holds with `onchain-exec orders`"
        )
    return view
