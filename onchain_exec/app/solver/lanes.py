"""An owner's own calls of the Settle contract, as orders of its journal."""

from __future__ import annotations

import uuid

from onchain_exec.app.intents.lanes import make_cancel
from onchain_exec.app.path.actions import act, decide, get_now
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.recover import continue_action
from onchain_exec.app.path.run import require_signer
from onchain_exec.app.solver.place import find_settle
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.intent_terms import LaneKey


async def cancel_lane(context: Context, lane: int, seq: int, client_order_id: str | None = None) -> OrderView:
    """Kill all of the account's signed orders on a lane up to and with ``seq``; return the order that does.

    With a ``client_order_id`` the call is idempotent, as a swap's is.

    Raises:
        ConfigError: the chain lists no Settle contract.
        RevertError: the lane is past ``seq`` already.
        DuplicateOrderError: the id is taken by an order that does something else.
    """
    block = await context.node.get_block("latest")
    earlier = context.journal.find_order(client_order_id) if client_order_id else None
    order_id = earlier.order_id if earlier else uuid.uuid4().hex
    domain = find_settle(context)
    key = LaneKey(domain.chain_id, domain.contract, require_signer(context).address, lane)
    expires_at = get_now(context, block) + context.policy.time_to_live_s
    order = make_cancel(key, seq, order_id, client_order_id or order_id, expires_at)
    if earlier is not None and (done := await continue_action(context, earlier, order)) is not None:
        return done
    return await act(context, await decide(context, order, block))
