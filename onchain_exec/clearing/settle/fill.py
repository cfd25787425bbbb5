"""A fill of an order: how much of it moves, and on whose word. Seven words to the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from onchain_exec.clearing.settle.order import Flags, SettleOrder
from onchain_exec.core import ZERO_ADDRESS, Address, to_address
from onchain_exec.core.address import address_bytes
from onchain_exec.core.ecdsa import GROUP_ORDER, recover
from onchain_exec.errors import InputError

FILL_TYPE: Final = "(uint256,uint256,uint256,uint256,uint256,bytes32,bytes32)"
_MASK_128, _MASK_255 = (1 << 128) - 1, (1 << 255) - 1


class Scheme(IntEnum):
    """How an owner has signed (``ISettle.Scheme``)."""

    ECDSA = 0
    ERC1271 = 1
    PRESIGN = 2


@dataclass(frozen=True, slots=True)
class Signed:
    """An owner's word for an order. ``signature`` is 64 bytes r and vs of EIP-2098 for ECDSA, what the
    owner's contract takes for ERC1271, empty for PRESIGN."""

    scheme: Scheme
    signature: bytes = b""

    def __post_init__(self) -> None:
        if self.scheme is Scheme.ECDSA and len(self.signature) != 64:
            raise InputError(
                f"an ECDSA signature of {len(self.signature)} bytes", needed="64: r and vs (EIP-2098)"
            )

    @classmethod
    def by_key(cls, signature: bytes) -> Signed:
        """Return a key's word: its signature of the order's digest as 65 bytes r, s, parity (0 or 1)."""
        vs = int.from_bytes(signature[32:64]) | signature[64] << 255
        return cls(Scheme.ECDSA, signature[:32] + vs.to_bytes(32))

    def is_by_key(self, owner: Address, digest: bytes) -> bool:
        """Return whether a key's word for the digest is the owner's (``Signatures.isByKey``)."""
        r, vs = int.from_bytes(self.signature[:32]), int.from_bytes(self.signature[32:])
        s = vs & _MASK_255
        return s <= GROUP_ORDER // 2 and recover(digest, r, s, vs >> 255) == owner


@dataclass(frozen=True, slots=True)
class SettleFill:
    """``amount_in`` leaves the owner, ``amount_out`` reaches the receiver, and the matcher keeps ``fee`` of
    the token bought; base units."""

    order: SettleOrder
    signed: Signed
    amount_in: int
    amount_out: int
    fee: int = 0

    @property
    def amount(self) -> int:
        """What counts towards the order's size."""
        return self.amount_out if self.order.is_exact_out else self.amount_in


class Words(NamedTuple):
    """``ISettle.Fill``."""

    who: int
    terms: int
    limits: int
    amounts: int
    fee: int
    r: bytes
    vs: bytes


def pack_fill(fill: SettleFill, tokens: Sequence[Address], signatures: list[bytes]) -> Words:
    """Return the words of a fill. What an ERC-1271 owner needs is added to ``signatures``.

    Raises:
        InputError: a token that is not among ``tokens``, or a number beyond its place.
    """
    order = fill.order
    r, vs = fill.signed.signature[:32], fill.signed.signature[32:]
    if fill.signed.scheme is Scheme.ERC1271:
        r, vs = len(signatures).to_bytes(32), b""
        signatures.append(fill.signed.signature)
    return Words(
        pack_bits((_number(order.owner), 160), (order.deadline_at, 32), (order.lane, 32), (order.seq, 32)),
        pack_bits(
            (_number(order.receiver), 160),
            (order.max_fee_bps, 16),
            (int(order.flags), 8),
            (_index(tokens, order.token_in), 8),
            (_index(tokens, order.token_out), 8),
            (fill.signed.scheme, 8),
            (order.matcher != ZERO_ADDRESS, 8),
            (0, 40),
        ),
        pack_bits((order.amount_in, 128), (order.amount_out, 128)),
        pack_bits((fill.amount_in, 128), (fill.amount_out, 128)),
        fill.fee,
        r.ljust(32, b"\0"),
        vs.ljust(32, b"\0"),
    )


def unpack_fill(
    words: Words, tokens: Sequence[Address], signatures: Sequence[bytes], sender: Address
) -> SettleFill:
    """Return the fill in the words of a call by ``sender``.

    Raises:
        InputError: an index that names no token, scheme or signature.
    """
    terms = words.terms
    scheme, sells, buys = (terms >> 48) & 0xFF, (terms >> 64) & 0xFF, (terms >> 56) & 0xFF
    if scheme > Scheme.PRESIGN or max(sells, buys) >= len(tokens):
        raise InputError(f"scheme {scheme}, tokens {sells} and {buys} of {len(tokens)}", needed="known ones")
    order = SettleOrder(
        owner=_address(words.who >> 96),
        receiver=_address(terms >> 96),
        token_in=tokens[sells],
        token_out=tokens[buys],
        amount_in=words.limits >> 128,
        amount_out=words.limits & _MASK_128,
        deadline_at=(words.who >> 64) & 0xFFFFFFFF,
        lane=(words.who >> 32) & 0xFFFFFFFF,
        seq=words.who & 0xFFFFFFFF,
        max_fee_bps=(terms >> 80) & 0xFFFF,
        matcher=sender if (terms >> 40) & 0xFF else ZERO_ADDRESS,
        flags=Flags((terms >> 72) & 0xFF),
    )
    signed = _unpack_signed(Scheme(scheme), words, signatures)
    return SettleFill(order, signed, words.amounts >> 128, words.amounts & _MASK_128, words.fee)


def _unpack_signed(scheme: Scheme, words: Words, signatures: Sequence[bytes]) -> Signed:
    if scheme is Scheme.ECDSA:
        return Signed(scheme, words.r + words.vs)
    if scheme is Scheme.PRESIGN:
        return Signed(scheme)
    index = int.from_bytes(words.r)
    if index >= len(signatures):
        raise InputError(f"signature {index}", needed=f"one of {len(signatures)}")
    return Signed(scheme, signatures[index])


def pack_bits(*parts: tuple[int, int]) -> int:
    """Return numbers beside one another in a word, each given with how many bits it has; the first is
    highest.

    Raises:
        InputError: a number that has more.
    """
    word = 0
    for value, bits in parts:
        if not 0 <= value < 1 << bits:
            raise InputError(f"{value} in an order", needed=f"at most {(1 << bits) - 1}")
        word = word << bits | value
    return word


def _index(tokens: Sequence[Address], token: Address) -> int:
    try:
        return tokens.index(token)
    except ValueError as error:
        raise InputError(f"{token} is not among the batch's tokens") from error


def _number(address: Address) -> int:
    return int.from_bytes(address_bytes(address))


def _address(word: int) -> Address:
    return to_address((word & ((1 << 160) - 1)).to_bytes(20))
