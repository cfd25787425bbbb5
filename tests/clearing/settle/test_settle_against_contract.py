"""The Python replica and the contract, on the same random calls: the same error, or the same state."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest

from clearing.settle.book_of_orders import (
    MATCHER,
    NOW,
    SUNSET_AT,
    Stage,
    break_fill,
    make_fill,
    make_order,
    set_stage,
)
from onchain_exec.clearing.settle import SettleFill, replica
from onchain_exec.clearing.settle.batch import Batch, decode_batch, encode_pair, encode_take, get_tokens
from onchain_exec.clearing.settle.contract import HASH_ORDER, LANE_OF, SETTLE_ERRORS
from onchain_exec.clearing.settle.money import (
    Balances,
    apply_batch,
    apply_transfers,
    get_pair_transfers,
    get_take_transfers,
)
from onchain_exec.errors import RevertError, SettleRevertError
from onchain_exec.execution.signers.typed_data import hash_typed_data


@dataclass(frozen=True)
class Attempt:
    """A call, what the replica makes of it, and the tokens that it moves."""

    calldata: bytes
    apply: Callable[[replica.SettleState, replica.Moment], replica.SettleState]
    move: Callable[[Balances], Balances]


def test_settle_random_calls_equal_the_contract(rng: random.Random) -> None:
    judged = run_random_calls(rng, 150)
    assert min(judged.values()) > 15, judged


@pytest.mark.deep
def test_settle_ten_thousand_random_calls_of_each_kind_equal_the_contract(rng: random.Random) -> None:
    judged = run_random_calls(rng, 32_000)  # batches, pairs and takes
    assert min(judged.values()) > 6_000, judged


def run_random_calls(dice: random.Random, count: int) -> dict[str, int]:
    """Run them on both sides; return how many were taken and how many refused."""
    stage = set_stage()
    state = replica.SettleState(SUNSET_AT)
    balances: Balances = {
        (token, account): stage.balance(token, account)
        for token in stage.tokens
        for account in (*stage.owners, MATCHER)
    }
    judged = {"taken": 0, "refused": 0}
    for _ in range(count):
        moment = replica.Moment(stage.domain, MATCHER, NOW)
        attempt = make_attempt(stage, dice, state)
        expected = expect(attempt, state, balances, moment)
        found = run(stage, attempt.calldata)
        if isinstance(expected, SettleRevertError):
            assert found == expected.reason, expected
            judged["refused"] += 1
            continue
        state, balances = expected
        assert found is None
        judged["taken"] += 1
    for (owner, lane), standing in (state.lanes or {}).items():
        answer = LANE_OF.decode(stage.evm.static_call(stage.domain.contract, LANE_OF.encode(owner, lane)))
        assert answer == (standing.seq, standing.filled)
    for (token, account), amount in balances.items():
        assert stage.balance(token, account) == amount
    return judged


def expect(
    attempt: Attempt, state: replica.SettleState, balances: Balances, moment: replica.Moment
) -> tuple[replica.SettleState, Balances] | SettleRevertError:
    """Return what the replica makes of it."""
    try:
        after = attempt.apply(state, moment)
        return after, attempt.move(balances)
    except SettleRevertError as error:
        return error


def run(stage: Stage, calldata: bytes) -> str | None:
    """Return the name of the error that the contract reverts with, if it does."""
    try:
        stage.evm.call(MATCHER, stage.domain.contract, calldata)
    except RevertError as error:
        known = {item.selector: item.name for item in SETTLE_ERRORS}
        return known[error.data[:4]]
    return None


def make_attempt(stage: Stage, dice: random.Random, state: replica.SettleState) -> Attempt:
    """Return a batch, a pair or a take, half of them with something wrong."""
    owner, token_in = dice.choice(stage.owners), dice.choice(stage.tokens)
    fill = make_fill(stage, dice, make_order(stage, dice, owner, token_in, state))
    answer = answer_to(stage, dice, fill, state)
    if dice.random() < 0.4:
        fill = break_fill(stage, dice, fill)
    kind = dice.randrange(3)
    if kind == 0:
        return attempt_batch(stage, dice, (fill, answer))
    if kind == 1:
        return Attempt(
            encode_pair(fill, answer),
            lambda state, moment: replica.pair(state, fill, answer, moment),
            lambda balances: apply_transfers(balances, get_pair_transfers(fill, answer, MATCHER)),
        )
    return Attempt(
        encode_take(fill),
        lambda state, moment: replica.take(state, fill, moment),
        lambda balances: apply_transfers(balances, get_take_transfers(fill, MATCHER)),
    )


def answer_to(stage: Stage, dice: random.Random, fill: SettleFill, state: replica.SettleState) -> SettleFill:
    """Return a fill of another owner that is exactly the other side."""
    owner = dice.choice([account for account in stage.owners if account != fill.order.owner])
    order = replace(
        make_order(stage, dice, owner, fill.order.token_out, state),
        token_out=fill.order.token_in,
        amount_in=fill.amount_out + fill.fee,
        amount_out=fill.amount_in,
    )
    return SettleFill(order, stage.sign(order), order.amount_in, order.amount_out)


def attempt_batch(stage: Stage, dice: random.Random, fills: Iterable[SettleFill]) -> Attempt:
    listed = tuple(fills)
    tokens = get_tokens(listed)
    if dice.random() < 0.05:
        tokens = tokens[::-1]
    prices: tuple[int, ...] = ()
    if dice.random() < 0.2:
        prices = tuple(dice.choice((1, 1, 2)) for _ in range(dice.choice((2, 2, 2, 1))))
    batch = Batch(tokens, listed, prices)
    calldata = batch.encode()
    assert decode_batch(calldata, MATCHER).encode() == calldata
    return Attempt(
        calldata,
        lambda state, moment: replica.settle(state, batch, moment),
        lambda balances: apply_batch(balances, batch, stage.domain.contract, MATCHER),
    )


def test_hash_order_random_equals_contract_and_wallets(rng: random.Random) -> None:
    stage = set_stage(2)
    for _ in range(30):
        order = make_order(stage, rng, stage.owners[0], stage.tokens[0], replica.SettleState(SUNSET_AT))
        digest = stage.domain.get_digest(order)
        answer = stage.evm.static_call(stage.domain.contract, HASH_ORDER.encode(order.to_tuple()))
        assert digest == answer == hash_typed_data(stage.domain.get_typed_data(order))


def test_get_withdrawal_digest_is_what_a_wallet_signs() -> None:
    domain = set_stage(1).domain
    assert domain.get_withdrawal_digest(b"\x07" * 32) == hash_typed_data(
        domain.get_withdrawal_data(b"\x07" * 32)
    )
