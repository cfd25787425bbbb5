"""Calls of the Settle contract as values, to calldata and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.clearing.settle.contract import (
    CANCEL,
    PAIR,
    PRESIGN,
    SETTLE,
    TAKE,
    TAKE_FROM_CONTRACT,
)
from onchain_exec.clearing.settle.fill import SettleFill, Words, pack_bits, pack_fill, unpack_fill
from onchain_exec.core import Address, to_address
from onchain_exec.errors import InputError

MAX_TOKENS: Final = 256
"""A fill names its tokens by one byte each."""


@dataclass(frozen=True, slots=True)
class Advance:
    """``amount`` base units that the sender's callback gets beforehand."""

    token: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The arguments of ``Settle.settle``. ``tokens`` are ascending, each once; ``prices`` is empty or one
    for each token; ``data`` is what the sender's callback is called with, empty for none."""

    tokens: tuple[Address, ...]
    fills: tuple[SettleFill, ...]
    prices: tuple[int, ...] = ()
    advances: tuple[Advance, ...] = ()
    data: bytes = b""

    def encode(self) -> bytes:
        """Return the calldata.

        Raises:
            InputError: a token that is not in the batch, or a number beyond its type.
        """
        return SETTLE.encode(*self.to_arguments(), self.data)

    def to_arguments(self) -> tuple[Any, ...]:
        """Return all but ``data`` as ABI arguments: tokens, prices, fills, signatures, advances.

        Raises:
            InputError: as of `encode`.
        """
        signatures: list[bytes] = []
        words = [pack_fill(fill, self.tokens, signatures) for fill in self.fills]
        advances = [(self.tokens.index(part.token), part.amount) for part in self.advances]
        return list(self.tokens), list(self.prices), words, signatures, advances


def get_tokens(fills: Iterable[SettleFill]) -> tuple[Address, ...]:
    """Return the tokens that the fills move, as a batch lists them.

    Raises:
        InputError: more than a batch can name.
    """
    found = {token for fill in fills for token in (fill.order.token_in, fill.order.token_out)}
    if len(found) > MAX_TOKENS:
        raise InputError(f"{len(found)} tokens in a batch", needed=f"at most {MAX_TOKENS}")
    return tuple(sorted(found, key=str.lower))


def decode_batch(calldata: bytes, sender: Address) -> Batch:
    """Return the batch that ``sender`` settles by this calldata.

    Raises:
        InputError: it is no call of ``settle``, or one whose indices name nothing.
    """
    *arguments, data = SETTLE.decode_arguments(calldata)
    return read_batch(arguments, sender, data)


def read_batch(arguments: Sequence[Any], sender: Address, data: bytes = b"") -> Batch:
    """Return the batch that `Batch.to_arguments` gave, brought to the contract by ``sender``.

    Raises:
        InputError: indices that name nothing.
    """
    tokens, prices, words, signatures, advances = arguments
    listed = tuple(map(to_address, tokens))
    return Batch(
        tokens=listed,
        fills=tuple(unpack_fill(Words(*fill), listed, signatures, sender) for fill in words),
        prices=tuple(prices),
        advances=tuple(Advance(listed[index], amount) for index, amount in advances),
        data=data,
    )


def encode_pair(one: SettleFill, other: SettleFill) -> bytes:
    """Return calldata of ``Settle.pair``: two orders against each other, from wallet to wallet."""
    signatures: list[bytes] = []
    return PAIR.encode(*_to_direct_arguments(signatures, one, other), signatures)


def encode_take(fill: SettleFill) -> bytes:
    """Return calldata of ``Settle.take``, or of ``takeFromContract`` for an owner that signs by its code: the
    sender is the other side."""
    signatures: list[bytes] = []
    arguments = _to_direct_arguments(signatures, fill)
    return TAKE_FROM_CONTRACT.encode(*arguments, signatures) if signatures else TAKE.encode(*arguments)


def encode_cancel(lane: int, seq: int) -> bytes:
    """Return calldata of ``Settle.cancel``: every order on the lane up to and with ``seq`` is dead.

    Raises:
        InputError: a lane or seq beyond its 32 bits.
    """
    return CANCEL.encode(pack_bits((lane, 32), (seq, 32)))


def encode_presign(lane: int, digest: bytes) -> bytes:
    """Return calldata of ``Settle.presign``; 32 zero bytes take it back."""
    return PRESIGN.encode(lane, digest)


def _to_direct_arguments(signatures: list[bytes], *fills: SettleFill) -> tuple[Any, ...]:
    """The tokens are the call's own: the indices in the words are not read."""
    tokens: Sequence[Address] = (fills[0].order.token_in, fills[0].order.token_out)
    return (*(pack_fill(fill, tokens, signatures) for fill in fills), *tokens)
