"""Transactions as bytes: EIP-1559 (type 2), EIP-7702 (type 4) and EIP-155 (legacy), byte-identical to
eth-account.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onchain_exec.chain import Access
from onchain_exec.core import Address, address_bytes, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError, SignerError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers.rlp import encode_bytes, encode_ints, encode_list, split_items, split_list
from onchain_exec.execution.signers.signature import Signature

_TYPE_2, _TYPE_4 = b"\x02", b"\x04"


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
        signed = encode_ints(self.signature.y_parity, self.signature.r, self.signature.s)
        return encode_list(_encode_wish(self.chain_id, self.delegate, self.nonce) + signed)


@dataclass(frozen=True, slots=True)
class UnsignedTx:
    """All that a signature covers. Amounts in wei. ``payload`` are the bytes that are hashed for it,
    ``signing_hash`` is their digest. With ``authorisations`` it is of type 4.

    Raises:
        InputError: accesses or authorisations on a chain without EIP-1559.
    """

    chain_id: int
    nonce: int
    fees: Fees
    gas_limit: int
    to: Address
    value_wei: int
    data: bytes
    authorisations: tuple[Authorisation, ...] = ()
    accesses: tuple[Access, ...] = ()
    payload: bytes = field(init=False, repr=False)
    signing_hash: bytes = field(init=False, repr=False)
    _fields: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fees.legacy:  # EIP-155 puts the chain id where the signature will stand
            if self.authorisations or self.accesses:
                raise InputError("authorisations or accesses with a legacy price", needed="fees of EIP-1559")
            fields = self._legacy_fields()
            payload = encode_list(fields + encode_ints(self.chain_id, 0, 0))
        else:
            fields = self._typed_fields()
            payload = self._type + encode_list(fields)
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "signing_hash", keccak(payload))
        object.__setattr__(self, "_fields", fields)

    def encode(self, signature: Signature) -> bytes:
        """Return the bytes to broadcast."""
        if self.fees.legacy:
            v = 2 * self.chain_id + 35 + signature.y_parity
            return encode_list(self._fields + encode_ints(v, signature.r, signature.s))
        signed = encode_ints(signature.y_parity, signature.r, signature.s)
        return self._type + encode_list(self._fields + signed)

    @property
    def _type(self) -> bytes:
        return _TYPE_4 if self.authorisations else _TYPE_2

    def _typed_fields(self) -> bytes:
        fields = (
            encode_ints(self.chain_id, self.nonce, self.fees.max_priority_fee_wei, self.fees.max_fee_wei)
            + self._message_fields()
            + encode_list(b"".join(map(_encode_access, self.accesses)))
        )
        if not self.authorisations:
            return fields
        return fields + encode_list(b"".join(item.encode() for item in self.authorisations))

    def _legacy_fields(self) -> bytes:
        return encode_ints(self.nonce, self.fees.max_fee_wei) + self._message_fields()

    def _message_fields(self) -> bytes:
        return (
            encode_ints(self.gas_limit)
            + _encode_address(self.to)
            + encode_ints(self.value_wei)
            + encode_bytes(self.data)
        )


def decode_fees(raw: bytes) -> Fees:
    """Return the fee fields of signed bytes of type 2, 4 or legacy.

    Raises:
        InputError: bytes of another type, or not a transaction.
    """
    try:
        if raw[:1] in (_TYPE_2, _TYPE_4):
            _, _, tip, fee, *_ = split_list(raw[1:])
            return Fees(int.from_bytes(fee), int.from_bytes(tip))
        _, price, *_ = split_list(raw)
    except (IndexError, ValueError) as error:
        raise InputError(
            f"{len(raw)} bytes that begin with 0x{raw[:1].hex()} are not a transaction we make",
            needed="a signed transaction of type 2 or 4, or legacy",
        ) from error
    return Fees(int.from_bytes(price), int.from_bytes(price), legacy=True)


def decode_unsigned(raw: bytes) -> UnsignedTx:
    """Return the fields of signed bytes that we made, of type 2, type 4 or legacy.

    Raises:
        InputError: bytes of another type, or not a transaction.
    """
    fees = decode_fees(raw)
    fields = split_list(raw if fees.legacy else raw[1:])
    accesses: tuple[Access, ...] = ()
    authorisations = _decode_authorisations(fields[9]) if raw[:1] == _TYPE_4 else ()
    if fees.legacy:
        nonce, _, gas_limit, to, value, data, v, *_ = fields
        chain_id = (int.from_bytes(v) - 35) // 2
    else:
        chain_id, nonce = int.from_bytes(fields[0]), fields[1]
        gas_limit, to, value, data = fields[4:8]
        accesses = _decode_accesses(fields[8])
    return UnsignedTx(
        chain_id=chain_id,
        nonce=int.from_bytes(nonce),
        fees=fees,
        gas_limit=int.from_bytes(gas_limit),
        to=to_address(to),
        value_wei=int.from_bytes(value),
        data=data,
        authorisations=authorisations,
        accesses=accesses,
    )


def extract_signature(tx: UnsignedTx, raw: bytes) -> Signature:
    """Return the signature in signed bytes that should be ``tx``.

    Raises:
        SignerError: they are other bytes than those of ``tx`` with any signature.
    """
    try:
        *_, v, r, s = split_list(raw if tx.fees.legacy else raw[1:])
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
    return keccak(b"\x05" + encode_list(_encode_wish(chain_id, delegate, nonce)))


def _encode_wish(chain_id: int, delegate: Address, nonce: int) -> bytes:
    return encode_ints(chain_id) + _encode_address(delegate) + encode_ints(nonce)


def _encode_address(address: Address) -> bytes:
    return b"\x94" + address_bytes(address)  # 0x94 heads a string of 20 bytes


def _encode_access(access: Access) -> bytes:
    slots = b"".join(encode_bytes(slot.to_bytes(32)) for slot in access.slots)
    return encode_list(_encode_address(access.address) + encode_list(slots))


def _decode_authorisations(entries: bytes) -> tuple[Authorisation, ...]:
    return tuple(
        Authorisation(
            int.from_bytes(chain_id),
            to_address(delegate),
            int.from_bytes(nonce),
            Signature(int.from_bytes(r), int.from_bytes(s), int.from_bytes(y_parity)),
        )
        for chain_id, delegate, nonce, y_parity, r, s in map(split_items, split_items(entries))
    )


def _decode_accesses(entries: bytes) -> tuple[Access, ...]:
    return tuple(
        Access(to_address(address), tuple(map(int.from_bytes, split_items(slots))))
        for address, slots in map(split_items, split_items(entries))
    )
