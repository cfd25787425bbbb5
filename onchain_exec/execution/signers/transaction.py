"""Transactions as bytes: EIP-1559 (type 2), EIP-7702 (type 4) and EIP-155 (legacy), byte-identical to
eth-account.

Written out for the few fields there are, because a general encoder costs five times as much.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_hash.auto import keccak

from onchain_exec.core import Address, address_bytes
from onchain_exec.errors import InputError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers.signature import Signature

_TYPE_2, _TYPE_4 = b"\x02", b"\x04"
_EMPTY_LIST = b"\xc0"


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An account's signed wish to run ``delegate``'s code as its own (EIP-7702). It consumes the
    account's ``nonce``; ``chain_id`` 0 would hold on every chain."""

    chain_id: int
    delegate: Address
    nonce: int
    signature: Signature

    def encode(self) -> bytes:
        """Return it as an item of a transaction's list."""
        signed = _int(self.signature.y_parity) + _int(self.signature.r) + _int(self.signature.s)
        return _list(_int(self.chain_id) + _address(self.delegate) + _int(self.nonce) + signed)


@dataclass(frozen=True, slots=True)
class UnsignedTx:
    """All that a signature covers. Amounts in wei. ``payload`` are the bytes that are hashed for it,
    ``signing_hash`` is their digest. With ``authorisations`` it is of type 4.

    Raises:
        InputError: authorisations on a chain without EIP-1559.
    """

    chain_id: int
    nonce: int
    fees: Fees
    gas_limit: int
    to: Address
    value_wei: int
    data: bytes
    authorisations: tuple[Authorisation, ...] = ()
    payload: bytes = field(init=False, repr=False)
    signing_hash: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fees.legacy:  # EIP-155 puts the chain id where the signature will stand
            if self.authorisations:
                raise InputError("authorisations with a legacy price", needed="fees of EIP-1559")
            payload = _list(self._legacy_fields() + _int(self.chain_id) + _int(0) + _int(0))
        else:
            payload = self._type + _list(self._typed_fields())
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "signing_hash", keccak(payload))

    def encode(self, signature: Signature) -> bytes:
        """Return the bytes to broadcast."""
        signed = _int(signature.r) + _int(signature.s)
        if self.fees.legacy:
            v = 2 * self.chain_id + 35 + signature.y_parity
            return _list(self._legacy_fields() + _int(v) + signed)
        return self._type + _list(self._typed_fields() + _int(signature.y_parity) + signed)

    @property
    def _type(self) -> bytes:
        return _TYPE_4 if self.authorisations else _TYPE_2

    def _typed_fields(self) -> bytes:
        fields = (
            _int(self.chain_id)
            + _int(self.nonce)
            + _int(self.fees.max_priority_fee_wei)
            + _int(self.fees.max_fee_wei)
            + self._message_fields()
            + _EMPTY_LIST  # of accesses
        )
        if not self.authorisations:
            return fields
        return fields + _list(b"".join(item.encode() for item in self.authorisations))

    def _legacy_fields(self) -> bytes:
        return _int(self.nonce) + _int(self.fees.max_fee_wei) + self._message_fields()

    def _message_fields(self) -> bytes:
        return _int(self.gas_limit) + _address(self.to) + _int(self.value_wei) + _string(self.data)


def decode_fees(raw: bytes) -> Fees:
    """Return the fee fields of signed bytes of type 2, 4 or legacy.

    Raises:
        InputError: bytes of another type, or not a transaction.
    """
    try:
        if raw[:1] in (_TYPE_2, _TYPE_4):
            _, _, tip, fee = _take_strings(raw[1:], 4)
            return Fees(int.from_bytes(fee), int.from_bytes(tip))
        _, price = _take_strings(raw, 2)
    except IndexError as error:
        raise InputError(
            f"{len(raw)} bytes that begin with 0x{raw[:1].hex()} are not a transaction we make",
            needed="a signed transaction of type 2 or 4, or legacy",
        ) from error
    return Fees(int.from_bytes(price), int.from_bytes(price), legacy=True)


def get_authorisation_hash(chain_id: int, delegate: Address, nonce: int) -> bytes:
    """Return the digest of an EIP-7702 authorisation, by which an account lends itself a contract."""
    return keccak(b"\x05" + _list(_int(chain_id) + _address(delegate) + _int(nonce)))


def _take_strings(encoded: bytes, count: int) -> list[bytes]:
    """Return the first short strings (under 56 bytes) of an RLP list; IndexError if it is none."""
    if encoded[0] < 0xC0:
        raise IndexError
    at = 1 + max(0, encoded[0] - 0xF7)
    strings = []
    for _ in range(count):
        head = encoded[at]
        if head >= 0xB8:
            raise IndexError
        start, stop = (at, at + 1) if head < 0x80 else (at + 1, at + 1 + head - 0x80)
        strings.append(encoded[start:stop])
        at = stop
    return strings


def _int(value: int) -> bytes:
    return _string(value.to_bytes((value.bit_length() + 7) // 8))


def _address(address: Address) -> bytes:
    return b"\x94" + address_bytes(address)  # 0x94 heads a string of 20 bytes


def _string(value: bytes) -> bytes:
    if len(value) == 1 and value[0] < 0x80:
        return value
    return _head(0x80, len(value)) + value


def _list(items: bytes) -> bytes:
    return _head(0xC0, len(items)) + items


def _head(offset: int, length: int) -> bytes:
    if length < 56:
        return bytes((offset + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((offset + 55 + len(size),)) + size
