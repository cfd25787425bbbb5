"""The express lane's numbers under everything that a sequencer answers. Catalogue entry 72 (a gap in the
sequence, a late round)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from onchain_exec.chain.relays import ANY_ORDER, ExpressLane, LaneSubmission, RelayIdentity
from onchain_exec.core import to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import NodeError, NodeRefusedError, NodeUnreachableError

KEY = b"\x42" * 32
AUCTION = to_address("0x" + "33" * 20)


class Sequencer:
    """Nitro's rules (express_lane_service.go, OffchainLabs/nitro@01b7e80d): the same signature counts once,
    a number that is taken is refused, and what follows a missing one waits."""

    where = "sequencer"

    def __init__(self) -> None:
        self.round, self.controller = 1, Account.from_key(KEY).address
        self.held: dict[int, dict[str, Any]] = {}
        self.sequenced: list[str] = []
        self.next = 0
        self.refuses = self.loses_answer = self.loses_request = False

    async def request(self, method: str, params: Sequence[Any] = ()) -> None:
        assert method == "timeboost_sendExpressLaneTransaction"
        if self.loses_request:
            raise NodeUnreachableError("reset")
        if self.refuses:
            raise NodeRefusedError(method, -32000, "QUEUE_FULL")
        self._take(method, params[0])
        if self.loses_answer:
            raise NodeUnreachableError("reset")

    def _take(self, method: str, fields: dict[str, Any]) -> None:
        if int(fields["round"], 16) != self.round:
            raise NodeRefusedError(method, -32000, "BAD_ROUND_NUMBER")
        number = int(fields["sequenceNumber"], 16)
        if number == ANY_ORDER:
            self.sequenced.append(fields["transaction"])
            return
        known = self.held.get(number)
        if known is not None:
            if known["signature"] != fields["signature"]:
                raise NodeRefusedError(method, -32000, "SUBMISSION_NONCE_ALREADY_SEEN")
            return
        self.held[number] = fields
        while self.next in self.held:
            self.sequenced.append(self.held[self.next]["transaction"])
            self.next += 1


@pytest.fixture
def sequencer() -> Sequencer:
    return Sequencer()


@pytest.fixture
def lane(sequencer: Sequencer) -> ExpressLane:
    return ExpressLane(sequencer, RelayIdentity(KEY), 42161, AUCTION)  # type: ignore[arg-type]


async def test_send_is_signed_by_the_controller_over_nitros_message(lane: ExpressLane) -> None:
    sent = await lane.send(b"\x02\x01", 1)
    expected = LaneSubmission(42161, AUCTION, 1, 0, b"\x02\x01").message
    assert expected[:32] == keccak(b"TIMEBOOST_BID")
    assert expected[32:64] == (42161).to_bytes(32)
    assert expected[64:84] == bytes.fromhex(AUCTION[2:])
    assert expected[84:] == (1).to_bytes(8) + (0).to_bytes(8) + b"\x02\x01"
    signer = Account.recover_message(encode_defunct(expected), signature=sent.signature)
    assert signer == Account.from_key(KEY).address


async def test_send_in_a_new_round_begins_with_number_0(lane: ExpressLane, sequencer: Sequencer) -> None:
    await lane.send(b"\x01", 1)
    await lane.send(b"\x02", 1)
    sequencer.round, sequencer.held, sequencer.next = 2, {}, 0
    with pytest.raises(NodeRefusedError, match="BAD_ROUND"):
        await lane.send(b"\x03", 1)
    assert (await lane.send(b"\x03", 2)).sequence == 0
    assert sequencer.sequenced == ["0x01", "0x02", "0x03"]


async def test_send_in_any_order_takes_no_number(lane: ExpressLane, sequencer: Sequencer) -> None:
    await lane.send(b"\x01", 1, ordered=False)
    assert (await lane.send(b"\x02", 1)).sequence == 0
    assert sequencer.sequenced == ["0x01", "0x02"]


@pytest.mark.parametrize("seed", range(20))
async def test_every_number_is_used_whatever_is_refused_or_lost(
    seed: int, lane: ExpressLane, sequencer: Sequencer
) -> None:
    """What was not refused is sequenced, once, when all answers have come; no gap holds it back."""
    draw, taken = random.Random(seed), []
    for number in range(30):
        faults = [draw.random() < 0.2 for _ in range(3)]
        sequencer.refuses, sequencer.loses_answer, sequencer.loses_request = faults
        raw = bytes((2, number))
        try:
            await lane.send(raw, 1)
            taken.append(raw)
        except NodeRefusedError:
            continue
        except NodeError:
            taken.append(raw)  # nobody knows: it may have been taken
    sequencer.refuses = sequencer.loses_answer = sequencer.loses_request = False
    await lane.resend()
    for _ in range(30):  # numbers that were refused are taken before new ones
        await lane.send(b"\x04", 1)
    assert lane.unanswered == {}
    ours = [raw for raw in sequencer.sequenced if raw.startswith("0x02")]
    assert sorted(ours) == sorted("0x" + raw.hex() for raw in taken)
