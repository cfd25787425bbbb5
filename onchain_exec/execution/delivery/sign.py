"""Simulated to signed: the signer is asked once, and its signature is recovered before it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from onchain_exec.core import Address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import SignerError
from onchain_exec.execution.plan import SignedTx, SimulatedTx, TxPlan
from onchain_exec.execution.signers import Capability, Signature, Signer, UnsignedTx, require_signed_by
from onchain_exec.execution.signers.signer import Authoriser
from onchain_exec.execution.signers.transaction import Authorisation, get_authorisation_hash
from onchain_exec.execution.signers.typed_data import hash_typed_data

Signed = TypeVar("Signed", Signature, Authorisation)


async def sign(simulated: SimulatedTx, nonce: int, signer: Signer, *, timeout_s: float = 10.0) -> SignedTx:
    """Return the signed bytes of ``simulated`` at ``nonce``, to be journalled before they are sent.

    Raises:
        SignerError: another account's signer, no answer in time, or a signature that is not the
            account's over exactly these fields. Nothing may be sent.
        PolicyError: the signer's policy forbids it.
    """
    plan = simulated.plan
    tx = UnsignedTx(
        authorisations=await _authorise(plan, nonce, signer, timeout_s),
        chain_id=plan.block.chain_id,
        nonce=nonce,
        fees=plan.fees,
        gas_limit=simulated.gas_limit,
        to=plan.to,
        value_wei=plan.value_wei,
        data=plan.data,
        accesses=plan.accesses,
    )
    _require_able(signer, plan.sender, Capability.TRANSACTION)
    signature = await _in_time(signer.sign_transaction(tx), timeout_s)
    require_signed_by(plan.sender, tx.signing_hash, signature)
    raw = tx.encode(signature)
    return SignedTx(simulated, nonce, raw, "0x" + keccak(raw).hex())


async def sign_message(
    message: Mapping[str, Any], owner: Address, signer: Signer, *, timeout_s: float = 10.0
) -> Signature:
    """Return ``owner``'s signature of an EIP-712 message.

    Raises:
        SignerError, PolicyError: as of `sign`.
    """
    _require_able(signer, owner, Capability.TYPED_DATA)
    signature = await _in_time(signer.sign_typed_data(message), timeout_s)
    require_signed_by(owner, hash_typed_data(message), signature)
    return signature


async def _authorise(plan: TxPlan, nonce: int, signer: Signer, timeout_s: float) -> tuple[Authorisation, ...]:
    """The account's nonce is counted up before its own authorisation is looked at: hence one more."""
    if plan.delegate is None:
        return ()
    if not isinstance(signer, Authoriser):
        raise SignerError(
            "the signer signs no authorisations (EIP-7702)",
            needed="one that lets the account lend itself the Guard's code",
            todo="Use a local key, or act without guards",
        )
    wish = plan.block.chain_id, plan.delegate, nonce + 1
    signed = await _in_time(signer.sign_authorisation(*wish), timeout_s)
    require_signed_by(plan.sender, get_authorisation_hash(*wish), signed.signature)
    return (Authorisation(*wish, signed.signature),)


def _require_able(signer: Signer, account: Address, capability: Capability) -> None:
    if signer.address != account:
        raise SignerError(
            f"the signer holds the key of {signer.address}", needed=f"the key of the sender {account}"
        )
    if capability not in signer.capabilities:
        raise SignerError(
            f"the signer does not sign {capability.value.replace('_', ' ')}s", needed="a signer that does"
        )


async def _in_time(asked: Awaitable[Signed], timeout_s: float) -> Signed:
    try:
        async with asyncio.timeout(timeout_s):
            return await asked
    except TimeoutError as error:
        raise SignerError(
            f"the signer gave no answer within {timeout_s:g} s",
            needed="a signature",
            todo="Check the signer; nothing was sent",
        ) from error
