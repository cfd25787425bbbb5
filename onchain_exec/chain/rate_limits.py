"""Who asks to slow down, and in which words: a table, as data.

No code means it everywhere. EIP-1474 has -32005 for "request exceeds defined limit", and Infura uses
it so; Besu answers it to a gas limit above the block's, to a block range that is too wide and to a
batch that is too large, where to wait helps nothing. So a code counts with its words only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from onchain_exec.chain.dialects import get_revert_data
from onchain_exec.errors import NodeRefusedError


class RateLimit(NamedTuple):
    """A code (None: any), a pattern of the message (case is ignored), and who says it where."""

    code: int | None
    pattern: str
    source: str


RATE_LIMITS: Final = (
    RateLimit(429, r"", "Alchemy, QuickNode, Infura since 2024: their error references"),
    RateLimit(-32005, r"request (rate|count) exceeded|rate limited", "Infura: docs, avoid rate limiting"),
    RateLimit(-32005, r"^limit exceeded$", "public nodes of BNB Chain; EIP-1474's words"),
    RateLimit(-32005, r"quota exceeded", "gateways that count compute units"),
    RateLimit(-32007, r"request limit reached", "QuickNode: foundry-rs/foundry#4894, wevm/viem#5084"),
    RateLimit(-32012, r"credits limited to", "QuickNode: foundry-rs/foundry#6712"),
    RateLimit(-32016, r"rate limit", "Base: base/node#368; Alchemy by address: alloy-rs/alloy"),
    RateLimit(-32090, r"too many requests", "Ankr"),
    RateLimit(
        None, r"\b(over|exceeded).{0,30}\brate.?limit|\brate.?limit(ed|ing|s)?\b.{0,20}exceeded", "any"
    ),
    RateLimit(None, r"\btoo many requests\b|\brequests limited to\b", "any: erpc/erpc, alloy-rs/alloy"),
    RateLimit(None, r"\bcompute units per second\b", "Alchemy: latticexyz/mud#1522"),
    RateLimit(None, r"\bexceeded the RPS limit\b", "Chainstack: BobTheBuidler/dank_mids"),
    RateLimit(None, r"\b(reached|exceeded) .{0,20}\b(quota|capacity|throughput)\b", "any: erpc/erpc"),
)

_COMPILED: Final = tuple((limit.code, re.compile(limit.pattern, re.IGNORECASE)) for limit in RATE_LIMITS)
_TOO_LARGE: Final = re.compile(
    r"query returned more|block range|range limit|response (size|too large)|logs? matched", re.IGNORECASE
)
"""Refusals of a too wide eth_getLogs, which some providers word as a limit that was exceeded."""

_BACKOFF: Final = re.compile(r"\b(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?) ?s", re.IGNORECASE)


def is_rate_limit(error: NodeRefusedError) -> bool:
    """Return whether the node asks to slow down. What a contract reverts with is never it."""
    if get_revert_data(error) is not None or _TOO_LARGE.search(error.rpc_message):
        return False
    return any(
        code in (None, error.rpc_code) and words.search(error.rpc_message) for code, words in _COMPILED
    )


def get_backoff_s(error: NodeRefusedError) -> float | None:
    """Return how long the node wants to be left alone: Infura puts ``backoff_seconds`` into the data,
    others say it in the message."""
    if (wish := _find_backoff(error.rpc_data)) is not None:
        return wish
    said = _BACKOFF.search(error.rpc_message)
    return float(said[1]) if said else None


def _find_backoff(data: Any) -> float | None:
    if not isinstance(data, Mapping):
        return None
    wish = data.get("backoff_seconds")
    if isinstance(wish, int | float):
        return float(wish)
    nested = (_find_backoff(value) for value in data.values())
    return next((found for found in nested if found is not None), None)
