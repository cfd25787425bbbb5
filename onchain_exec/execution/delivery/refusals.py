"""What nodes mean when they refuse a transaction: one table, as data.

JSON-RPC fixes no codes for this, so the clients' words are matched. A wording that is not listed
means nothing: the send is then ambiguous, never refused.
"""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple


class Refusal(enum.Enum):
    """What a refusal says about these bytes."""

    KNOWN = "known"
    """The node has them."""

    NONCE_CONSUMED = "nonce consumed"
    """The account's nonce is past theirs: they are mined, or another transaction took the slot."""

    INVALID = "invalid"
    """The node will not take them, now or again, as things stand."""

    NOT_NOW = "not now"
    """The node did not take them; the same bytes may pass later (full pool, nonce gap)."""


class Wording(NamedTuple):
    """A pattern found in refusals (case is ignored), what it means, and who says so."""

    pattern: str
    refusal: Refusal
    said_by: str


WORDINGS: Final = (
    # A word before "known" must not count: "unknown transaction type" is no acknowledgement.
    Wording(r"\balready ?known\b", Refusal.KNOWN, "geth, reth, erigon, nethermind"),
    Wording(r"\bknown transaction\b", Refusal.KNOWN, "geth before 1.9.24, besu, zksync"),
    Wording(r"\b(transaction )?already imported\b", Refusal.KNOWN, "anvil, openethereum"),
    Wording(r"\bsame hash was already imported\b", Refusal.KNOWN, "openethereum"),
    Wording(r"\bexisting txn? with same hash\b", Refusal.KNOWN, "erigon"),
    Wording(r"\balready (in|exists in) (the )?(mempool|cache|pool|txpool)\b", Refusal.KNOWN, "evm on cosmos"),
    # Before the next: it is not the sender's nonce that is too low.
    Wording(r"\bauthority nonce too low\b", Refusal.INVALID, "geth (EIP-7702)"),
    Wording(r"\bnonce( is)? too low\b", Refusal.NONCE_CONSUMED, "geth, reth, erigon, besu"),
    Wording(r"\bold ?nonce\b|\bnonce too old\b", Refusal.NONCE_CONSUMED, "nethermind"),
    Wording(r"\bnonce is below sender account nonce\b", Refusal.NONCE_CONSUMED, "besu"),
    Wording(
        r"\breplacement (transaction )?(fee )?(underpriced|too low)\b", Refusal.INVALID, "geth, reth, anvil"
    ),
    Wording(r"\breplacement ?not ?allowed\b", Refusal.INVALID, "nethermind"),
    Wording(
        r"\b(transaction )?underpriced\b|\bgas price( is)? too low\b", Refusal.INVALID, "geth, reth, besu"
    ),
    Wording(r"\bfee ?too ?low(\b|to)|\btip.{0,20}below minimum\b", Refusal.INVALID, "nethermind, geth"),
    Wording(r"\bgas ?price.{0,20}(below|less than)\b", Refusal.INVALID, "besu, polygon"),
    Wording(r"\bmax fee per gas less than block base fee\b", Refusal.INVALID, "anvil, arbitrum"),
    Wording(r"\bmax priority fee per gas (higher than|exceeds) max fee\b", Refusal.INVALID, "geth, besu"),
    Wording(r"\bpriority fee below minimum\b", Refusal.INVALID, "reth"),
    Wording(
        r"\bexceeds the configured cap\b|\bfee cap exceeded\b",
        Refusal.INVALID,
        "geth, reth, besu (RPC fee cap)",
    ),
    Wording(r"\binsufficient ?funds\b|\binsufficient balance\b", Refusal.INVALID, "geth, reth, nethermind"),
    Wording(r"\bupfront cost exceeds account balance\b", Refusal.INVALID, "besu"),
    Wording(
        r"\bintrinsic gas (too low|exceeds gas limit)\b|\bintrinsicgas\b|\bgaslimit.{0,20}intrinsic\b",
        Refusal.INVALID,
        "geth, besu, erigon",
    ),
    Wording(r"\bfloor data gas\b|\bgas floor\b", Refusal.INVALID, "geth, reth (EIP-7623)"),
    Wording(
        r"\bexceeds (the )?block gas ?limit\b|\bgas ?limit ?exceeded\b", Refusal.INVALID, "geth, nethermind"
    ),
    Wording(r"\bgas limit reached\b", Refusal.INVALID, "nethermind"),
    Wording(r"\bgas (limit )?(is )?too high\b", Refusal.INVALID, "geth (EIP-7825), anvil"),
    Wording(
        r"\bexceeds max transaction gas limit\b|gas ?limit ?cap ?exceeded\b",
        Refusal.INVALID,
        "reth, besu, nethermind (EIP-7825)",
    ),
    Wording(
        r"\binvalid (chain ?id|sender|signature|transaction type)\b", Refusal.INVALID, "geth, besu, erigon"
    ),
    Wording(r"\binvalid ?tx ?chain ?id\b|\bwrong chain ?id\b", Refusal.INVALID, "nethermind, besu"),
    Wording(
        r"\btransaction type not supported\b|\bunsupported transaction type\b", Refusal.INVALID, "geth, reth"
    ),
    Wording(r"\btx ?type ?not ?supported\b|\bnot ?supported ?tx ?type\b", Refusal.INVALID, "nethermind"),
    Wording(r"\bcould not replace existing tx\b", Refusal.INVALID, "erigon"),
    Wording(r"\bonly replay-protected\b", Refusal.INVALID, "geth"),
    Wording(r"\bsender (is )?not an eoa\b|\bsender ?is ?contract\b", Refusal.INVALID, "geth, nethermind"),
    Wording(r"\boversized data\b|\binitcode (size|too large)\b", Refusal.INVALID, "geth, reth, erigon"),
    Wording(r"\btransaction too large\b|\bmax ?tx ?size ?exceeded\b", Refusal.INVALID, "nethermind"),
    Wording(r"\brlp ?too ?long\b", Refusal.INVALID, "erigon"),
    Wording(
        r"\bnonce ?(is )?too ?(high|far)\b|\bnonce ?gap\b", Refusal.NOT_NOW, "nethermind, besu, arbitrum"
    ),
    Wording(r"\btx ?pool is full\b|\bpool ?(is )?(full|overflow)\b", Refusal.NOT_NOW, "geth, erigon, besu"),
    Wording(r"\bin-flight transaction limit\b|\bgapped-nonce tx\b", Refusal.NOT_NOW, "geth, reth (EIP-7702)"),
    Wording(
        r"\bdelegation authority has pending\b|\bdelegator ?has ?pending ?tx\b",
        Refusal.NOT_NOW,
        "nethermind (EIP-7702)",
    ),
    Wording(r"\b(address|authority) already reserved\b", Refusal.NOT_NOW, "geth, reth, erigon"),
    Wording(
        r"\bpending transaction type conflict\b|\bpending ?txs ?of ?conflicting ?type\b",
        Refusal.NOT_NOW,
        "nethermind",
    ),
    Wording(r"\bnonce is too distant\b|\binvalid transaction with a lower nonce\b", Refusal.NOT_NOW, "besu"),
    Wording(r"\bfuture transaction tries to replace pending\b", Refusal.NOT_NOW, "geth"),
    Wording(r"\baccount limit exceeded\b", Refusal.NOT_NOW, "geth (blobs)"),
    Wording(
        r"\bnode is syncing\b|\binitial sync is still in progress\b", Refusal.NOT_NOW, "nethermind, besu"
    ),
)

_COMPILED: Final = tuple((re.compile(w.pattern, re.IGNORECASE), w.refusal) for w in WORDINGS)


def classify_refusal(message: str) -> Refusal | None:
    """Return what a node's refusal says about the bytes, or None if the wording is not known."""
    words = message.replace("_", " ")
    return next((refusal for pattern, refusal in _COMPILED if pattern.search(words)), None)
