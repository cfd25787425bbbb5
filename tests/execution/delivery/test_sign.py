"""Signers that fail, lie or are not asked: catalogue entries 37 (slow), 80, 83."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from stand_ins import KEY, sign_transfer

from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.errors import SignerError
from onchain_exec.execution import (
    Capability,
    Fees,
    LocalSigner,
    Purpose,
    Signature,
    SimulatedTx,
    TxPlan,
    UnsignedTx,
    sign,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HONEST = LocalSigner(KEY)
BLOCK = BlockRef(1337, 7, "0x" + "07" * 32, 1_700_000_000, 10**9, 30_000_000)
PLAN = TxPlan(
    cause=sign_transfer(),
    block=BLOCK,
    purpose=Purpose.CANCEL,
    sender=HONEST.address,
    to=to_address(b"\x05" * 20),
    data=b"\x01\x02",
    value_wei=3,
    fees=Fees(10**11, 10**9),
)
SIMULATED = SimulatedTx(
    plan=PLAN,
    block=BLOCK,
    gas_used=21_032,
    gas_limit=30_000,
    amount_in=0,
    amount_out=0,
    allowance_left=0,
    logs=(),
)
SignTransaction = Callable[[UnsignedTx], Awaitable[Signature]]


class FakeSigner:
    """Has the right address and does what the test wants."""

    def __init__(
        self, sign_transaction: SignTransaction, capabilities: frozenset[Capability] = frozenset(Capability)
    ) -> None:
        self._sign, self.capabilities = sign_transaction, capabilities
        self.address: Address = HONEST.address

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        return await self._sign(tx)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        return await HONEST.sign_typed_data(message)


async def test_sign_with_a_local_key_equals_eth_account() -> None:
    signed = await sign(SIMULATED, 9, HONEST)
    expected = Account.sign_transaction(
        {
            "type": 2,
            "chainId": 1337,
            "nonce": 9,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "gas": 30_000,
            "to": PLAN.to,
            "value": 3,
            "data": b"\x01\x02",
        },
        KEY,
    )
    assert signed.raw == bytes(expected.raw_transaction)
    assert signed.tx_hash == "0x" + expected.hash.hex()
    assert (signed.nonce, signed.simulated) == (9, SIMULATED)


async def _sign_high_s(tx: UnsignedTx) -> Signature:
    low = await HONEST.sign_transaction(tx)
    return Signature(low.r, ORDER - low.s, 1 - low.y_parity)


async def _sign_for_another_chain(tx: UnsignedTx) -> Signature:
    return await HONEST.sign_transaction(replace(tx, chain_id=1))


async def _sign_at_another_nonce(tx: UnsignedTx) -> Signature:
    return await HONEST.sign_transaction(replace(tx, nonce=tx.nonce + 1))


async def _sign_a_higher_fee(tx: UnsignedTx) -> Signature:
    return await HONEST.sign_transaction(replace(tx, fees=Fees(10**12, 10**9)))


async def _sign_with_another_key(tx: UnsignedTx) -> Signature:
    return await LocalSigner(b"\x01" * 32).sign_transaction(tx)


async def _sign_noise(tx: UnsignedTx) -> Signature:
    return Signature(1, 1, 0)


async def _die(tx: UnsignedTx) -> Signature:
    raise SignerError("the connection to the signer is lost")


async def _sleep(tx: UnsignedTx) -> Signature:
    await asyncio.sleep(60)
    raise AssertionError


@pytest.mark.parametrize(
    ("sign_transaction", "says"),
    [
        (_sign_high_s, "high-s"),
        (_sign_for_another_chain, "another account"),
        (_sign_at_another_nonce, "another account"),
        (_sign_a_higher_fee, "another account"),
        (_sign_with_another_key, "another account"),
        (_sign_noise, "recovers to another account|no key"),
        (_die, "connection"),
        (_sleep, "no answer within"),
    ],
)
async def test_sign_with_a_signer_that_fails_raises(sign_transaction: SignTransaction, says: str) -> None:
    with pytest.raises(SignerError, match=says):
        await sign(SIMULATED, 9, FakeSigner(sign_transaction), timeout_s=0.05)


async def test_sign_with_another_accounts_signer_does_not_ask_it() -> None:
    with pytest.raises(SignerError, match="the key of the sender"):
        await sign(replace(SIMULATED, plan=replace(PLAN, sender=PLAN.to)), 9, FakeSigner(_die))


async def test_sign_with_a_signer_that_does_not_sign_transactions_raises() -> None:
    with pytest.raises(SignerError, match="does not sign transactions"):
        await sign(SIMULATED, 9, FakeSigner(_die, frozenset({Capability.TYPED_DATA})))


@pytest.mark.parametrize("chain_id", [1, 137, 2**31, 2**53, 2**63])
async def test_sign_on_a_large_chain_id_equals_eth_account(chain_id: int) -> None:
    plan = replace(PLAN, block=replace(BLOCK, chain_id=chain_id), fees=Fees(5, 5, legacy=True))
    signed = await sign(replace(SIMULATED, plan=plan), 0, HONEST)
    assert Account.recover_transaction(signed.raw) == HONEST.address
