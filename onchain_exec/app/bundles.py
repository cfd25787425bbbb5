"""Journalled transactions as one bundle: offered for block after block, until it is mined or unwanted."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from onchain_exec.chain import CallResult, Node, SimulatedBlock, TxCall
from onchain_exec.chain.relays import Bundle, Relays
from onchain_exec.chain.simulation import TRANSFERS_ADDRESS, StateOverride
from onchain_exec.core import Address, BlockRef, Receipt
from onchain_exec.errors import HaltedError, InputError, NodeError, NodeRefusedError
from onchain_exec.execution import DurableTx, InProcessRunner
from onchain_exec.execution.plan import get_lent_code, lends_code
from onchain_exec.execution.signers.transaction import UnsignedTx, decode_unsigned
from onchain_exec.oms import Journal, require_not_killed
from onchain_exec.venues.erc20 import get_balance_changes

POLL_S: Final = 0.5
Wanted: TypeAlias = Callable[[Sequence[CallResult]], bool]
"""Whether a simulation shows what a bundle is for: the results, in its order."""


def anything(_: Sequence[CallResult]) -> bool:
    """Want whatever does not revert."""
    return True


def earns(owner: Address, token: Address, least: int) -> Wanted:
    """Want a bundle by which ``owner`` ends with at least ``least`` base units more of a token (negative: at
    most so much less)."""

    def is_earned(results: Sequence[CallResult]) -> bool:
        logs = [log for result in results for log in result.logs]
        return get_balance_changes(logs, owner).get(token, 0) >= least

    return is_earned


@dataclass(frozen=True, slots=True)
class BundleTerms:
    """Until which block a bundle is offered, which of its transactions may fail (by hash), and what its
    simulation must show; ``second`` simulates it in this process, too, and both must agree. ``poll_s`` is
    how often the head is looked at."""

    last_block: int
    may_revert: tuple[str, ...] = ()
    is_wanted: Wanted = anything
    second: InProcessRunner | None = None
    poll_s: float = POLL_S


_ANYTHING: Final = BundleTerms(last_block=0)


@dataclass(frozen=True, slots=True)
class Included:
    """All of it is on the chain; a reorg can take it back, and then everybody has seen it."""

    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Unbundled:
    """Some of it is on the chain without the rest: somebody took it apart. The slots of the rest are open,
    and their bytes may be known."""

    receipts: tuple[Receipt, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """It was cancelled because of ``reason``. A builder that is late to hear of it may mine it all the
    same: the slots stay open until something takes their nonces."""

    reason: str


@dataclass(frozen=True, slots=True)
class Missed:
    """The last block came without it."""

    last_block: int


BundleOutcome: TypeAlias = Included | Unbundled | Withdrawn | Missed


async def run_bundle(
    node: Node, relays: Relays, journal: Journal, transactions: Sequence[DurableTx], terms: BundleTerms
) -> BundleOutcome:
    """Offer the transactions to every relay for each block up to the last, after a simulation on the block
    before it, unless the ``journal`` they are from has all, or one of their accounts, killed. What relays
    say is not believed: the chain is looked at.

    Raises:
        InputError: one of them is not private: after a restart it would be sent to everybody.
    """
    if public := [tx.tx_hash for tx in transactions if not tx.private]:
        raise InputError(f"{public[0]} was journalled as public", needed="transactions journalled as private")
    name, head = str(uuid.uuid4()), await node.get_block()
    raws = tuple(tx.raw for tx in transactions)
    while head.number < terms.last_block:
        reason = _find_halt(journal, transactions) or await find_fault(node, transactions, head, terms)
        if reason:
            await relays.cancel_bundle(name)
            return Withdrawn(reason)
        await relays.send_bundle(Bundle(raws, head.number + 1, terms.may_revert, replacement_id=name))
        head = await wait_beyond(node, head, terms.poll_s)
        if outcome := await _find_inclusion(node, transactions):
            await relays.cancel_bundle(name)
            return outcome
    await relays.cancel_bundle(name)
    return Missed(terms.last_block)


def _find_halt(journal: Journal, transactions: Sequence[DurableTx]) -> str:
    switches = journal.read_switches()
    try:
        for sender in {tx.sender for tx in transactions}:
            require_not_killed(switches, sender)
    except HaltedError as error:
        return str(error)
    return ""


async def find_fault(
    node: Node,
    transactions: Sequence[DurableTx],
    head: BlockRef,
    terms: BundleTerms = _ANYTHING,
) -> str:
    """Return why these transactions, in a row, should not be in the block after ``head``, or nothing.

    Each must have its sender's next nonce, which not every node's simulation asks for.
    """
    if fault := await _find_wrong_nonce(node, transactions, head):
        return fault
    block = _as_block(transactions)
    try:
        (results,) = await node.simulate([block], head, validation=True)
    except NodeRefusedError as error:
        return f"it cannot be in block {head.number + 1}: {error.rpc_message}"
    for tx, result in zip(transactions, results, strict=True):
        if result.error and tx.tx_hash not in terms.may_revert:
            return f"{tx.tx_hash} would revert in block {head.number + 1}: {result.error.found}"
    if not terms.is_wanted(results):
        return f"its effects in block {head.number + 1} are not those wanted"
    again = await terms.second.try_out(block.calls, head) if terms.second else results
    if _get_effects(again) != _get_effects(results):
        return f"the node and this process do not agree on what it does in block {head.number + 1}"
    return ""


def _get_effects(results: Sequence[CallResult]) -> list[tuple[object, ...]]:
    """Return what two simulations must agree on: moves of the native coin only a node tells."""
    return [
        (
            result.success,
            *(
                (log.address, log.topics, log.data)
                for log in result.logs
                if log.address.lower() != TRANSFERS_ADDRESS.lower()
            ),
        )
        for result in results
    ]


async def _find_wrong_nonce(node: Node, transactions: Sequence[DurableTx], head: BlockRef) -> str:
    senders = sorted({tx.sender for tx in transactions})
    expected = dict(zip(senders, await node.get_nonces(senders, head), strict=True))
    for tx in transactions:
        if tx.nonce != expected[tx.sender]:
            return f"{tx.tx_hash} has nonce {tx.nonce}, and {expected[tx.sender]} is next of {tx.sender}"
        expected[tx.sender] += 2 if lends_code(tx.raw) else 1
    return ""


def _as_block(transactions: Sequence[DurableTx]) -> SimulatedBlock:
    """Return the transactions as calls of one block. Simulations know no authorisations (EIP-7702): the code
    that one lends stands there from the start, and the nonce that it takes is not taken."""
    calls, overrides, taken = list[TxCall](), list[StateOverride](), Counter[Address]()
    for durable in transactions:
        tx = decode_unsigned(durable.raw)
        calls.append(_as_call(durable, tx, durable.nonce - taken[durable.sender]))
        if tx.authorisations:
            overrides.append(StateOverride(durable.sender, code=get_lent_code(tx.authorisations[0].delegate)))
            taken[durable.sender] += 1
    return SimulatedBlock(tuple(calls), tuple(overrides))


def _as_call(durable: DurableTx, tx: UnsignedTx, nonce: int) -> TxCall:
    return TxCall(
        sender=durable.sender,
        to=tx.to,
        data=tx.data,
        value_wei=tx.value_wei,
        gas_limit=tx.gas_limit,
        max_fee_wei=tx.fees.max_fee_wei,
        max_priority_fee_wei=tx.fees.max_priority_fee_wei,
        nonce=nonce,
        accesses=tx.accesses,
    )


async def wait_beyond(node: Node, head: BlockRef, poll_s: float = POLL_S) -> BlockRef:
    """Return the newest block once there is one after ``head``, however long that takes. A node that fails
    lets time pass."""
    while True:
        try:
            newest = await node.get_block()
        except NodeError:
            newest = head
        if newest.number > head.number:
            return newest
        await asyncio.sleep(poll_s)


async def _find_inclusion(node: Node, transactions: Sequence[DurableTx]) -> Included | Unbundled | None:
    receipts = [await node.get_receipt(tx.tx_hash) for tx in transactions]
    mined = tuple(receipt for receipt in receipts if receipt is not None)
    if len(mined) == len(transactions):
        return Included(mined)
    missing = tuple(tx.tx_hash for tx, receipt in zip(transactions, receipts, strict=True) if receipt is None)
    return Unbundled(mined, missing) if mined else None
