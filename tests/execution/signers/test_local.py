"""Local keys: the right account, and never the key in anything that is shown."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from onchain_exec.core import to_address
from onchain_exec.errors import PolicyError, SignerError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import KeystoreSigner, LocalSigner, UnsignedTx

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's first
OWNER = to_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
TX = UnsignedTx(1, 0, Fees(2, 1), 21_000, OWNER, 0, b"")
MESSAGE: dict[str, Any] = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Permit": [{"name": "spender", "type": "address"}, {"name": "value", "type": "uint256"}],
    },
    "primaryType": "Permit",
    "domain": {"name": "Token", "chainId": 1},
    "message": {"spender": OWNER, "value": 7},
}


def make_keystore(password: str = "secret", key: bytes = KEY) -> dict[str, Any]:
    keystore: dict[str, Any] = Account.encrypt(key, password, kdf="pbkdf2", iterations=1)
    return keystore


def show(error: BaseException, *, with_locals: bool) -> str:
    """The traceback as a tool that shows local variables would print it, our frames alone."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=with_locals)
    shown.stack = traceback.StackSummary.from_list(
        [frame for frame in shown.stack if "onchain_exec/" in frame.filename]
    )
    assert shown.stack
    return "".join(shown.format(chain=True))


@pytest.mark.parametrize("key", [KEY, KEY.hex(), "0x" + KEY.hex()])
def test_local_signer_has_the_address_of_its_key(key: bytes | str) -> None:
    assert LocalSigner(key).address == OWNER


@pytest.mark.parametrize(
    "key", [KEY[:31], KEY + b"\x00", b"\x00" * 32, b"\xff" * 32, KEY.hex()[:-1] + "g", KEY.hex()[:-2]]
)
def test_local_signer_with_an_unusable_key_raises_without_showing_it(key: bytes | str) -> None:
    with pytest.raises(SignerError) as caught:
        LocalSigner(key)
    text = show(caught.value, with_locals=True)
    assert (key if isinstance(key, str) else key.hex()) not in text
    assert repr(key) not in text
    assert caught.value.__context__ is None


@pytest.mark.parametrize("shown", [repr, str, format, lambda s: repr([s]), lambda s: f"{s!a}"])
def test_local_signer_shows_its_address_and_not_its_key(shown: Callable[[Any], str]) -> None:
    text = shown(LocalSigner(KEY))
    assert OWNER in text
    assert KEY.hex() not in text
    assert repr(KEY) not in text


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_local_signer_cannot_be_pickled_or_copied(take: Callable[[Any], Any]) -> None:
    with pytest.raises(SignerError, match="cannot be pickled"):
        take(LocalSigner(KEY))


async def test_sign_transaction_of_another_chain_than_bound_raises() -> None:
    await LocalSigner(KEY, chain_id=1).sign_transaction(TX)
    with pytest.raises(PolicyError, match="chain 1"):
        await LocalSigner(KEY, chain_id=10).sign_transaction(TX)


async def test_sign_transaction_twice_gives_the_same_signature() -> None:
    assert await LocalSigner(KEY).sign_transaction(TX) == await LocalSigner(KEY).sign_transaction(TX)


async def test_sign_typed_data_equals_eth_account() -> None:
    expected = Account.sign_message(encode_typed_data(full_message=MESSAGE), KEY)
    signature = await LocalSigner(KEY).sign_typed_data(MESSAGE)
    assert (signature.r, signature.s, signature.y_parity + 27) == (expected.r, expected.s, expected.v)


@pytest.mark.parametrize("message", [{}, {"types": {}}, MESSAGE | {"primaryType": "Nothing"}])
async def test_sign_typed_data_of_a_malformed_message_raises(message: dict[str, Any]) -> None:
    with pytest.raises(SignerError, match="EIP-712"):
        await LocalSigner(KEY).sign_typed_data(message)


async def test_keystore_signer_signs_as_its_key() -> None:
    signer = KeystoreSigner(json.dumps(make_keystore()), "secret")
    assert signer.address == OWNER
    assert await signer.sign_transaction(TX) == await LocalSigner(KEY).sign_transaction(TX)


@pytest.mark.parametrize(
    ("text", "password"),
    [(json.dumps(make_keystore()), "guess"), ("{}", "secret"), ("no json", "secret"), ("[]", "secret")],
    ids=["wrong password", "empty", "no JSON", "a list"],
)
def test_keystore_signer_that_cannot_be_opened_raises_without_showing_the_password(
    text: str, password: str
) -> None:
    with pytest.raises(SignerError, match="keystore") as caught:
        KeystoreSigner(text, password)
    assert password not in str(caught.value)
    assert repr(password) not in show(caught.value, with_locals=True)


def test_keystore_signer_with_an_edited_address_raises() -> None:
    keystore = make_keystore() | {"address": "11" * 20}
    with pytest.raises(SignerError, match="says address"):
        KeystoreSigner(json.dumps(keystore), "secret")
