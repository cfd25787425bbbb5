"""Signers that fail, lie or are not asked: catalogue entries 37 (slow), 80, 83."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from stand_ins import KEY, sign_transfer

from onchain_exec.chain import Access
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
from onchain_exec.execution.delivery.sign import sign_message
from onchain_exec.execution.signers.transaction import Authorisation

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


class FakeAuthoriser(FakeSigner):
    """Signs transactions honestly, and authorisations as the test wants."""

    def __init__(self, authorise: Callable[..., Awaitable[Authorisation]]) -> None:
        super().__init__(HONEST.sign_transaction)
        self.sign_authorisation = authorise


AS_WEB3_HAS_IT = {
    "type": 2,
    "chainId": 1337,
    "nonce": 9,
    "maxFeePerGas": 10**11,
    "maxPriorityFeePerGas": 10**9,
    "gas": 30_000,
    "to": PLAN.to,
    "value": 3,
    "data": b"\x01\x02",
}
"""What is signed here at nonce 9."""


async def test_sign_with_a_local_key_equals_eth_account() -> None:
    signed = await sign(SIMULATED, 9, HONEST)
    expected = Account.sign_transaction(AS_WEB3_HAS_IT, KEY)
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


GUARD, OTHER = to_address(b"\x06" * 20), LocalSigner(b"\x01" * 32)
LENDING = replace(SIMULATED, plan=replace(PLAN, delegate=GUARD, accesses=(Access(PLAN.to, (7,)),)))


async def test_sign_lends_the_code_at_the_nonce_after_the_transactions_own() -> None:
    """The transaction counts the nonce up before its authorisations are looked at."""
    signed = await sign(LENDING, 9, HONEST)
    wish = Account.sign_authorization({"chainId": 1337, "address": GUARD, "nonce": 10}, KEY)
    expected = Account.sign_transaction(
        AS_WEB3_HAS_IT
        | {
            "type": 4,
            "accessList": [access.to_json() for access in LENDING.plan.accesses],
            "authorizationList": [wish],
        },
        KEY,
    )
    assert signed.raw == bytes(expected.raw_transaction)


async def _name_another_delegate(chain_id: int, delegate: Address, nonce: int) -> Authorisation:
    """Sign what was asked for, and hand over something else with it."""
    return replace(
        await HONEST.sign_authorisation(chain_id, delegate, nonce), delegate=PLAN.to, nonce=nonce + 1
    )


async def test_sign_hands_over_the_authorisation_that_was_asked_for_whatever_the_signer_names() -> None:
    signed = await sign(LENDING, 9, FakeAuthoriser(_name_another_delegate))
    assert signed.raw == (await sign(LENDING, 9, HONEST)).raw


async def _authorise_another_delegate(chain_id: int, delegate: Address, nonce: int) -> Authorisation:
    return await HONEST.sign_authorisation(chain_id, PLAN.to, nonce)


async def _authorise_its_own_nonce(chain_id: int, delegate: Address, nonce: int) -> Authorisation:
    return await HONEST.sign_authorisation(chain_id, delegate, nonce - 1)


async def _authorise_on_every_chain(chain_id: int, delegate: Address, nonce: int) -> Authorisation:
    return await HONEST.sign_authorisation(0, delegate, nonce)


@pytest.mark.parametrize(
    ("signer", "says"),
    [
        (FakeAuthoriser(_authorise_another_delegate), "another account"),
        (FakeAuthoriser(_authorise_its_own_nonce), "another account"),
        (FakeAuthoriser(_authorise_on_every_chain), "another account"),
        (FakeAuthoriser(OTHER.sign_authorisation), "another account"),
        (FakeSigner(HONEST.sign_transaction), "signs no authorisations"),
    ],
)
async def test_sign_lends_no_code_by_a_signature_of_anything_else(signer: FakeSigner, says: str) -> None:
    with pytest.raises(SignerError, match=says):
        await sign(LENDING, 9, signer)


MESSAGE = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}],
        "Wish": [{"name": "a", "type": "uint256"}],
    },
    "primaryType": "Wish",
    "domain": {"name": "a test"},
    "message": {"a": 1},
}


async def test_sign_message_gives_the_owners_signature_of_this_message_alone() -> None:
    class Lying(FakeSigner):
        async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
            return await HONEST.sign_typed_data({**message, "message": {"a": 2}})

    signature = await sign_message(MESSAGE, HONEST.address, HONEST)
    assert signature == await HONEST.sign_typed_data(MESSAGE)
    with pytest.raises(SignerError, match="another account"):
        await sign_message(MESSAGE, HONEST.address, Lying(_die))


async def test_sign_message_asks_no_signer_of_another_account_or_that_signs_none() -> None:
    with pytest.raises(SignerError, match="the key of the sender"):
        await sign_message(MESSAGE, OTHER.address, HONEST)
    with pytest.raises(SignerError, match="does not sign typed datas"):
        await sign_message(MESSAGE, HONEST.address, FakeSigner(_die, frozenset({Capability.TRANSACTION})))
