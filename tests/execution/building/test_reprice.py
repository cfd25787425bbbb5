"""Attempts that take the place of others: the same call for more, by every node's rules."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import BLOCK, ROUTER, sign_transfer

from onchain_exec.errors import GasError, InputError
from onchain_exec.execution import Fees, Purpose, Signature, UnsignedTx, build_gap, is_outbid, speed_up
from onchain_exec.execution.signers.transaction import decode_unsigned
from onchain_exec.testing.lying_node import Limits, decode_transaction
from onchain_exec.testing.lying_node.mempool.rules import may_replace

fees = st.tuples(st.integers(1, 10**13), st.integers(1, 10**13)).map(lambda pair: (max(pair), min(pair)))


@given(old=fees, market=fees)
def test_speed_up_is_the_same_call_and_every_node_takes_it(old, market):
    stuck = sign_transfer(7, maxFeePerGas=old[0], maxPriorityFeePerGas=old[1], data=b"\x01\x02")
    proven = speed_up(stuck, BLOCK, Fees(*market))
    before, plan = decode_unsigned(stuck.raw), proven.plan
    assert (plan.to, plan.data, plan.value_wei) == (before.to, before.data, before.value_wei)
    assert (proven.gas_limit, plan.purpose, plan.cause) == (before.gas_limit, stuck.purpose, stuck)
    pooled = decode_transaction(stuck.raw)
    newer = replace(pooled, fee_cap_wei=plan.fees.max_fee_wei, tip_cap_wei=plan.fees.max_priority_fee_wei)
    assert may_replace(newer, pooled, Limits())
    assert plan.fees.max_fee_wei >= market[0]


def test_speed_up_beyond_the_budget_or_on_another_chain_is_refused():
    stuck = sign_transfer(maxFeePerGas=100, maxPriorityFeePerGas=10)
    with pytest.raises(GasError):
        speed_up(stuck, BLOCK, Fees(100, 10), max_fee_wei=105)
    with pytest.raises(InputError):
        speed_up(stuck, replace(BLOCK, chain_id=1), Fees(100, 10))


@given(offered=fees, market=fees, base_fee_wei=st.integers(0, 10**12))
def test_is_outbid_says_whether_less_than_half_of_the_markets_tip_is_paid(offered, market, base_fee_wei):
    tx = sign_transfer(maxFeePerGas=offered[0], maxPriorityFeePerGas=offered[1])
    paid = min(offered[1], offered[0] - base_fee_wei)
    asked = min(market[1], market[0] - base_fee_wei)
    assert is_outbid(tx.raw, Fees(*market), base_fee_wei) == (2 * paid < asked)


@given(
    nonce=st.integers(0, 2**32),
    value_wei=st.integers(0, 10**30),
    gas_limit=st.integers(21_000, 2**24),
    data=st.binary(max_size=300),
    offered=fees,
    legacy=st.booleans(),
)
def test_decode_unsigned_returns_what_was_encoded(nonce, value_wei, gas_limit, data, offered, legacy):
    paid = Fees(offered[0], offered[0], legacy=True) if legacy else Fees(*offered)
    tx = UnsignedTx(1337, nonce, paid, gas_limit, ROUTER, value_wei, data)
    assert decode_unsigned(tx.encode(Signature(1, 2, 0))) == tx


def test_build_gap_moves_nothing_and_belongs_to_who_waits():
    waiting = sign_transfer(5)
    plan = build_gap(waiting, BLOCK, Fees(2, 1))
    assert (plan.purpose, plan.to, plan.value_wei, plan.data) == (Purpose.GAP, waiting.sender, 0, b"")
    assert plan.order_id == waiting.order_id
    with pytest.raises(InputError):
        build_gap(waiting, replace(BLOCK, chain_id=1), Fees(2, 1))
