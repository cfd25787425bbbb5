"""Keys on a Ledger: the Ethereum app's commands, one at a time, each confirmed on the device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final, Protocol, Self, TypeVar

from onchain_exec.core import Address
from onchain_exec.core.ecdsa import get_key_address
from onchain_exec.errors import InputError, MissingToolError, SignerError
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.signer import Capability
from onchain_exec.execution.signers.transaction import UnsignedTx
from onchain_exec.execution.signers.typed_data import encode_message

T = TypeVar("T")

_GET_ADDRESS, _SIGN_TRANSACTION, _SIGN_TYPED_DATA = 0x02, 0x04, 0x0C
_FIRST, _MORE = 0x00, 0x80
_CHUNK: Final = 255
_HARDENED: Final = 1 << 31


class Dongle(Protocol):
    """What is used of ``ledgerblue.comm.getDongle()``."""

    def exchange(self, apdu: bytes) -> bytes:
        """Return the answer to a command; a refusal raises with its status word as ``sw``."""
        ...


class LedgerSigner:
    """The account at a derivation path of a Ledger's Ethereum app; open it with `connect`.

    ``sign`` waits only 10 s by default: give it the time that a person needs.
    """

    def __init__(self, dongle: Dongle, path: bytes, address: Address) -> None:
        self._dongle, self._path, self._address = dongle, path, address
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def connect(cls, path: str = "44'/60'/0'/0/0", dongle: Dongle | None = None) -> Self:
        """Return the signer of an account; ``dongle`` None finds the device by ledgerblue.

        Raises:
            MissingToolError: ledgerblue is not installed.
            SignerError: no device, or the app is not open.
            InputError: not a derivation path.
        """
        packed = _pack_path(path)
        opened = dongle if dongle is not None else await _ask(_find_dongle)
        answer = await _exchange(opened, _GET_ADDRESS, _FIRST, packed)
        return cls(opened, packed, get_key_address(answer[1 : 1 + answer[0]]))

    @property
    def address(self) -> Address:
        """The account at the path."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All: the device signs by RFC 6979."""
        return frozenset(Capability)

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the device's signature, after its owner confirmed it there.

        Raises:
            SignerError: refused on the device, or the device fails.
        """
        answer = await self._send(_SIGN_TRANSACTION, self._path + tx.payload)
        v, signature = answer[0], answer[1:65]
        if tx.fees.legacy:  # one byte of chain_id * 2 + 35 + parity, whatever the chain id's size
            v = (v - 2 * tx.chain_id - 35) % 256
        return Signature.from_bytes(signature + bytes((v,)))

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the device's signature of an EIP-712 message's two hashes.

        Raises:
            SignerError: refused on the device, the device fails, or the message is malformed.
        """
        encoded = encode_message(message)
        answer = await self._send(_SIGN_TYPED_DATA, self._path + encoded.header + encoded.body)
        return Signature.from_bytes(answer[1:65] + bytes((answer[0] % 27,)))

    async def _send(self, instruction: int, data: bytes) -> bytes:
        answer = b""
        async with self._one_at_a_time:
            for part, chunk in _split(data):
                answer = await _exchange(self._dongle, instruction, part, chunk)
        if len(answer) < 65:
            raise SignerError(f"the device answered {len(answer)} bytes", needed="a signature of 65")
        return answer

    def __repr__(self) -> str:
        return f"LedgerSigner({self._address})"


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(data), _CHUNK):
        yield _MORE if start else _FIRST, data[start : start + _CHUNK]


async def _exchange(dongle: Dongle, instruction: int, part: int, data: bytes) -> bytes:
    apdu = bytes((0xE0, instruction, part, 0x00, len(data))) + data
    return bytes(await _ask(lambda: dongle.exchange(apdu)))


async def _ask(call: Callable[[], T]) -> T:
    """Make a blocking call of the device in a thread, its failures typed."""
    try:
        return await asyncio.to_thread(call)
    except _get_failures() as error:
        status = getattr(error, "sw", None)
        said = f"status 0x{status:04x}" if isinstance(status, int) else type(error).__name__
        raise SignerError(
            f"the Ledger refused or failed: {said}",
            needed="the device unlocked, its Ethereum app open, and the transaction confirmed there",
            todo="0x6985 is a refusal by its owner; 0x6a80 needs blind signing. Nothing was sent",
        ) from error


def _get_failures() -> tuple[type[Exception], ...]:
    """Return what a dongle raises: ledgerblue's error, where it is installed, and the system's."""
    try:
        comm: type[Exception] = import_module("ledgerblue.commException").CommException
    except ImportError:
        return (OSError,)
    return (OSError, comm)


def _find_dongle() -> Dongle:
    try:
        comm = import_module("ledgerblue.comm")
    except ImportError as error:
        raise MissingToolError("ledgerblue is not installed", todo="Run: pip install ledgerblue") from error
    dongle: Dongle = comm.getDongle()
    return dongle


def _pack_path(path: str) -> bytes:
    """Return a BIP-32 path as the app takes it: the number of its parts, and each in 4 bytes."""
    try:
        parts = [int(part.rstrip("'")) + _HARDENED * part.endswith("'") for part in path.split("/")]
        return bytes((len(parts),)) + b"".join(part.to_bytes(4) for part in parts)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path!r} is not a derivation path", needed="44'/60'/0'/0/0") from error
