"""Simulated to signed: the signer is asked once, and its signature is recovered before it is used."""

from __future__ import annotations

import asyncio

from eth_hash.auto import keccak

from onchain_exec.errors import SignerError
from onchain_exec.execution.plan import SignedTx, SimulatedTx
from onchain_exec.execution.signers import Capability, Signer, UnsignedTx, require_signed_by


async def sign(simulated: SimulatedTx, nonce: int, signer: Signer, *, timeout_s: float = 10.0) -> SignedTx:
    """Return the signed bytes of ``simulated`` at ``nonce``, to be journalled before they are sent.

    Raises:
        SignerError: another account's signer, no answer in time, or a signature that is not the
            account's over exactly these fields. Nothing may be sent.
        PolicyError: the signer's policy forbids it.
    """
    plan = simulated.plan
    tx = UnsignedTx(
        chain_id=plan.block.chain_id,
        nonce=nonce,
        fees=plan.fees,
        gas_limit=simulated.gas_limit,
        to=plan.to,
        value_wei=plan.value_wei,
        data=plan.data,
    )
    if signer.address != plan.sender:
        raise SignerError(
            f"the signer holds the key of {signer.address}", needed=f"the key of the sender {plan.sender}"
        )
    if Capability.TRANSACTION not in signer.capabilities:
        raise SignerError("the signer does not sign transactions", needed="a signer that does")
    try:
        async with asyncio.timeout(timeout_s):
            signature = await signer.sign_transaction(tx)
    except TimeoutError as error:
        raise SignerError(
            f"the signer gave no answer within {timeout_s:g} s",
            needed="a signature",
            todo="Check the signer; nothing was sent",
        ) from error
    require_signed_by(plan.sender, tx.signing_hash, signature)
    raw = tx.encode(signature)
    return SignedTx(simulated, nonce, raw, "0x" + keccak(raw).hex())
