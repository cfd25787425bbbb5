"""Wait for journalled bytes to be mined, and say what became of their slot. Nothing is sent here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from onchain_exec.chain import Node, StateOverride, TxCall
from onchain_exec.core import BlockRef, Receipt, to_address
from onchain_exec.errors import NodeError, RevertError, SignerError
from onchain_exec.execution.delivery.outcome import Mined, Outcome, Reverted, StillUnknown, Superseded
from onchain_exec.execution.plan import DurableTx
from onchain_exec.execution.signers import Signature, require_signed_by
from onchain_exec.execution.signers.transaction import decode_unsigned, get_authorisation_hash


async def confirm(
    node: Node, durable: DurableTx, confirmations: int, timeout_s: float, poll_s: float = 0.5
) -> Outcome:
    """Look at the chain every ``poll_s`` until the outcome is ``confirmations`` blocks deep (1 is the head).

    A receipt counts only while its block is canonical, a reverted one as little as a successful
    one. Another transaction in the slot counts only when it is itself that deep. A node that fails
    says nothing, so it only lets time pass. There is one look at least, also with no time left.
    """
    clock = asyncio.get_running_loop()
    ends_at = clock.time() + timeout_s
    while True:
        try:
            if (outcome := await look(node, durable, confirmations)) is not None:
                return outcome
        except NodeError:
            pass
        if clock.time() + poll_s > ends_at:
            return StillUnknown(durable.tx_hash)
        await asyncio.sleep(poll_s)


async def look(node: Node, durable: DurableTx, confirmations: int) -> Outcome | None:
    """Return the outcome as the chain tells it now, or None while it is open (see `confirm`).

    Raises:
        NodeError: the node fails, which says nothing of the outcome.
    """
    head = await node.get_block()
    receipt = await node.get_receipt(durable.tx_hash)
    if receipt is None:
        deep_enough = head.number - confirmations + 1
        return await _find_consumer(node, durable, deep_enough) if deep_enough >= 0 else None
    depth = head.number - receipt.block_number + 1
    if depth < confirmations:
        return None
    if receipt.success:
        return Mined(receipt, depth)
    return Reverted(receipt, depth, await _find_reason(node, durable, receipt))


async def _find_consumer(node: Node, durable: DurableTx, newest: int) -> Superseded | None:
    """Return who took the slot in a block up to ``newest``; None if it is open, taken by the very bytes
    whose receipt is not to be had yet, or if no transaction is found that took it."""
    if not await _is_consumed(node, durable, await node.get_block(newest)):
        return None
    block = await _find_consuming_block(node, durable, newest)
    found: dict[str, Any] = await node.rpc.request("eth_getBlockByHash", (block.hash, True)) or {}
    for tx in found.get("transactions", ()):
        if tx["from"].lower() == durable.sender.lower() and int(tx["nonce"], 16) == durable.nonce:
            tx_hash = tx["hash"].lower()
            return None if tx_hash == durable.tx_hash else Superseded(tx_hash, durable.nonce)
        if any(_takes_slot(authorisation, durable) for authorisation in tx.get("authorizationList", ())):
            return Superseded(tx["hash"].lower(), durable.nonce)
    # the count alone proves nothing: a node that is mining may show the next block's state for this one
    return None


def _takes_slot(authorisation: Mapping[str, str], durable: DurableTx) -> bool:
    """Return whether an EIP-7702 authorisation is the account's at this nonce: it takes the slot
    without a transaction of the account."""
    chain_id, nonce, r, s, y_parity = (
        int(authorisation[field], 16) for field in ("chainId", "nonce", "r", "s", "yParity")
    )
    if nonce != durable.nonce or chain_id not in (0, durable.chain_id):
        return False
    digest = get_authorisation_hash(chain_id, to_address(authorisation["address"]), nonce)
    try:
        require_signed_by(durable.sender, digest, Signature(r, s, y_parity))
    except SignerError:
        return False
    return True


async def _find_consuming_block(node: Node, durable: DurableTx, newest: int) -> BlockRef:
    """Return the block in which the nonce was passed: steps back that double, then halving."""
    step, consumed = 1, newest
    while (open_at := max(newest - step, -1)) >= 0:
        if not await _is_consumed(node, durable, await node.get_block(open_at)):
            break
        step, consumed = 2 * step, open_at
    while consumed - open_at > 1:
        middle = (consumed + open_at) // 2
        if await _is_consumed(node, durable, await node.get_block(middle)):
            consumed = middle
        else:
            open_at = middle
    return await node.get_block(consumed)


async def _is_consumed(node: Node, durable: DurableTx, block: BlockRef) -> bool:
    return await node.get_nonce(durable.sender, block) > durable.nonce


async def _find_reason(node: Node, durable: DurableTx, receipt: Receipt) -> RevertError | str:
    """Return why a mined transaction reverted, by running it again on its block's parent: from its own bytes,
    which the node need not have any more."""
    tx = decode_unsigned(durable.raw)
    repeated = TxCall(durable.sender, tx.to, tx.data, tx.value_wei)
    try:
        parent = await node.get_block(receipt.block_number - 1)
        lent = await _find_lent_code(node, receipt, repeated)
        await node.call(repeated, parent, lent)
        # the state moved within the block, before it: what the block left tells most
        await node.call(repeated, await node.get_block(receipt.block_number), lent)
    except RevertError as error:
        return error
    except NodeError as error:
        return f"unknown: it could not be run again: {error}"
    return (
        "not found: it succeeds on its block and the parent; it ran out of gas, or its block moved the state"
    )


async def _find_lent_code(node: Node, receipt: Receipt, tx: TxCall) -> tuple[StateOverride, ...]:
    """An account that calls itself runs code that the very transaction may have lent it (EIP-7702), and
    that its revert left standing."""
    if tx.to != tx.sender:
        return ()
    code = await node.get_code(tx.sender, await node.get_block(receipt.block_number))
    return (StateOverride(tx.sender, code=code),)
