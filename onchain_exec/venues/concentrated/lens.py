"""Whole pools in one call: the words of the tick bitmap to ask the Lens for, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from onchain_exec.core import Call, to_address
from onchain_exec.core.artifact import get_artifact
from onchain_exec.venues.concentrated.tick_math import MAX_TICK, MIN_TICK
from onchain_exec.venues.concentrated.ticks import Ticks

LENS_ADDRESS: Final = to_address("0x00000000000000000000000000000000004c656E")
"""Where calls find the Lens by state override; nothing stands there."""

_WORDS_PER_CALL: Final = 2_048
"""About 8 million gas of empty words, well within what nodes allow a call."""


def list_word_ranges(spacing: int) -> tuple[tuple[int, int], ...]:
    """Return the bitmap words of all ticks of a spacing as (first, last) ranges, one per call."""
    first, last = MIN_TICK // spacing >> 8, MAX_TICK // spacing >> 8
    return tuple(
        (start, min(start + _WORDS_PER_CALL - 1, last)) for start in range(first, last + 1, _WORDS_PER_CALL)
    )


def build_lens_call(data: bytes) -> Call:
    """Return a call to the Lens that works where it is not deployed."""
    return Call(LENS_ADDRESS, data, code=get_artifact("Lens").runtime_bytecode)


def unpack_ticks(spacing: int, pages: Iterable[tuple[Sequence[int], Sequence[int]]]) -> Ticks:
    """Return ticks from the Lens's pages, each of packed ticks and of their gross liquidity.

    A packed tick has the int24 in the low bits, the int128 net above.
    """
    packed, gross = (tuple(chain.from_iterable(column)) for column in zip(*pages, strict=True))
    return Ticks(
        spacing,
        tuple(_signed(word, 24) for word in packed),
        tuple(_signed(word >> 24, 128) for word in packed),
        gross,
    )


def _signed(word: int, bits: int) -> int:
    value = word & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value
