"""Fees: catalogue entries 8 (replacement), 41 (base-fee spike), 42 (capped tip), 49 (bump beyond cap)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import ScriptedRpc

from onchain_exec.chain import FeeHistory, LocalChain, Node
from onchain_exec.errors import GasError
from onchain_exec.execution.costs.fees import Urgency, bump_fees, choose_fees, get_base_fee_after, read_fees
from onchain_exec.execution.plan import Fees

TIP_FLOOR_WEI = 1_000_000
weis = st.one_of(st.integers(0, 100), st.integers(0, 10**13))
tip_rows = st.lists(weis, min_size=3, max_size=3).map(lambda tips: tuple(sorted(tips)))
urgencies = st.sampled_from(Urgency)
blocks = st.integers(0, 40)


@st.composite
def histories(draw: st.DrawFn) -> FeeHistory:
    rows = draw(st.lists(st.tuples(tip_rows, st.floats(0, 1)), max_size=20))
    base_fees = draw(st.lists(weis, min_size=len(rows) + 1, max_size=len(rows) + 1))
    return FeeHistory(0, tuple(base_fees), tuple(r for _, r in rows), tuple(t for t, _ in rows))


@st.composite
def pooled_fees(draw: st.DrawFn) -> Fees:
    fee = draw(weis)
    if draw(st.booleans()):
        return Fees(fee, fee, legacy=True)
    return Fees(fee, draw(st.integers(0, fee)))


def next_base_fee(base_fee_wei: int, gas_used: int, gas_limit: int) -> int:
    """EIP-1559's calc_base_fee, as the EIP writes it."""
    target = gas_limit // 2
    if gas_used == target:
        return base_fee_wei
    if gas_used > target:
        return base_fee_wei + max(base_fee_wei * (gas_used - target) // target // 8, 1)
    return base_fee_wei - base_fee_wei * (target - gas_used) // target // 8


@given(histories(), urgencies, blocks, st.lists(st.integers(0, 30_000_000), max_size=40))
def test_choose_fees_without_budget_pays_tip_through_any_blocks(
    history: FeeHistory, urgency: Urgency, survive: int, used: list[int]
) -> None:
    fees = choose_fees(history, urgency, survive)
    base_fee = history.next_base_fee_wei
    for gas_used in used[:survive]:
        base_fee = next_base_fee(base_fee, gas_used, 30_000_000)
    assert fees.max_fee_wei >= base_fee + fees.max_priority_fee_wei
    assert fees.max_priority_fee_wei >= TIP_FLOOR_WEI
    assert not fees.legacy


@given(weis, blocks)
def test_get_base_fee_after_is_reached_by_full_blocks(base_fee: int, count: int) -> None:
    worst = base_fee
    for _ in range(count):
        worst = next_base_fee(worst, 30_000_000, 30_000_000)
    assert get_base_fee_after(base_fee, count) == worst


@given(histories(), urgencies, blocks, weis)
def test_choose_fees_within_budget_is_minable_or_raises(
    history: FeeHistory, urgency: Urgency, survive: int, budget: int
) -> None:
    try:
        fees = choose_fees(history, urgency, survive, budget)
    except GasError:
        assert budget < history.next_base_fee_wei + TIP_FLOOR_WEI
        return
    assert fees.max_fee_wei <= budget
    assert fees.max_priority_fee_wei >= TIP_FLOOR_WEI
    assert fees.max_fee_wei >= history.next_base_fee_wei + fees.max_priority_fee_wei


@given(histories(), blocks)
def test_choose_fees_rises_with_urgency(history: FeeHistory, survive: int) -> None:
    tips = [choose_fees(history, urgency, survive).max_priority_fee_wei for urgency in Urgency]
    assert tips == sorted(tips)


def test_choose_fees_ignores_empty_blocks() -> None:
    history = FeeHistory(0, (0,) * 4, (0.0, 0.5, 0.0), ((0, 0, 0), (10**9,) * 3, (0, 0, 0)))
    assert choose_fees(history, Urgency.LOW, 0).max_priority_fee_wei == 10**9


@given(pooled_fees(), pooled_fees())
def test_bump_fees_satisfies_every_nodes_rule(old: Fees, market: Fees) -> None:
    new = bump_fees(old, market)
    assert new.max_fee_wei >= market.max_fee_wei
    assert new.max_priority_fee_wei <= new.max_fee_wei
    assert new.legacy == old.legacy
    for before, after in (
        (old.max_fee_wei, new.max_fee_wei),
        (old.max_priority_fee_wei, new.max_priority_fee_wei),
    ):
        assert after > before  # geth list.Add: both must rise
        assert after >= before * 110 // 100  # and reach the threshold, in integers
        assert 10 * after > 11 * before  # reth before 1.0, besu: strictly above


@given(pooled_fees(), weis, pooled_fees(), st.one_of(st.none(), weis))
def test_bump_fees_of_blobs_doubles_all_three(
    old: Fees, blob_fee: int, market: Fees, price: int | None
) -> None:
    old = Fees(old.max_fee_wei, old.max_priority_fee_wei, max_blob_fee_wei=blob_fee)
    new = bump_fees(old, Fees(market.max_fee_wei, market.max_priority_fee_wei, max_blob_fee_wei=price))
    assert new.max_fee_wei > 2 * old.max_fee_wei  # geth's and nethermind's blob pools: 100 %
    assert new.max_priority_fee_wei > 2 * old.max_priority_fee_wei
    assert new.max_blob_fee_wei is not None
    assert new.max_blob_fee_wei > 2 * blob_fee
    assert new.max_blob_fee_wei >= (price or 0)


@given(pooled_fees(), pooled_fees(), weis)
def test_bump_fees_beyond_budget_raises_and_never_passes_it(old: Fees, market: Fees, budget: int) -> None:
    try:
        new = bump_fees(old, market, budget)
    except GasError:
        assert budget < old.max_fee_wei + old.max_fee_wei // 10 + 1
        return
    assert new.max_fee_wei <= budget
    assert 10 * new.max_priority_fee_wei > 11 * old.max_priority_fee_wei
    assert new.max_priority_fee_wei <= new.max_fee_wei


def test_choose_fees_names_budget_and_need() -> None:
    with pytest.raises(GasError, match="5 wei per gas; needed: 1000010 wei"):
        choose_fees(FeeHistory(0, (10,), (), ()), Urgency.NORMAL, 3, 5)


async def test_read_fees_on_a_chain_with_a_base_fee_are_accepted_by_it() -> None:
    with LocalChain.start() as chain:
        node = await Node.connect(chain.url)
        block = await node.get_block()
        fees = await read_fees(node, block, survive_blocks=0)
        assert not fees.legacy
        assert fees.max_fee_wei >= block.base_fee_wei * 7 // 8 + TIP_FLOOR_WEI
        with pytest.raises(GasError):
            await read_fees(node, block, 1)
        await node.close()


HEADER = {
    "hash": "0x" + "01" * 32,
    "parentHash": "0x" + "00" * 32,
    "number": "0x1",
    "timestamp": "0x1",
    "gasLimit": "0x1",
}


async def test_read_fees_on_a_chain_without_eip1559_are_the_nodes_gas_price() -> None:
    rpc = ScriptedRpc(eth_getBlockByNumber=lambda *params: HEADER, eth_gasPrice=lambda: hex(7 * 10**9))
    node = rpc.node()
    block = await node.get_block(1)
    assert await read_fees(node, block) == Fees(7 * 10**9, 7 * 10**9, legacy=True)
    with pytest.raises(GasError):
        await read_fees(node, block, 7 * 10**9 - 1)


async def test_read_fees_on_a_chain_whose_base_fee_is_zero_are_not_legacy() -> None:
    history = {"oldestBlock": "0x1", "baseFeePerGas": ["0x0", "0x0"], "gasUsedRatio": [0.5], "reward": []}
    rpc = ScriptedRpc(
        eth_getBlockByNumber=lambda *params: HEADER | {"baseFeePerGas": "0x0"},
        eth_feeHistory=lambda *params: history,
    )
    node = rpc.node()
    fees = await read_fees(node, await node.get_block(1), survive_blocks=3)
    assert fees == Fees(TIP_FLOOR_WEI + 3, TIP_FLOOR_WEI)
