"""From an approved order to its intent: its allowance, a lane of its own, the signature, the journal."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.app.intents.offer import require_domain
from onchain_exec.app.path.allowances import read_waiting
from onchain_exec.app.path.context import Context, Step
from onchain_exec.app.path.retrial import prove
from onchain_exec.clearing.settle import Domain, Lane, Signed
from onchain_exec.clearing.settle.contract import LANE_OF
from onchain_exec.core import BlockRef, Call, Order
from onchain_exec.execution import Signer, SimulatedTx, read_fees
from onchain_exec.execution.allowances.grant import find_approvals_for
from onchain_exec.execution.building.build import build_approvals, rebase
from onchain_exec.execution.delivery.sign import sign_message
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.intent_terms import IntentTerms, LaneKey, get_lane
from onchain_exec.risk import Approved, Denied, check
from onchain_exec.routing import Quote
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_allowance


async def prepare_approvals(context: Context, approved: Approved) -> tuple[SimulatedTx, ...] | Denied:
    """Return the approvals that Settle lacks to pull what the order sells besides the account's other intents
    of the token, simulated; mostly none. The limits may deny them.

    Raises:
        ConfigError, OrderBookError: as of `require_domain`: who has no book needs no approval for it.
        NodeError, GasError, RevertError, EffectError: as of `simulate`.
    """
    order, domain, node = approved.quote.order, await require_domain(context), context.node
    reading = read_allowance(order.token_in, order.account, domain.contract)
    allowance = await node.perform(reading, approved.quote.block)
    waiting = read_waiting(context, order, domain.contract)
    account = replace(approved.account, spender=domain.contract, allowance=allowance, waiting=waiting)
    verdict = check(approved.quote, account, context.policy.limits, context.now(), approved.reference)
    if isinstance(verdict, Denied):
        return verdict
    block = await node.get_block()
    amounts = await node.perform(find_approvals_for(verdict), block)
    if not amounts:
        return ()
    fees = await read_fees(node, block, context.policy.max_fee_wei)
    last = rebase(build_approvals(verdict, fees, amounts)[-1], block)
    simulated = await prove(context, last)
    return (*simulated.depends_on, simulated)


async def sign_intent(context: Context, signer: Signer, quote: Quote) -> OrderView:
    """Sign an order for the Settle contract, at the bound of its quote, and write that down: after this a
    crash loses nothing, and nothing else is ever signed for the order.

    Raises:
        ConfigError: the book serves another contract, or chain.
        OrderBookError: the book does not answer.
        SignerError, PolicyError: as of `sign_message`.
        HaltedError, JournalError: as of `IntentJournal.append_signed`. Nobody has seen the signature.
    """
    order, domain = quote.order, await require_domain(context)
    head = await context.node.get_block()
    terms = IntentTerms(
        chain_id=domain.chain_id,
        contract=domain.contract,
        lane=await _find_lane(context, order, domain, head),
        amount_in=quote.amount_in_max,
        amount_out=quote.amount_out_min,
        deadline_at=_get_deadline(context, order, head),
        since_block=head.number,
    )
    message = domain.get_typed_data(terms.make_order(order))
    signed = Signed.by_key(bytes(await sign_message(message, order.account, signer)))
    view = context.journal.intents.append_signed(quote, terms, signed)
    context.observe(Step.INTENDED, view)
    return view


def _get_deadline(context: Context, order: Order, head: BlockRef) -> int:
    now = max(context.now(), head.timestamp)  # a quiet local chain's head may lie far from our clock
    return min(order.expires_at, now + context.policy.channels.intent_s)


async def _find_lane(context: Context, order: Order, domain: Domain, head: BlockRef) -> int:
    """Return the order's first lane that neither the journal nor the chain knows of."""
    taken = 0
    while await _is_taken(context, _key(domain, order, taken), head):
        taken += 1
    return get_lane(order.order_id, taken)


def _key(domain: Domain, order: Order, taken: int) -> LaneKey:
    return LaneKey(domain.chain_id, domain.contract, order.account, get_lane(order.order_id, taken))


async def _is_taken(context: Context, key: LaneKey, head: BlockRef) -> bool:
    if context.journal.intents.has_lane(key):
        return True
    asked = Call(key.contract, LANE_OF.encode(key.owner, key.lane))
    (answer,) = (await context.node.read_calls([asked], head)).answers
    return Lane(*decode_answer(LANE_OF, key.contract, answer)) != Lane()
