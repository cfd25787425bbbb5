"""Transactions as bytes: EIP-1559 (type 2), EIP-7702 (type 4) and EIP-155 (legacy), byte-identical to
eth-account.

Written out for the few fields there are, because a general encoder costs five times as much.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onchain_exec.core import Address, address_bytes, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError, SignerError
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
            _, _, tip, fee, *_ = _split_list(raw[1:])
            return Fees(int.from_bytes(fee), int.from_bytes(tip))
        _, price, *_ = _split_list(raw)
    except (IndexError, ValueError) as error:
        raise InputError(
            f"{len(raw)} bytes that begin with 0x{raw[:1].hex()} are not a transaction we make",
            needed="a signed transaction of type 2 or 4, or legacy",
        ) from error
    return Fees(int.from_bytes(price), int.from_bytes(price), legacy=True)


def decode_unsigned(raw: bytes) -> UnsignedTx:
    """Return the fields of signed bytes that we made, of type 2 or legacy.

    Raises:
        InputError: bytes of another type, or not a transaction.
    """
    fees = decode_fees(raw)
    fields = _split_list(raw if fees.legacy else raw[1:])
    if raw[:1] == _TYPE_4:
        raise InputError("a transaction of type 4", needed="one of type 2, or legacy")
    if fees.legacy:
        nonce, _, gas_limit, to, value, data, v, *_ = fields
        chain_id = (int.from_bytes(v) - 35) // 2
    else:
        chain_id, nonce = int.from_bytes(fields[0]), fields[1]
        gas_limit, to, value, data = fields[4:8]
    return UnsignedTx(
        chain_id=chain_id,
        nonce=int.from_bytes(nonce),
        fees=fees,
        gas_limit=int.from_bytes(gas_limit),
        to=to_address(to),
        value_wei=int.from_bytes(value),
        data=data,
    )


def extract_signature(tx: UnsignedTx, raw: bytes) -> Signature:
    """Return the signature in signed bytes that should be ``tx``.

    Raises:
        SignerError: they are other bytes than those of ``tx`` with any signature.
    """
    try:
        *_, v, r, s = _split_list(raw if tx.fees.legacy else raw[1:])
    except (IndexError, ValueError):
        v = r = s = b""
    parity = int.from_bytes(v) - (2 * tx.chain_id + 35 if tx.fees.legacy else 0)
    signature = Signature(int.from_bytes(r), int.from_bytes(s), parity)
    if parity not in (0, 1) or tx.encode(signature) != raw:
        raise SignerError(
            "the signer returned another transaction than it was asked to sign",
            needed="the same fields, on the same chain",
            todo="Check the signer's chain id, and that it fills in nothing by itself",
        )
    return signature


def get_authorisation_hash(chain_id: int, delegate: Address, nonce: int) -> bytes:
    """Return the digest of an EIP-7702 authorisation, by which an account lends itself a contract."""
    return keccak(b"\x05" + _list(_int(chain_id) + _address(delegate) + _int(nonce)))


def _split_list(encoded: bytes) -> list[bytes]:
    """Return the items of an RLP list without their heads; IndexError if it is none, or cut short."""
    at, stop = _find_body(encoded, 0)
    if encoded[0] < 0xC0 or stop != len(encoded):
        raise IndexError
    items = []
    while at < stop:
        start, end = _find_body(encoded, at)
        items.append(encoded[start:end])
        at = end
    if at != stop:
        raise IndexError
    return items


def _find_body(encoded: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the RLP item at ``at`` begins and ends."""
    head = encoded[at]
    if head < 0x80:
        return at, at + 1
    length = head - (0xC0 if head >= 0xC0 else 0x80)
    if length < 56:
        return at + 1, at + 1 + length
    start = at + 1 + length - 55
    return start, start + int.from_bytes(encoded[at + 1 : start])


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
