"""A settlement as an order of the journal: sent along every order's path, finished after a stop, told to the
book."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from onchain_exec.app.path.actions import act, build, decide
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.recover import resume_all
from onchain_exec.app.path.run import require_signer
from onchain_exec.app.solver.place import SolverPlace
from onchain_exec.clearing.settle.events import Filled, decode_fills
from onchain_exec.clearing.settle.order_book import BookedFill, OrderBook
from onchain_exec.core import Address, BlockRef, Receipt
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import OnchainExecError
from onchain_exec.oms import SETTLE, SWAPS, OrderState, OrderView
from onchain_exec.risk.action import DeniedAction
from onchain_exec.routing.matching import Mismatch, SolverCall, decode_solver_call, find_mismatches
from onchain_exec.venues import Hop
from onchain_exec.venues.pool import list_protocols

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SolverPolicy:
    """How a solver settles.

    Attributes:
        surplus_to: who gets fees and surplus; None is the solver's account.
        fee_bps: what it keeps of what an order is paid (1e-4), as far as the order allows.
        covers_gas: whether it leaves what earns it less than the gas at the block's prices.
        most_orders: in one batch, which bounds its gas.
        hold_blocks: how long an order that could not be settled is left alone.
    """

    surplus_to: Address | None = None
    fee_bps: int = 0
    covers_gas: bool = False
    most_orders: int = 50
    hold_blocks: int = 25


def make_order(context: Context, place: SolverPlace, call: SolverCall, hops: Sequence[Hop]) -> ActionOrder:
    """Return a settlement, which swaps by ``hops``, as an order; the same one is the same order for ever. It
    may take of its account what orders give that the account itself signed."""
    data, account = call.encode(), require_signer(context).address
    label = f"settle {len(call.batch.fills)} signed orders"
    own = [fill for fill in call.batch.fills if fill.order.owner == account]
    spends = tuple(Spend(fill.order.token_in, fill.amount_in) for fill in own)
    return ActionOrder(
        order_id=uuid.uuid4().hex,
        client_order_id=f"{SETTLE}:{keccak(data).hex()}",
        account=account,
        venue=SETTLE,
        calls=(VenueCall(label, place.solver, data, spends=spends),),
        conditions=(),
        expires_at=call.deadline_at,
        through=(SWAPS, *list_protocols(hops)) if hops else (),
    )


async def read_cost_wei(context: Context, order: ActionOrder, block: BlockRef) -> int:
    """Return what a settlement costs at the block's base fee and today's tip, nothing where it is denied.
    Nothing is journalled.

    Raises:
        RevertError, EffectError, GasError: as of `settle`.
    """
    verdict = await decide(context, order, block)
    if isinstance(verdict, DeniedAction):
        return 0
    simulated = await build(context, verdict)
    return simulated.gas_used * (block.base_fee_wei + simulated.plan.fees.max_priority_fee_wei)


async def settle(context: Context, order: ActionOrder, block: BlockRef) -> OrderView:
    """Send a settlement.

    Raises:
        RevertError, EffectError, GasError: it would fail; nothing was signed, and the order is REJECTED.
    """
    return await act(context, await decide(context, order, block))


async def finish(context: Context) -> tuple[OrderView, ...]:
    """Bring the settlements that a stop left to their end, and return those that have none yet: while there
    are any, nothing else is to be settled.

    One that was never signed is sent as it was, if it still settles.
    """
    if not _list_open(context):
        return ()
    await resume_all(context)
    for view in _list_open(context):
        if view.state is OrderState.NEW and view.action is not None:
            block = await context.node.get_block("latest")
            try:
                await act(context, await decide(context, view.action, block))
            except OnchainExecError as error:  # it is REJECTED now, or waits for the node
                log.warning("settlement %s was not sent: %s", view.order_id, error)
    return _list_open(context)


def _list_open(context: Context) -> tuple[OrderView, ...]:
    account = require_signer(context).address
    return tuple(
        view
        for view in context.journal.read_open().orders
        if view.action and (view.action.venue, view.action.account) == (SETTLE, account)
    )


async def record_settlements(context: Context, place: SolverPlace, book: OrderBook) -> None:
    """Tell the book the fills of every settlement that the chain could still take back, each once."""
    for view in context.journal.read_orders():
        if view.action and view.action.venue == SETTLE and view.state is OrderState.FILLED and not view.final:
            await record_settlement(context, place, book, view)


async def record_settlement(
    context: Context, place: SolverPlace, book: OrderBook, view: OrderView
) -> tuple[Mismatch, ...]:
    """Tell the book the fills of a settlement, if it was mined and succeeded, and return what it did
    otherwise than it was asked to: nothing, or a contract or token is not what it should be."""
    receipt = await context.node.get_receipt(view.tx_hash) if view.tx_hash else None
    if not view.action or not receipt or not receipt.success or receipt.to != place.solver:
        return ()
    call, contract = decode_solver_call(view.action.calls[0].data, place.solver), place.domain.contract
    told = decode_fills(receipt.logs, contract)
    digests = {
        (fill.order.owner, fill.order.lane, fill.order.seq): place.domain.get_digest(fill.order)
        for fill in call.batch.fills
    }
    named = [(digests.get((fill.owner, fill.lane, fill.seq)), fill) for fill in told]
    booked = tuple(_book(digest, fill, receipt) for digest, fill in named if digest)
    await asyncio.to_thread(book.record_fills, booked)
    return find_mismatches(call, receipt.logs, contract, place.solver)


def _book(digest: bytes, filled: Filled, receipt: Receipt) -> BookedFill:
    return BookedFill(
        digest=digest,
        amount_in=filled.amount_in,
        amount_out=filled.amount_out,
        fee=filled.fee,
        tx_hash=receipt.tx_hash,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        log_index=filled.log.index,
    )
