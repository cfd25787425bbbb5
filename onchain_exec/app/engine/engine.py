"""The engine's loop. It keeps nothing: each turn follows from the journal and the chain, so the first
turn after a start is the recovery."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import replace

from onchain_exec.app.channels.around import watch_trade
from onchain_exec.app.channels.care import look_after_private
from onchain_exec.app.configuration.switched_signer import SwitchedSigner
from onchain_exec.app.engine.children import Chance, advance, begin, end_parent
from onchain_exec.app.engine.lane import Lane
from onchain_exec.app.engine.slots import care_for, fill_gap
from onchain_exec.app.intents.care import look_after_intents
from onchain_exec.core import Address, BlockRef, ParentOrder
from onchain_exec.errors import FinalityError, GasError, HaltedError, InputError, NodeError
from onchain_exec.execution import Fees, read_fees
from onchain_exec.oms import (
    EVERYTHING,
    SWAPS,
    Journal,
    OrderState,
    OrderView,
    ParentView,
    SlotView,
    SwitchState,
    is_killed,
    reconcile,
    require_running,
    require_venues_running,
)
from onchain_exec.oms.book.events import EventKind
from onchain_exec.oms.engine import Begin, End, Wait, plan_next, require_tradable

log = logging.getLogger(__name__)


class Engine:
    """Trades the parent orders of one journal over its lanes, one per chain.

    An account trades one order of a token at a time, since what is on its way counts on balance and
    allowance; several accounts of a parent trade side by side.
    """

    def __init__(self, journal: Journal, lanes: Iterable[Lane], *, poll_s: float = 1.0) -> None:
        self.journal = journal
        self.lanes = tuple(
            replace(
                lane, signers={key: SwitchedSigner(inner, journal) for key, inner in lane.signers.items()}
            )
            for lane in lanes
        )
        self._poll_s = poll_s
        self._draining = False
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, parent: ParentOrder, *, reduce_only: bool = False) -> ParentView:
        """Take in a parent order, durably; the next turn begins it. The same client order id and terms
        again are the same order.

        Raises:
            InputError: terms that cannot be traded (see `require_tradable`).
            DuplicateOrderError: the id is taken by an order with other terms.
        """
        chain_id = parent.token_in.chain_id
        lane = next((lane for lane in self.lanes if lane.chain_id == chain_id), None)
        if lane is None or not lane.signers.keys() & set(parent.accounts):
            raise InputError(
                f"an order of {', '.join(parent.accounts)} on chain {chain_id}",
                needed="a chain and an account that the engine trades",
            )
        if parent.replaces and self.journal.find_parent(parent.replaces) is None:
            raise InputError(f"the journal knows no parent {parent.replaces!r} to replace")
        require_tradable(parent, lane.context.now(), reduce_only=reduce_only)
        view = self.journal.append_parent(parent, promised=lane.context.policy.private_only)
        self.wake()
        return view

    def wake(self) -> None:
        """Take the next turn now. Call it from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def drain(self) -> None:
        """Begin nothing more; `run` returns when no bytes are on their way. Call it from any thread."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        """Take turns until drained. What a node fails at waits for the next turn."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            await _all(self._turn(lane) for lane in self.lanes)
            if self._draining and not self._is_busy():
                return
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def turn(self, lane: Lane) -> None:
        """Bring the journal up to the chain, look after what is on its way, and begin what is due. Once
        killed, only the journal follows the chain.

        Raises:
            NodeError: the node fails; the rest waits for the next turn.
            HaltedError: it was killed meanwhile.
            FinalityError: a final block is gone: everything is killed now.
        """
        context = lane.context
        head = await context.node.get_block("latest")
        try:
            found = await reconcile(context.node, self.journal, allowances=False)
        except FinalityError as error:
            self.journal.append_switch(EVERYTHING, SwitchState.KILLED, str(error))
            raise
        for difference in found.breaks:
            log.warning("%s: %s", difference.code, difference.found, extra={"order_id": difference.order_id})
        if is_killed(self.journal.read_switches()):
            return
        await look_after_private(context, head)
        for event in found.corrections:
            if event.kind is EventKind.TX_MINED:
                await watch_trade(context, event.order_id)
        now = max(context.now(), head.timestamp)
        fees = await _find_fees(lane, head)
        await _all(care_for(lane, account, head, fees, now) for account in self._list_accounts(lane))
        await look_after_intents(context, lane.signers, head)
        if fees is None:
            return
        if not self._draining:
            await self._trade(lane, head, now)
        await self._fill_gaps(lane, head, fees)

    async def _turn(self, lane: Lane) -> None:
        try:
            await self.turn(lane)
        except (NodeError, HaltedError, FinalityError) as error:
            log.warning("chain %s waits: %s", lane.chain_id, error)

    async def _trade(self, lane: Lane, head: BlockRef, now: int) -> None:
        open_work = self.journal.read_open()
        on_their_way = {slot.order_id for slot in open_work.slots}
        waiting = [
            order
            for order in open_work.orders
            if order.state is OrderState.NEW
            and self._is_ours(lane, order)
            and order.order_id not in on_their_way
        ]
        await _all(advance(lane, order, head, now) for order in waiting)
        chances = tuple(self._find_chances(lane, now))
        await _all(begin(lane, chance, head, now) for chance in chances)

    async def _fill_gaps(self, lane: Lane, head: BlockRef, fees: Fees) -> None:
        await _all(fill_gap(lane, account, head, fees) for account in self._list_accounts(lane))

    def _find_chances(self, lane: Lane, now: int) -> Iterator[Chance]:
        """Yield the parents that may begin a child, each with an account that is free; end those that
        have come to their end."""
        busy = self._list_busy(lane)
        for view in self.journal.read_parents():
            if view.parent.token_in.chain_id != lane.chain_id or not view.is_alive:
                continue
            children = self.journal.read_children(view)
            replaced = self.journal.find_parent(view.parent.replaces) if view.parent.replaces else None
            match plan_next(view, children, replaced, now):
                case Begin(amount):
                    account = self._find_account(lane, view, busy)
                    if account is not None:
                        busy.add((account, view.parent.token_in.address))
                        yield Chance(view, amount, account)
                case End() as end:
                    end_parent(lane, view, end)
                case Wait():
                    pass

    def _find_account(
        self, lane: Lane, view: ParentView, busy: set[tuple[Address, Address]]
    ) -> Address | None:
        """Return a free account of the parent's, another one first each time; None if none is."""
        accounts = view.parent.accounts
        first, switches = len(view.children) % len(accounts), self.journal.read_switches()
        for account in (*accounts[first:], *accounts[:first]):
            if account in lane.signers and (account, view.parent.token_in.address) not in busy:
                try:
                    require_running(switches, account)
                    require_venues_running(switches, (SWAPS,))
                except HaltedError:
                    continue
                return account
        return None

    def _list_busy(self, lane: Lane) -> set[tuple[Address, Address]]:
        """Return account and token of everything that is on its way, or about to be."""
        open_work = self.journal.read_open()
        orders = [*open_work.orders, *(self.journal.read_order(slot.order_id) for slot in open_work.slots)]
        return {
            (view.order.account, view.order.token_in.address)
            for view in orders
            if view.order and view.order.token_in.chain_id == lane.chain_id
        }

    def _list_accounts(self, lane: Lane) -> Sequence[Address]:
        """Return the accounts that have something on its way and are not killed, whether or not we can
        sign for them."""
        switches = self.journal.read_switches()
        accounts = {slot.key.account for slot in self._list_open(lane)}
        return sorted(account for account in accounts if not is_killed(switches, account))

    def _list_open(self, lane: Lane) -> list[SlotView]:
        return [slot for slot in self.journal.read_open().slots if slot.key.chain_id == lane.chain_id]

    def _is_ours(self, lane: Lane, view: OrderView) -> bool:
        order = view.order
        if order is None or not order.parent_id or order.token_in.chain_id != lane.chain_id:
            return False
        return order.account in lane.signers

    def _is_busy(self) -> bool:
        waiting = (view for lane in self.lanes for view in self.journal.intents.read_unsettled(lane.chain_id))
        return any(view.intent and view.intent.end is None for view in waiting) or any(
            self._list_open(lane) for lane in self.lanes
        )


async def _find_fees(lane: Lane, head: BlockRef) -> Fees | None:
    """Return what a new transaction would pay, or None while that is beyond the budget: what was signed is
    sent again then, and nothing else."""
    try:
        return await read_fees(lane.context.node, head, lane.context.policy.max_fee_wei)
    except GasError as error:
        log.warning("chain %s: nothing new is signed: %s", lane.chain_id, error)
        return None


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Do everything side by side, to its end; then raise what failed first."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
