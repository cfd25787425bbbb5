"""Fee plans in a model of the chain: they are mined in time, whatever the base fee does. Catalogue
entries 41 (a spike strands transactions), 42 (a capped tip is never mined), 49 (bumps and the cap)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from onchain_exec.chain import FeeHistory
from onchain_exec.errors import GasError
from onchain_exec.execution.costs.fees import Urgency, bump_fees, choose_fees
from onchain_exec.execution.plan import Fees

RECORDED = json.loads((Path(__file__).parents[1] / "golden" / "base_fees_mainnet.json").read_text())["traces"]
HISTORY = 20
BUMP_AFTER = 2
"""Blocks that a transaction waits before it is replaced."""


@dataclass(frozen=True)
class Block:
    """A block as a fee history shows it; ``least_tip`` is what its last transaction paid."""

    base_fee_wei: int
    gas_used_ratio: float
    tips: tuple[int, int, int]

    @property
    def least_tip(self) -> int:
        """A block that is not full takes any tip that builders accept."""
        return self.tips[0] if self.gas_used_ratio > 0.98 else 1_000_000


def next_base_fee(block: Block) -> int:
    """EIP-1559, with the gas in parts of the target."""
    change = int(block.base_fee_wei * (2 * block.gas_used_ratio - 1)) // 8
    return max(block.base_fee_wei + change, 7)


def live(seed: int, *, spikes: bool) -> Iterator[Block]:
    """Yield blocks as main net makes them: gas around the target, tips within some gwei, and now and
    then minutes of full blocks and tenfold tips (4 September 2026: 0.7 to 4.75 gwei)."""
    draw = random.Random(seed)
    base_fee, heat = 700_000_000, 0
    while True:
        if spikes and heat == 0 and draw.random() < 0.01:
            heat = draw.randint(5, 25)
        heat = max(heat - 1, 0)
        ratio = draw.uniform(0.9, 1.0) if heat else min(1.0, max(0.0, draw.gauss(0.5, 0.2)))
        block = Block(base_fee, ratio, draw_tips(draw, 10 if heat else 1))
        yield block
        base_fee = next_base_fee(block)


def draw_tips(draw: random.Random, times: int) -> tuple[int, int, int]:
    middle = draw.lognormvariate(18.5, 0.4) * times
    return int(middle * draw.uniform(0.05, 0.6)), int(middle), int(middle * draw.uniform(1.5, 6))


def replay(base_fees_wei: list[int]) -> Iterator[Block]:
    """Yield main net's own blocks. How full one was shows in the base fee after it (EIP-1559); the tips,
    which were not recorded, are drawn, and tenfold in blocks that are nearly full."""
    draw = random.Random(1)
    for base_fee, after in pairwise(base_fees_wei):
        ratio = min(1.0, max(0.0, (1 + 8 * (after - base_fee) / base_fee) / 2))
        yield Block(base_fee, ratio, draw_tips(draw, 10 if ratio > 0.9 else 1))


def rise(start_wei: int, full: int) -> Iterator[Block]:
    """Yield a calm history and then ``full`` full blocks, each 12.5 % dearer than the one before."""
    calm = Block(start_wei, 0.5, (10**8, 2 * 10**8, 10**9))
    for _ in range(HISTORY):
        yield calm
    base_fee = start_wei
    for _ in range(full):
        block = Block(base_fee, 1.0, calm.tips)
        yield block
        base_fee = next_base_fee(block)


def look_back(blocks: list[Block]) -> FeeHistory:
    recent = blocks[-HISTORY:]
    return FeeHistory(
        oldest_block=0,
        base_fees_wei=(*(block.base_fee_wei for block in recent), next_base_fee(recent[-1])),
        gas_used_ratios=tuple(block.gas_used_ratio for block in recent),
        rewards_wei=tuple(block.tips for block in recent),
    )


def is_taken(fees: Fees, block: Block) -> bool:
    tip = min(fees.max_priority_fee_wei, fees.max_fee_wei - block.base_fee_wei)
    return tip >= block.least_tip


def count_blocks_to_inclusion(
    blocks: list[Block], start: int, urgency: Urgency, most: int, budget: int | None = None
) -> int | None:
    """Return how many blocks a transaction sent before ``blocks[start]`` waits, or None if more than
    ``most``. It is replaced by the rules of nodes as long as the budget allows."""
    fees = choose_fees(look_back(blocks[:start]), urgency, 6, budget)
    for waited in range(most):
        if is_taken(fees, blocks[start + waited]):
            return waited + 1
        if (waited + 1) % BUMP_AFTER == 0:
            seen = blocks[: start + waited + 1]
            try:
                fees = bump_fees(fees, choose_fees(look_back(seen), urgency, 6, budget), budget)
            except GasError:
                continue
        assert budget is None or fees.max_fee_wei <= budget
    return None


def require_mined_in_time(blocks: list[Block], urgency: Urgency, target: int) -> None:
    """At least 99.9 % of the transactions that are sent before each of the blocks."""
    waits = [
        count_blocks_to_inclusion(blocks[start - HISTORY : start + target], HISTORY, urgency, target)
        for start in range(HISTORY, len(blocks) - target)
    ]
    missed = sum(wait is None for wait in waits)
    assert 1_000 * missed <= len(waits), f"{missed} of {len(waits)} missed {target} blocks"


TARGETS = pytest.mark.parametrize(("urgency", "target"), [(Urgency.HIGH, 3), (Urgency.NORMAL, 6)])


@pytest.mark.parametrize("spikes", [False, True], ids=["calm", "spikes"])
@TARGETS
def test_fee_plans_are_mined_within_the_target(urgency: Urgency, target: int, spikes: bool) -> None:
    trace = live(seed=1, spikes=spikes)
    require_mined_in_time([next(trace) for _ in range(10_000)], urgency, target)


@pytest.mark.parametrize("trace", RECORDED, ids=lambda trace: trace["name"])
@TARGETS
def test_fee_plans_are_mined_within_the_target_on_recorded_base_fees(
    urgency: Urgency, target: int, trace: dict[str, list[int]]
) -> None:
    """July 2022: 9,901 blocks, a fifth of them full; May 2022, as Luna fell: up to 1,352 gwei."""
    require_mined_in_time(list(replay(trace["base_fees_wei"])), urgency, target)


def test_recorded_base_fees_follow_the_rule_of_eip_1559() -> None:
    for trace in RECORDED:
        for before, after in pairwise(trace["base_fees_wei"]):
            assert abs(after - before) <= before // 8 + 1


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("start_wei", [7, 10**6, 10**9, 10**11])
def test_fee_plans_survive_twenty_full_blocks(urgency: Urgency, start_wei: int) -> None:
    """Wherever in the rise it is sent, it is in one of the next blocks."""
    blocks = list(rise(start_wei, 21))
    for start in range(HISTORY, HISTORY + 20):
        assert count_blocks_to_inclusion(blocks, start, urgency, 1) == 1


@pytest.mark.parametrize("survive", [1, 6, 20])
def test_fees_that_survive_blocks_are_payable_in_each_of_them(survive: int) -> None:
    """A node that drops what cannot be paid (anvil, full pools) drops nothing in that time."""
    blocks = list(rise(10**9, survive + 1))
    fees = choose_fees(look_back(blocks[:HISTORY]), Urgency.LOW, survive)
    for block in blocks[HISTORY:]:
        assert fees.max_fee_wei - block.base_fee_wei >= fees.max_priority_fee_wei


def test_fee_plans_within_a_budget_never_pass_it_and_come_back_after_a_spike() -> None:
    up = list(rise(10**9, 20))
    calm = [Block(10**9, 0.5, (10**8, 2 * 10**8, 10**9))] * 30
    budget = 2 * 10**9
    assert count_blocks_to_inclusion([*up[:22], *up[30:], *calm], 22, Urgency.NORMAL, 40, budget) is not None
