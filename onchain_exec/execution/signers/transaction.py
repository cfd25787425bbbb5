"""Transactions as bytes: EIP-1559 (type 2) and EIP-155 (legacy), byte-identical to eth-account.

Written out for the few fields there are, because a general encoder costs five times as much.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_hash.auto import keccak

from onchain_exec.core import Address, address_bytes
from onchain_exec.errors import InputError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers.signature import Signature

_TYPE_2 = b"\x02"
_EMPTY_LIST = b"\xc0"


@dataclass(frozen=True, slots=True)
class UnsignedTx:
    """All that a signature covers. Amounts in wei. ``signing_hash`` is the digest that is signed."""

    chain_id: int
    nonce: int
    fees: Fees
    gas_limit: int
    to: Address
    value_wei: int
    data: bytes
    signing_hash: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fees.legacy:  # EIP-155 puts the chain id where the signature will stand
            signed = _list(self._legacy_fields() + _int(self.chain_id) + _int(0) + _int(0))
        else:
            signed = _TYPE_2 + _list(self._type_2_fields())
        object.__setattr__(self, "signing_hash", keccak(signed))

    def encode(self, signature: Signature) -> bytes:
        """Return the bytes to broadcast."""
        signed = _int(signature.r) + _int(signature.s)
        if self.fees.legacy:
            v = 2 * self.chain_id + 35 + signature.y_parity
            return _list(self._legacy_fields() + _int(v) + signed)
        return _TYPE_2 + _list(self._type_2_fields() + _int(signature.y_parity) + signed)

    def _type_2_fields(self) -> bytes:
        return (
            _int(self.chain_id)
            + _int(self.nonce)
            + _int(self.fees.max_priority_fee_wei)
            + _int(self.fees.max_fee_wei)
            + self._message_fields()
            + _EMPTY_LIST
        )

    def _legacy_fields(self) -> bytes:
        return _int(self.nonce) + _int(self.fees.max_fee_wei) + self._message_fields()

    def _message_fields(self) -> bytes:
        to = b"\x94" + address_bytes(self.to)  # 0x94 heads a string of 20 bytes
        return _int(self.gas_limit) + to + _int(self.value_wei) + _string(self.data)


def decode_fees(raw: bytes) -> Fees:
    """Return the fee fields of signed bytes of type 2 or legacy.

    Raises:
        InputError: bytes of another type, or not a transaction.
    """
    try:
        if raw[:1] == _TYPE_2:
            _, _, tip, fee = _take_strings(raw[1:], 4)
            return Fees(int.from_bytes(fee), int.from_bytes(tip))
        _, price = _take_strings(raw, 2)
    except IndexError as error:
        raise InputError(
            f"{len(raw)} bytes that begin with 0x{raw[:1].hex()} are not a transaction we make",
            needed="a signed transaction of type 2, or legacy",
        ) from error
    return Fees(int.from_bytes(price), int.from_bytes(price), legacy=True)


def get_authorisation_hash(chain_id: int, delegate: Address, nonce: int) -> bytes:
    """Return the digest of an EIP-7702 authorisation, by which an account lends itself a contract."""
    return keccak(b"\x05" + _list(_int(chain_id) + b"\x94" + address_bytes(delegate) + _int(nonce)))


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
