"""Broadcast journalled bytes, once, and say what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from onchain_exec.chain import Delivery, Node
from onchain_exec.errors import NodeError, NodeRefusedError
from onchain_exec.execution.delivery.outcome import Accepted, AlreadyKnown, Ambiguous, Rejected, SendOutcome
from onchain_exec.execution.delivery.refusals import Refusal, classify_refusal
from onchain_exec.execution.plan import DurableTx

Deliver = Callable[[bytes], Awaitable[tuple[Delivery, ...]]]
"""Hands signed bytes over, once to each of those that are to have them, and says what each replied."""


async def send(node: Node, durable: DurableTx, deliver: Deliver | None = None) -> SendOutcome:
    """Hand the bytes to the node, or once to each of a pool's endpoints, and return the outcome;
    nothing a node does is raised. Private bytes go to private endpoints only, or as ``deliver`` takes them.

    A refusal counts only after the node was asked for the hash and does not know it: "nonce too
    low" is also what a mined transaction meets, and builders say "underpriced" of included ones.
    Everything that is not understood is Ambiguous.

    Raises:
        ConfigError: there is no endpoint for such bytes; nothing was sent.
    """
    deliveries = await (
        deliver(durable.raw) if deliver else node.broadcast(durable.raw, private=durable.private)
    )
    return merge_outcomes([await _interpret(node, durable, delivery) for delivery in deliveries])


def merge_outcomes(outcomes: Sequence[SendOutcome]) -> SendOutcome:
    """Return what several endpoints' outcomes of the same bytes come to together.

    One that has them outweighs all others, and names in ``refusals`` who says they cannot be
    mined; without such, one that may have them outweighs those that have not.
    """
    refusals = tuple(outcome.reason for outcome in outcomes if isinstance(outcome, Rejected))
    if accepted := [outcome for outcome in outcomes if isinstance(outcome, Accepted)]:
        takers = tuple(taker for outcome in accepted for taker in outcome.takers)
        return replace(accepted[0], refusals=refusals, takers=takers)
    if known := next((outcome for outcome in outcomes if isinstance(outcome, AlreadyKnown)), None):
        return replace(known, refusals=refusals)
    reasons = "; ".join(outcome.reason for outcome in outcomes if isinstance(outcome, Ambiguous | Rejected))
    if any(isinstance(outcome, Ambiguous) for outcome in outcomes):
        return Ambiguous(outcomes[0].tx_hash, reasons)
    consumed = any(isinstance(outcome, Rejected) and outcome.nonce_consumed for outcome in outcomes)
    return Rejected(outcomes[0].tx_hash, reasons, nonce_consumed=consumed)


async def _interpret(node: Node, durable: DurableTx, delivery: Delivery) -> SendOutcome:
    reply = delivery.reply
    if isinstance(reply, NodeRefusedError):
        return await _interpret_refusal(node, durable, reply)
    if isinstance(reply, NodeError):
        return Ambiguous(durable.tx_hash, str(reply))
    if reply != durable.tx_hash:
        return Ambiguous(durable.tx_hash, f"the node acknowledged another hash, {reply}")
    return Accepted(durable.tx_hash, takers=(delivery.where,))


async def _interpret_refusal(node: Node, durable: DurableTx, error: NodeRefusedError) -> SendOutcome:
    refusal = classify_refusal(error.rpc_message)
    if refusal is Refusal.KNOWN:
        return AlreadyKnown(durable.tx_hash)
    if refusal not in (Refusal.NONCE_CONSUMED, Refusal.INVALID):
        return Ambiguous(durable.tx_hash, str(error))
    try:
        known = await node.get_transaction(durable.tx_hash)
    except NodeError as failure:
        return Ambiguous(durable.tx_hash, f"{error}; and the look-up failed: {failure}")
    if known is not None:
        return AlreadyKnown(durable.tx_hash)
    return Rejected(durable.tx_hash, str(error), nonce_consumed=refusal is Refusal.NONCE_CONSUMED)
