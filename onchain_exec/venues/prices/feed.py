"""Feeds of signed answers, as Chainlink's aggregators give them (``AggregatorV3Interface``)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from onchain_exec.core import Address, Call, Reading
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError
from onchain_exec.venues.answer import decode_answer

_DECIMALS: Final = Function("decimals()", "(uint8)")
_DESCRIPTION: Final = Function("description()", "(bytes)")  # a string, which need not be text
_LATEST_ROUND_DATA: Final = Function("latestRoundData()", "(uint80,int256,uint256,uint256,uint80)")

LATE_S: Final = 300
"""A round that its heartbeat makes due is mined some blocks later."""

SEQUENCER_GRACE_S: Final = 3_600
"""After a sequencer comes back, prices queue up behind everybody's transactions (Chainlink's figure)."""

_UP: Final = 0


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's contract; ``heartbeat_s`` is after how many seconds a round comes though nothing moved.

    ``description`` is what the contract must say that it is of: "ETH / USD".
    """

    address: Address
    heartbeat_s: int
    description: str


@dataclass(frozen=True, slots=True)
class Round:
    """A feed's newest round as of a block: ``answer`` has ``decimals``, times are unix seconds, ``read_at``
    is the block's. ``description`` is what the feed says that it is of.

    ``answeredInRound`` is not kept: Chainlink has deprecated it, and it equals the round's id.
    """

    round_id: int
    answer: int
    decimals: int
    started_at: int
    updated_at: int
    read_at: int
    description: str

    @property
    def age_s(self) -> int:
        """Seconds from the answer to the block; negative if it claims to be of later."""
        return self.read_at - self.updated_at

    @property
    def price(self) -> Fraction:
        """The answer in whole units of what the feed quotes in, per whole unit of what it quotes."""
        return Fraction(self.answer, 10**self.decimals)


def read_feed(feed: Feed) -> Reading[Round]:
    """Read a feed's newest round, whatever it is worth; see `refuse_round`.

    Raises:
        InputError: no feed stands at the address, or it has no round yet.
    """
    snapshot = yield (
        Call(feed.address, _LATEST_ROUND_DATA.encode()),
        Call(feed.address, _DECIMALS.encode()),
        Call(feed.address, _DESCRIPTION.encode()),
    )
    newest, decimals, description = snapshot.answers
    round_id, answer, started_at, updated_at, _ = decode_answer(_LATEST_ROUND_DATA, feed.address, newest)
    (scale,) = decode_answer(_DECIMALS, feed.address, decimals)
    (said,) = decode_answer(_DESCRIPTION, feed.address, description)
    return Round(
        round_id,
        answer,
        scale,
        started_at,
        updated_at,
        snapshot.block.timestamp,
        said.decode("utf-8", "replace"),
    )


def refuse_round(found: Round, feed: Feed) -> str:
    """Return why a round is not to be traded on at its block; empty if it is.

    A feed of something else is told by its ``description()``: addresses look alike.
    """
    if found.description != feed.description:
        return f"it says that it is of {found.description!r}, not of {feed.description!r}"
    if found.answer <= 0:
        return f"it answers {found.answer}"
    if found.updated_at == 0:
        return "its round is not complete"
    if found.age_s < 0:
        return f"its round is {-found.age_s} s in the future"
    if found.age_s > feed.heartbeat_s + LATE_S:
        return f"its round is {found.age_s} s old, with a heartbeat of {feed.heartbeat_s} s"
    return ""


def read_sequencer(feed: Address) -> Reading[str]:
    """Read a rollup's sequencer uptime feed; return why prices do not count now, empty if they do.

    They do not while the sequencer is down, for `SEQUENCER_GRACE_S` after it came back, and where no such
    feed answers.
    """
    snapshot = yield (Call(feed, _LATEST_ROUND_DATA.encode()),)
    try:
        _, status, started_at, *_ = decode_answer(_LATEST_ROUND_DATA, feed, snapshot.answers[0])
    except InputError as error:
        return f"the sequencer's feed: {error.found}"
    if status != _UP:
        return "the sequencer is down"
    if started_at == 0:
        return "the sequencer's feed has no round yet"
    up_s = snapshot.block.timestamp - started_at
    return f"the sequencer is up for {up_s} s only" if up_s <= SEQUENCER_GRACE_S else ""
