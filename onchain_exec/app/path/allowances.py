"""What orders of one account leave one another of an allowance, in whatever process they run: an approval
replaces the one before it.
"""

from __future__ import annotations

from onchain_exec.app.path.context import Context
from onchain_exec.app.path.retrial import prove
from onchain_exec.core import Address, Order
from onchain_exec.execution import Purpose, SimulatedTx
from onchain_exec.execution.building.build import share_approval
from onchain_exec.oms.book.views import AllowanceKey
from onchain_exec.risk import Approved


def read_waiting(context: Context, order: Order, spender: Address, nonce: int | None = None) -> int:
    """Return what other orders of the account may still have pulled by the spender; see
    `Journal.read_waiting`. An allowance read before holds no grant that this does not know."""
    token = order.token_in
    key = AllowanceKey(token.chain_id, order.account, token.address, spender)
    return context.journal.read_waiting(key, order.order_id, nonce)


async def share_allowance(context: Context, simulated: SimulatedTx, nonce: int) -> SimulatedTx:
    """Return an order's approval as it has to be at its nonce, simulated again where that changes it: what
    others wait for then is granted once more. Whoever leases a later nonce sees this order wait."""
    plan = simulated.plan
    if plan.purpose is not Purpose.ALLOWANCE or not isinstance(plan.cause, Approved):
        return simulated
    waiting = read_waiting(context, plan.cause.quote.order, plan.cause.account.spender, nonce)
    shared = share_approval(plan, waiting)
    if shared == plan:
        return simulated
    return await prove(context, shared)
