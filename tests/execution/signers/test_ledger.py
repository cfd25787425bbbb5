"""A Ledger, by a dongle that answers as the Ethereum app does: catalogue entry 83 (large chain ids)."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from coincurve import PrivateKey
from eth_hash.auto import keccak

from onchain_exec.core import to_address
from onchain_exec.errors import InputError, MissingToolError, SignerError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import LedgerSigner, LocalSigner, UnsignedTx
from onchain_exec.execution.signers.messages import make_message

KEY = b"\x01" * 32
OWNER = LocalSigner(KEY)
PATH = bytes.fromhex("05" + "8000002c8000003c800000000000000000000000")
TO = to_address(b"\x05" * 20)


class RefusalError(Exception):
    """As ledgerblue's CommException: a status word."""

    def __init__(self, sw: int) -> None:
        self.sw = sw
        super().__init__(f"Invalid status {sw:04x}")


class FakeDongle:
    """The Ethereum app: it collects chunks, checks the path, and signs when the last came."""

    def __init__(self, refusal: int = 0, answer: bytes | None = None) -> None:
        self.refusal, self.answer = refusal, answer
        self.data = b""

    def exchange(self, apdu: bytes) -> bytes:
        head, instruction, more, _, length = apdu[:5]
        assert head == 0xE0
        assert length == len(apdu) - 5 <= 255
        self.data = (self.data if more == 0x80 else b"") + apdu[5:]
        assert self.data.startswith(PATH)
        key = PrivateKey(KEY)
        if instruction == 0x02:
            public_key = key.public_key.format(compressed=False)
            return bytes((65,)) + public_key + b"\x28" + OWNER.address[2:].encode()
        if self.refusal:
            raise RefusalError(self.refusal)
        if self.answer is not None:
            return self.answer
        body = self.data[len(PATH) :]
        if instruction == 0x0C:
            return self._sign(key, keccak(b"\x19\x01" + body), 27)
        if body[0] == 0x02:
            return self._sign(key, keccak(body), 0)
        # the real app looks for the end of the list; here the last chunk is the last
        return self._sign(key, keccak(body), 2 * self.chain_id + 35)

    chain_id = 0

    @staticmethod
    def _sign(key: PrivateKey, digest: bytes, offset: int) -> bytes:
        packed = key.sign_recoverable(digest, hasher=None)
        return bytes(((packed[64] + offset) % 256,)) + packed[:64]


@pytest.fixture(autouse=True)
def ledgerblue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The optional dependency's error, under its name."""
    package, errors = ModuleType("ledgerblue"), ModuleType("ledgerblue.commException")
    errors.CommException = RefusalError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ledgerblue", package)
    monkeypatch.setitem(sys.modules, "ledgerblue.commException", errors)


def make_tx(data: bytes = b"", chain_id: int = 1, *, legacy: bool = False) -> UnsignedTx:
    return UnsignedTx(chain_id, 7, Fees(2, 2, legacy=legacy), 21_000, TO, 3, data)


@pytest.mark.parametrize("size", [0, 100, 250, 255, 700])
async def test_ledger_signer_sends_any_length_in_chunks(size: int) -> None:
    signer = await LedgerSigner.connect(dongle=FakeDongle())
    assert signer.address == OWNER.address
    tx = make_tx(b"\x07" * size)
    assert await signer.sign_transaction(tx) == await OWNER.sign_transaction(tx)


@pytest.mark.parametrize("chain_id", [1, 109, 110, 137, 42_161, 2**31, 2**53])
async def test_ledger_signer_on_any_chain_id_finds_the_parity(chain_id: int) -> None:
    dongle = FakeDongle()
    dongle.chain_id = chain_id
    signer = await LedgerSigner.connect(dongle=dongle)
    for data in (b"\x01", b"\x02", b"\x03", b"\x04"):
        tx = make_tx(data, chain_id, legacy=True)
        assert await signer.sign_transaction(tx) == await OWNER.sign_transaction(tx)


async def test_ledger_signer_signs_typed_data() -> None:
    fields = {"owner": TO, "spender": TO, "value": 1, "nonce": 0, "deadline": 9}
    message = make_message("Permit", {"chainId": 1, "verifyingContract": TO}, fields)
    signer = await LedgerSigner.connect(dongle=FakeDongle())
    assert await signer.sign_typed_data(message) == await OWNER.sign_typed_data(message)


async def test_ledger_signer_that_is_refused_raises() -> None:
    signer = await LedgerSigner.connect(dongle=FakeDongle(refusal=0x6985))
    with pytest.raises(SignerError, match="0x6985"):
        await signer.sign_transaction(make_tx())


async def test_ledger_signer_given_a_short_answer_raises() -> None:
    signer = await LedgerSigner.connect(dongle=FakeDongle(answer=b"\x00" * 10))
    with pytest.raises(SignerError, match="10 bytes"):
        await signer.sign_transaction(make_tx())


async def test_ledger_signer_without_ledgerblue_says_what_to_install() -> None:
    with pytest.raises(MissingToolError, match="pip install ledgerblue"):
        await LedgerSigner.connect()


@pytest.mark.parametrize("path", ["", "m/44'", "44'/x", "99999999999"])
async def test_ledger_signer_of_no_path_raises(path: str) -> None:
    with pytest.raises(InputError, match="derivation path"):
        await LedgerSigner.connect(path, FakeDongle())
