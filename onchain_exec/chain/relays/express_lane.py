"""Arbitrum's express lane (Timeboost), for who controls it in a round.

The sequencer takes a round's submissions in the order of their numbers, which begin with 0, and holds back
what comes after a number that is missing. So a number that was refused is given to the next transaction, and
one whose answer was lost is sent again as it was: the same signature counts once.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.chain.decode import to_hex
from onchain_exec.chain.relays.identity import RelayIdentity
from onchain_exec.chain.rpc import Rpc
from onchain_exec.core import Address, address_bytes
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import NodeRefusedError, RateLimitedError

ANY_ORDER: Final = 2**64 - 1
"""The number of what waits for nothing, and nothing waits for (nitro's DontCareSequence)."""

_DOMAIN: Final = keccak(b"TIMEBOOST_BID")


@dataclass(frozen=True, slots=True)
class LaneSubmission:
    """A signed transaction for one round, under a sequence number, signed by the round's controller."""

    chain_id: int
    auction: Address
    round_number: int
    sequence: int
    raw: bytes
    signature: str = ""

    @property
    def message(self) -> bytes:
        """What the controller signs (nitro, ``ExpressLaneSubmission.ToMessageBytes``)."""
        place = self.chain_id.to_bytes(32) + address_bytes(self.auction)
        return _DOMAIN + place + self.round_number.to_bytes(8) + self.sequence.to_bytes(8) + self.raw

    def to_json(self) -> dict[str, Any]:
        """Return the parameter of ``timeboost_sendExpressLaneTransaction``."""
        return {
            "chainId": hex(self.chain_id),
            "round": hex(self.round_number),
            "auctionContractAddress": self.auction,
            "transaction": to_hex(self.raw),
            "options": None,
            "sequenceNumber": hex(self.sequence),
            "signature": self.signature,
        }


class ExpressLane:
    """Submits to the sequencer behind ``rpc`` as the ``controller``, round by round.

    The numbers live in this object alone: after a restart within a round only `ANY_ORDER` is safe.
    """

    def __init__(self, rpc: Rpc, controller: RelayIdentity, chain_id: int, auction: Address) -> None:
        self._rpc, self._controller, self._chain_id, self._auction = rpc, controller, chain_id, auction
        self._round, self._next, self._free = 0, 0, list[int]()
        self.unanswered: dict[int, LaneSubmission] = {}

    async def send(self, raw: bytes, round_number: int, *, ordered: bool = True) -> LaneSubmission:
        """Submit a signed transaction in a round; not ``ordered``: under `ANY_ORDER`. An acknowledgement is
        no inclusion.

        Raises:
            NodeRefusedError, RateLimitedError: another controller, a round that is over, or too much at a
                time: it was not taken, and its number is free again.
            NodeUnreachableError: AMBIGUOUS: it stays in ``unanswered``; `resend` repeats it.
        """
        if round_number != self._round:
            self._round, self._next, self._free = round_number, 0, []
            self.unanswered = {}
        sequence = self._take_number() if ordered else ANY_ORDER
        submission = self._sign(round_number, sequence, raw)
        if ordered:
            self.unanswered[sequence] = submission
        await self._submit(submission)
        return submission

    async def resend(self) -> None:
        """Send again what has no answer, the very same bytes, lowest number first; raises as `send` does."""
        for sequence in sorted(self.unanswered):
            await self._submit(self.unanswered[sequence])

    async def _submit(self, submission: LaneSubmission) -> None:
        try:
            await self._rpc.request("timeboost_sendExpressLaneTransaction", (submission.to_json(),))
        except (NodeRefusedError, RateLimitedError):
            if self.unanswered.pop(submission.sequence, None) and submission.round_number == self._round:
                heapq.heappush(self._free, submission.sequence)
            raise
        if submission.round_number == self._round:
            self.unanswered.pop(submission.sequence, None)

    def _take_number(self) -> int:
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1

    def _sign(self, round_number: int, sequence: int, raw: bytes) -> LaneSubmission:
        plain = LaneSubmission(self._chain_id, self._auction, round_number, sequence, raw)
        signature = self._controller.sign_message(plain.message)
        return LaneSubmission(self._chain_id, self._auction, round_number, sequence, raw, signature)
