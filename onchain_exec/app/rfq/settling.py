"""An offer settled as an order of the journal, along the path of every action."""

from __future__ import annotations

import uuid
from typing import Final

from onchain_exec.app.path.actions import act, decide, get_now
from onchain_exec.app.path.context import Context
from onchain_exec.app.rfq.offer import Offer
from onchain_exec.clearing.settle.batch import encode_take
from onchain_exec.core import Address, BlockRef
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.oms import SETTLE, OrderState, OrderView

VENUE: Final = "settle_rfq"
"""What the journal calls where quotes are settled."""


async def settle(context: Context, offer: Offer, contract: Address, block: BlockRef) -> OrderView:
    """Take an offer (``Settle.take``); a second one for the same request is the same order.

    Raises:
        RevertError, EffectError, GasError: it would fail; nothing was signed, and the order is REJECTED.
    """
    request = offer.request
    call = VenueCall(
        f"take {offer.amount_out} {request.token_out} for {offer.amount_in} {request.token_in}",
        contract,
        encode_take(offer.fill),
        spends=(Spend(request.token_in.address, offer.amount_in, contract),),
    )
    until = get_now(context, block) + context.policy.time_to_live_s
    order = ActionOrder(
        order_id=uuid.uuid4().hex,
        client_order_id=request.request_id,
        account=request.taker,
        venue=VENUE,
        calls=(call,),
        conditions=(),
        expires_at=min(until, offer.resting.order.deadline_at),
        through=(SETTLE,),
    )
    return await act(context, await decide(context, order, block))


async def find_settled(context: Context, request_id: str) -> OrderView | None:
    """Return the request's order if the journal has it. One that a stop left unsigned goes on from there;
    bytes that are signed are the engine's to look after."""
    view = context.journal.find_order(request_id)
    if view is None or view.action is None or view.action.venue != VENUE:
        return None
    if view.state is not OrderState.NEW:
        return view
    block = await context.node.get_block()
    return await act(context, await decide(context, view.action, block))
