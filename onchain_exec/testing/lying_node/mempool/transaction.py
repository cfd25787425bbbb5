"""Raw transactions of every type, decoded as far as a pool needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import rlp
from coincurve import PublicKey
from eth_hash.auto import keccak
from rlp.exceptions import DecodingError

from onchain_exec.core import Address, to_address
from onchain_exec.errors import InputError

BLOB_GAS: Final = 2**17
"""Gas of one blob (EIP-4844)."""

_LEGACY, _ACCESS_LIST, _DYNAMIC, _BLOB, _SET_CODE = range(5)
_TIP_AT: Final = {_LEGACY: 1, _ACCESS_LIST: 2, _DYNAMIC: 2, _BLOB: 2, _SET_CODE: 2}
_FEE_AT: Final = {_LEGACY: 1, _ACCESS_LIST: 2, _DYNAMIC: 3, _BLOB: 3, _SET_CODE: 3}
_EXTRA_AT: Final = 9
"""Where types 3 and 4 have what the others lack: the blob fee and hashes, the authorisations."""


@dataclass(frozen=True, slots=True)
class PoolTx:
    """A signed transaction. ``raw`` are the bytes as they came, fees in wei per gas.

    ``blobs`` counts blob hashes; ``authorities`` are the accounts that an EIP-7702 transaction
    delegates. ``protected`` is false for a legacy signature that is good on every chain.
    """

    raw: bytes
    tx_hash: str
    kind: int
    chain_id: int | None
    sender: Address
    nonce: int
    tip_cap_wei: int
    fee_cap_wei: int
    gas_limit: int
    to: Address | None
    value_wei: int
    data: bytes
    blob_fee_cap_wei: int = 0
    blobs: int = 0
    authorities: tuple[Address, ...] = ()

    @property
    def cost_wei(self) -> int:
        """The most it can take from its sender."""
        blob_wei = self.blobs * BLOB_GAS * self.blob_fee_cap_wei
        return self.gas_limit * self.fee_cap_wei + self.value_wei + blob_wei

    @property
    def protected(self) -> bool:
        """Whether the signature names a chain (EIP-155)."""
        return self.chain_id is not None

    def get_effective_tip(self, base_fee_wei: int) -> int:
        """Return what a block's builder gets per gas; negative if it cannot be included."""
        return min(self.tip_cap_wei, self.fee_cap_wei - base_fee_wei)

    def to_json(self) -> dict[str, Any]:
        """Return it as geth shows what waits in its pool."""
        common = {
            "hash": self.tx_hash,
            "type": hex(self.kind),
            "from": self.sender.lower(),
            "to": self.to.lower() if self.to else None,
            "nonce": hex(self.nonce),
            "gas": hex(self.gas_limit),
            "gasPrice": hex(self.fee_cap_wei),
            "value": hex(self.value_wei),
            "input": "0x" + self.data.hex(),
            "chainId": None if self.chain_id is None else hex(self.chain_id),
            "blockHash": None,
            "blockNumber": None,
            "transactionIndex": None,
        }
        if self.kind < _DYNAMIC:
            return common
        fees = {"maxFeePerGas": hex(self.fee_cap_wei), "maxPriorityFeePerGas": hex(self.tip_cap_wei)}
        return common | fees


def decode_transaction(raw: bytes) -> PoolTx:
    """Return a signed transaction of type 0 to 4; a blob transaction with its sidecar or without.

    Raises:
        InputError: not a transaction, or no key can have signed it.
    """
    try:
        return _decode(raw)
    except (DecodingError, IndexError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{len(raw)} bytes that begin with 0x{raw[:1].hex()} are no signed transaction",
            needed="the bytes of eth_sendRawTransaction, of type 0 to 4",
        ) from error


def _decode(raw: bytes) -> PoolTx:
    typed = raw[0] < 0x80
    kind = raw[0] if typed else _LEGACY
    fields = rlp.decode(raw[1:] if typed else raw)
    if kind == _BLOB and isinstance(fields[0], list):
        fields = fields[0]  # the rest is the sidecar
    prefix, shift = (bytes((kind,)), 1) if typed else (b"", 0)
    tip_at, fee_at = _TIP_AT[kind], _FEE_AT[kind]
    gas_limit, to, value_wei, data = fields[fee_at + 1 : fee_at + 5]
    chain_id, digest, parity = _read_signature(fields, prefix, typed)
    return PoolTx(
        raw=raw,
        tx_hash="0x" + keccak(prefix + rlp.encode(fields)).hex(),
        kind=kind,
        chain_id=chain_id,
        sender=_recover(digest, parity, *fields[-2:]),
        nonce=_int(fields[shift]),
        tip_cap_wei=_int(fields[tip_at]),
        fee_cap_wei=_int(fields[fee_at]),
        gas_limit=_int(gas_limit),
        to=to_address(to) if to else None,
        value_wei=_int(value_wei),
        data=data,
        blob_fee_cap_wei=_int(fields[_EXTRA_AT]) if kind == _BLOB else 0,
        blobs=len(fields[_EXTRA_AT + 1]) if kind == _BLOB else 0,
        authorities=_read_authorities(fields[_EXTRA_AT]) if kind == _SET_CODE else (),
    )


def _read_signature(fields: list[Any], prefix: bytes, typed: bool) -> tuple[int | None, bytes, int]:
    """Return the chain id, the digest that was signed, and the parity."""
    v = _int(fields[-3])
    if typed:
        return _int(fields[0]), keccak(prefix + rlp.encode(fields[:-3])), v
    if v in (27, 28):
        return None, keccak(rlp.encode(fields[:-3])), v - 27
    chain_id = (v - 35) // 2
    return chain_id, keccak(rlp.encode([*fields[:-3], _bytes(chain_id), b"", b""])), (v - 35) % 2


def _read_authorities(authorisations: list[list[bytes]]) -> tuple[Address, ...]:
    return tuple(
        _recover(keccak(b"\x05" + rlp.encode(signed[:3])), _int(signed[3]), *signed[4:6])
        for signed in authorisations
    )


def _recover(digest: bytes, parity: int, r: bytes, s: bytes) -> Address:
    packed = r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes((parity,))
    key = PublicKey.from_signature_and_message(packed, digest, hasher=None)
    return to_address(keccak(key.format(compressed=False)[1:])[12:])


def _int(value: bytes) -> int:
    return int.from_bytes(value)


def _bytes(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)
