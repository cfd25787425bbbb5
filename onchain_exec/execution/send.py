"""Broadcast journalled bytes, once, and say what came of it."""

from __future__ import annotations

from onchain_exec.chain import Node
from onchain_exec.errors import NodeError, NodeRefusedError
from onchain_exec.execution.outcome import Accepted, AlreadyKnown, Ambiguous, Rejected, SendOutcome
from onchain_exec.execution.plan import DurableTx
from onchain_exec.execution.refusals import Refusal, classify_refusal


async def send(node: Node, durable: DurableTx) -> SendOutcome:
    """Hand the bytes to the node, exactly once, and return the outcome; nothing is raised for it.

    A refusal counts only after the node was asked for the hash and does not know it: "nonce too
    low" is also what a mined transaction meets, and builders say "underpriced" of included ones.
    Everything that is not understood is Ambiguous.
    """
    try:
        tx_hash = await node.send_raw_transaction(durable.raw)
    except NodeRefusedError as error:
        return await _interpret(node, durable, error)
    except NodeError as error:
        return Ambiguous(durable.tx_hash, str(error))
    if tx_hash != durable.tx_hash:
        return Ambiguous(durable.tx_hash, f"the node acknowledged another hash, {tx_hash}")
    return Accepted(durable.tx_hash)


async def _interpret(node: Node, durable: DurableTx, error: NodeRefusedError) -> SendOutcome:
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
