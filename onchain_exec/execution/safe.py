"""A Safe as the account that trades: proposed here, signed by its owners, executed by a relayer.

A Safe has no key. Its transactions have nonces of their own, counted by the Safe; what is mined is
the relayer's transaction, at the relayer's nonce, and goes the way of every other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, SignerError, StaleStateError, StateError
from onchain_exec.execution.delivery.sign import sign_message
from onchain_exec.execution.plan import TxPlan
from onchain_exec.execution.signers import Signature, Signer, make_message

_NONCE: Final = Function("nonce()", "(uint256)")
_OWNERS: Final = Function("getOwners()", "(address[])")
_THRESHOLD: Final = Function("getThreshold()", "(uint256)")
_EXECUTE: Final = Function(
    "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)", "(bool)"
)
_CALL: Final = 0  # Enum.Operation: a call, never a delegate call


@dataclass(frozen=True, slots=True)
class SafeAccount:
    """A Safe at one block: who its owners are, how many of them must sign, its next nonce."""

    block: BlockRef
    address: Address
    owners: frozenset[Address]
    threshold: int
    nonce: int


@dataclass(frozen=True, slots=True)
class SafeProposal:
    """A planned call as the Safe's transaction at ``nonce``, and the owners' signatures so far."""

    plan: TxPlan
    nonce: int
    signatures: tuple[tuple[Address, Signature], ...] = ()

    @property
    def message(self) -> dict[str, Any]:
        """What an owner signs (EIP-712 ``SafeTx``).

        There is no refund and no gas of its own, so that a call that fails reverts the whole.
        """
        return make_message(
            "SafeTx",
            {"chainId": self.plan.block.chain_id, "verifyingContract": self.plan.sender},
            {
                "to": self.plan.to,
                "value": self.plan.value_wei,
                "data": "0x" + self.plan.data.hex(),
                "operation": _CALL,
                "safeTxGas": 0,
                "baseGas": 0,
                "gasPrice": 0,
                "gasToken": ZERO_ADDRESS,
                "refundReceiver": ZERO_ADDRESS,
                "nonce": self.nonce,
            },
        )


def read_safe(address: Address) -> Reading[SafeAccount]:
    """Read a Safe.

    Raises:
        StateError: none stands there. The same address on another chain may be nobody's yet.
    """
    snapshot = yield tuple(Call(address, read.encode()) for read in (_NONCE, _OWNERS, _THRESHOLD))
    if not all(answer.success and answer.data for answer in snapshot.answers):
        raise StateError(
            f"no Safe stands at {address} on chain {snapshot.block.chain_id}",
            needed="a Safe of version 1.3 or later",
            todo="Deploy it on this chain before anything is sent to its address",
        )
    nonce, owners, threshold = (answer.data for answer in snapshot.answers)
    return SafeAccount(
        block=snapshot.block,
        address=address,
        owners=frozenset(to_address(owner) for owner in _OWNERS.decode(owners)[0]),
        threshold=_THRESHOLD.decode(threshold)[0],
        nonce=_NONCE.decode(nonce)[0],
    )


def propose(plan: TxPlan, safe: SafeAccount) -> tuple[SafeProposal, ...]:
    """Return the proposals of what the plan depends on and, last, of itself, at the Safe's next nonces.

    Raises:
        InputError: the plan is another account's, or made on another chain.
    """
    if plan.sender != safe.address or plan.block.chain_id != safe.block.chain_id:
        raise InputError(
            f"the plan is of {plan.sender} on chain {plan.block.chain_id}",
            needed=f"one of the Safe {safe.address} on chain {safe.block.chain_id}",
        )
    steps = (*plan.depends_on, plan)
    return tuple(SafeProposal(step, safe.nonce + index) for index, step in enumerate(steps))


async def collect(
    proposal: SafeProposal, safe: SafeAccount, owners: Sequence[Signer], *, timeout_s: float = 60.0
) -> SafeProposal:
    """Return the proposal with as many owners' signatures as the Safe needs, asked side by side.

    Each signature is recovered before it counts. Owners that fail are made up for by others.

    Raises:
        SignerError: too few signed in time; what each said is in the message. Nothing was sent.
    """
    signed = dict(proposal.signatures)
    failures: list[str] = []
    asked = [owner for owner in owners if owner.address not in signed]
    waiting = {asyncio.create_task(_sign(proposal, safe, owner)) for owner in asked}
    clock = asyncio.get_running_loop()
    ends_at = clock.time() + timeout_s
    try:
        while waiting and len(signed) < safe.threshold:
            left_s = max(ends_at - clock.time(), 0)
            done, waiting = await asyncio.wait(waiting, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                failures.append(f"no answer within {timeout_s:g} s")
                break
            for task in done:
                match task.exception():
                    case None:
                        signed.update([task.result()])
                    case SignerError() as error:
                        failures.append(str(error))
                    case fault:
                        raise fault
    finally:
        for task in waiting:
            task.cancel()
    if len(signed) < safe.threshold:
        raise SignerError(
            f"{len(signed)} of the Safe's owners signed ({'; '.join(failures) or 'no others were asked'})",
            needed=f"{safe.threshold} signatures",
            todo="Ask more owners; nothing was sent",
        )
    return replace(proposal, signatures=tuple(signed.items()))


def build_execution(proposals: Sequence[SafeProposal], safe: SafeAccount, relayer: Address) -> TxPlan:
    """Return the relayer's plan that executes the last proposal, after those of the others.

    ``safe`` is read anew: between proposal and execution another transaction may have taken the
    nonce, or the owners may have changed.

    Raises:
        StaleStateError: so it is; propose again at the Safe's next nonce.
        SignerError: a proposal lacks signatures of present owners.
    """
    if proposals[0].nonce != safe.nonce:
        raise StaleStateError(
            f"the proposal is for the Safe's nonce {proposals[0].nonce}",
            needed=f"its next one, {safe.nonce}",
            todo="See which transaction took it, then propose again",
        )
    plans: tuple[TxPlan, ...] = ()
    for proposal in proposals:
        data = _encode_execution(proposal, safe)
        wrapped = replace(proposal.plan, sender=relayer, to=safe.address, data=data, value_wei=0)
        plans = (*plans, replace(wrapped, depends_on=plans))
    return plans[-1]


def get_inner_data(plan: TxPlan) -> bytes:
    """Return the calldata that the trading account runs: what its Safe executes, or the plan's own."""
    if plan.data[:4] != _EXECUTE.selector:
        return plan.data
    data: bytes = _EXECUTE.decode_arguments(plan.data)[2]
    return data


async def _sign(proposal: SafeProposal, safe: SafeAccount, owner: Signer) -> tuple[Address, Signature]:
    if owner.address not in safe.owners:
        raise SignerError(f"{owner.address} is no owner of the Safe {safe.address}")
    return owner.address, await sign_message(proposal.message, owner.address, owner)


def _encode_execution(proposal: SafeProposal, safe: SafeAccount) -> bytes:
    fields = proposal.message["message"]
    arguments = list(fields.values())[:-1]  # in execTransaction's order; the Safe knows its nonce
    arguments[2] = proposal.plan.data
    return _EXECUTE.encode(*arguments, b"".join(_list_signatures(proposal, safe)))


def _list_signatures(proposal: SafeProposal, safe: SafeAccount) -> Iterator[bytes]:
    """Yield just as many as are needed, ascending by owner: ``checkNSignatures`` takes no other order."""
    present = sorted(
        (int(owner, 16), signed) for owner, signed in proposal.signatures if owner in safe.owners
    )
    if len(present) < safe.threshold:
        raise SignerError(
            f"{len(present)} present owners have signed", needed=f"{safe.threshold}", todo="Collect them"
        )
    for _, signature in present[: safe.threshold]:
        yield bytes(signature)[:64] + bytes((27 + signature.y_parity,))
