"""The contract's lanes are a pure function of its log, fills and cancellations in any order."""

from __future__ import annotations

import random

import pytest

from clearing.settle.book_of_orders import MATCHER, SUNSET_AT, make_fill, make_order, set_stage
from onchain_exec.clearing.settle.batch import encode_cancel, encode_take
from onchain_exec.clearing.settle.contract import LANE_OF
from onchain_exec.clearing.settle.events import apply_logs
from onchain_exec.clearing.settle.lane import Lane
from onchain_exec.clearing.settle.replica import SettleState
from onchain_exec.core import Address
from onchain_exec.errors import InputError, RevertError


def test_apply_logs_random_fills_and_cancellations_equal_the_contracts_lanes(rng: random.Random) -> None:
    stage = set_stage(3)
    contract = stage.domain.contract
    lanes: dict[tuple[Address, int], Lane] = {}
    taken = 0
    for _ in range(60):
        owner, token = rng.choice(stage.owners), rng.choice(stage.tokens)
        order = make_order(stage, rng, owner, token, SettleState(SUNSET_AT, lanes=lanes))
        call = (MATCHER, encode_take(make_fill(stage, rng, order)))
        if rng.random() < 0.4:
            call = (owner, encode_cancel(order.lane, order.seq))
        sender, calldata = call
        try:
            stage.evm.call(sender, contract, calldata)
        except RevertError:
            continue
        taken += 1
        lanes = apply_logs(lanes, stage.evm.logs, contract)
    assert taken > 20
    for owner in stage.owners:
        for number in range(2):
            answer = stage.evm.static_call(contract, LANE_OF.encode(owner, number))
            lane = lanes.get((owner, number), Lane())
            assert LANE_OF.decode(answer) == (lane.seq, lane.filled)


def test_encode_cancel_last_lane_and_seq_kills_that_lane_alone() -> None:
    stage = set_stage(1)
    (owner,), last = stage.owners, 2**32 - 1
    stage.evm.call(owner, stage.domain.contract, encode_cancel(last, last))
    lanes = apply_logs({}, stage.evm.logs, stage.domain.contract)
    assert lanes == {(owner, last): Lane(2**32)}
    for number, seq in ((0, 0), (last - 1, 0), (last, 2**32)):
        answer = stage.evm.static_call(stage.domain.contract, LANE_OF.encode(owner, number))
        assert LANE_OF.decode(answer) == (seq, 0)


@pytest.mark.parametrize(("lane", "seq"), [(2**32, 0), (0, 2**32), (-1, 0), (0, -1)])
def test_encode_cancel_beyond_32_bits_raises(lane: int, seq: int) -> None:
    with pytest.raises(InputError):
        encode_cancel(lane, seq)
