"""The solver: turn by turn it settles the best batch of what rests in a book."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onchain_exec.app.path.actions import get_now
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.run import require_signer
from onchain_exec.app.solver.culprits import read_culprits
from onchain_exec.app.solver.market import SolverMarket
from onchain_exec.app.solver.place import SolverPlace
from onchain_exec.app.solver.settling import (
    SolverPolicy,
    finish,
    make_order,
    read_cost_wei,
    record_settlement,
    record_settlements,
    settle,
)
from onchain_exec.clearing.settle.order_book import OrderBook, Refusal
from onchain_exec.clearing.settle.verification import Verified, read_verified
from onchain_exec.core import BlockRef
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import FencedError, OnchainExecError, RevertError
from onchain_exec.oms import SETTLE, OrderState, OrderView, list_paused_venues
from onchain_exec.routing.matching import (
    Match,
    Mismatch,
    Solved,
    SolverCall,
    SolverTerms,
    select_orders,
    solve,
)

log = logging.getLogger(__name__)

_READ_AT_ONCE: Final = 250


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn came to: the match of what rested, its settlement, who was refused, and what the settlement
    did otherwise than it was asked to. ``costs_wei`` is the gas that it does not earn, where it was left for
    that; ``waits_for`` are settlements whose outcome must be known first."""

    match: Match | None = None
    settlement: OrderView | None = None
    refusals: tuple[Refusal, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    costs_wei: int | None = None
    waits_for: tuple[OrderView, ...] = ()


class Solver:
    """Settles a book with one account. What it knows it may forget: the next process begins from the chain,
    the journal and the book."""

    def __init__(self, context: Context, place: SolverPlace, book: OrderBook, policy: SolverPolicy) -> None:
        self._context, self._place, self._book, self._policy = context, place, book, policy
        self._market = SolverMarket()
        self._held: dict[bytes, int] = {}  # orders to be left alone, until which block
        self._is_recorded = False

    async def run(self, every_s: float) -> None:
        """Take turns until cancelled. What fails is told to the log, and tried again in the next turn."""
        while True:
            try:
                turn = await self.take_turn()
                if turn.settlement is not None:
                    log.info("settlement %s: %s", turn.settlement.tx_hash, turn.settlement.state.value)
                for mismatch in turn.mismatches:
                    log.error("%s; expected: %s", mismatch.found, mismatch.expected)
            except FencedError as error:
                log.info("another solver has the turn: %s", error)
            except OnchainExecError as error:
                log.warning("this turn settles nothing: %s", error)
            await asyncio.sleep(every_s)

    async def take_turn(self) -> Turn:
        """Settle the best batch of what rests in the book at the newest block, if there is any, and nothing
        new while the venue ``settle`` is paused.

        Raises:
            FencedError: another process has the turn at this book.
            OnchainExecError: what was not done waits for the next turn.
        """
        context = self._context
        self._hold_turn()
        if waits_for := await finish(context):
            return Turn(waits_for=waits_for)
        if not self._is_recorded:
            await record_settlements(context, self._place, self._book)
            self._is_recorded = True
        if SETTLE in list_paused_venues(context.journal.read_switches()):
            return Turn()
        block = await context.node.get_block("latest")
        verified, refusals = await self._verify(block)
        await self._refuse(refusals)
        solved = await self._solve(verified, block)
        if solved is None or solved.call is None:
            return Turn(solved.match if solved else None, refusals=refusals)
        order = make_order(context, self._place, solved.call, solved.match.hops)
        head = await context.node.get_block("latest")  # others did not wait while it was solved
        try:
            if self._policy.covers_gas:
                cost_wei = await read_cost_wei(context, order, head)
                if solved.income < cost_wei:
                    return Turn(solved.match, refusals=refusals, costs_wei=cost_wei)
            self._hold_turn()  # who solved for longer than a lease lasts may have lost it
            view = await settle(context, order, head)
        except RevertError as error:
            log.warning("the batch of this turn would revert: %s", error)
            culprits = await self._find_culprits(order, solved.call, error, block)
            await self._refuse(culprits)
            return Turn(solved.match, refusals=(*refusals, *culprits))
        self._is_recorded = view.state is OrderState.FILLED
        mismatches = await record_settlement(context, self._place, self._book, view)
        return Turn(solved.match, view, refusals, mismatches)

    def _hold_turn(self) -> None:
        domain = self._place.domain
        self._context.journal.hold_turn(domain.chain_id, domain.contract)

    async def _verify(self, block: BlockRef) -> tuple[list[Verified], tuple[Refusal, ...]]:
        """Return which of the orders that rest can be filled by a transaction after the block, and why others
        cannot; those refused lately are left alone."""
        resting = await asyncio.to_thread(self._book.list_open, get_now(self._context, block))
        self._held = {digest: until for digest, until in self._held.items() if until > block.number}
        asked = [found for found in resting if found.digest not in self._held]
        found: list[Verified | Refusal] = []
        for first in range(0, len(asked), _READ_AT_ONCE):
            part = asked[first : first + _READ_AT_ONCE]
            reading = read_verified(self._place.domain, part, self._place.solver)
            found += await self._context.node.perform(reading, block)
        verified = [one for one in found if isinstance(one, Verified)]
        return verified, tuple(one for one in found if isinstance(one, Refusal))

    async def _find_culprits(
        self, order: ActionOrder, call: SolverCall, error: RevertError, block: BlockRef
    ) -> tuple[Refusal, ...]:
        """Return which orders a batch cannot be settled with: none where it could at the block that it was
        matched at. Another was faster then, or a pool has moved, and the next turn matches anew."""
        try:
            await read_cost_wei(self._context, order, block)
        except RevertError:
            reading = read_culprits(self._place, call.batch.fills, error)
            return await self._context.node.perform(reading, block)
        return ()

    async def _refuse(self, refusals: Sequence[Refusal]) -> None:
        until = self._policy.hold_blocks
        self._held |= {refusal.digest: refusal.block_number + until for refusal in refusals}
        if refusals:
            await asyncio.to_thread(self._book.record_refusals, refusals)

    async def _solve(self, verified: Sequence[Verified], block: BlockRef) -> Solved | None:
        context, policy = self._context, self._policy
        words = {found.resting.order: found.resting.signed for found in verified}
        entries = select_orders(verified)
        if not entries:
            return None
        pools = await self._market.read(context, [entry.order for entry in entries], block)
        terms = SolverTerms(
            contract=self._place.solver,
            router=self._place.router,
            surplus_to=policy.surplus_to or require_signer(context).address,
            deadline_at=get_now(context, block) + context.policy.time_to_live_s,
            fee_bps=policy.fee_bps,
        )
        book = {entry: words[entry.order] for entry in entries}
        unit = context.profile.wrapped_native.address
        return await asyncio.to_thread(solve, book, pools, unit, terms, policy.most_orders)
