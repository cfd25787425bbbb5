"""Sandwiches are told from what looks like them, and what they took is known to the unit."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from block_world import BlockWorld, Town
from labelled_blocks import ATTACKS, PEACE, Builder, back_run, nobody
from router_market import RouterMarket

from onchain_exec.errors import OnchainExecError
from onchain_exec.oms.book.surroundings import NeighbourKind, Surroundings


@pytest.fixture(scope="module")
def town(watched_market: RouterMarket) -> Town:
    return Town.settle(watched_market)


def build(town: Town, rng: Random, builder: Builder) -> tuple[BlockWorld, frozenset[str]]:
    """Return a block of that kind: trades are drawn until one makes it possible."""
    for _ in range(500):
        world = BlockWorld(town, rng)
        try:
            world.draw_trade()
            if (fronts := builder(world)) is not None:
                return world, fronts
        except OnchainExecError:
            pass
        world.undo()
    raise AssertionError(f"no trade makes {builder.__name__} possible")


def find_fronts(world: BlockWorld, found: Surroundings) -> frozenset[str]:
    """Return who is said to have attacked before us."""
    own = next(tx.index for tx in world.txs if tx.tx_hash == world.our_hash)
    before = {tx.tx_hash for tx in world.txs[:own]}
    attacks = [item for item in found.neighbours if item.kind is NeighbourKind.SANDWICH]
    return frozenset(tx_hash for item in attacks for tx_hash in item.tx_hashes if tx_hash in before)


def judge(town: Town, rng: Random, each: int) -> Counter[str]:
    """Look at blocks of every kind; return how many were found, missed and falsely told, by what counts."""
    counts: Counter[str] = Counter()
    for builder in (*ATTACKS, *PEACE):
        for _ in range(each):
            world, fronts = build(town, rng, builder)
            found = world.look()
            told = find_fronts(world, found)
            verdict = ("true " if told == fronts else "false ") + ("alarm" if told else "peace")
            counts[verdict] += 1
            counts[f"{builder.__name__}: {verdict}"] += 1
            if told == fronts:
                assert found.loss == world.measure_loss(fronts)
                counts["exact"] += 1
            world.undo()
    return counts


@pytest.mark.parametrize("each", [2, pytest.param(40, marks=pytest.mark.deep)])
def test_find_surroundings_labelled_blocks_tells_sandwiches_from_what_looks_like_them(town, rng, each):
    counts = judge(town, rng, each)
    sys.stdout.writelines(f"{name}: {times}\n" for name, times in sorted(counts.items()))
    alarms, missed = counts["true alarm"] + counts["false alarm"], counts["false peace"]
    precision, recall = counts["true alarm"] / alarms, counts["true alarm"] / (counts["true alarm"] + missed)
    sys.stdout.write(f"precision {precision:.4f}, recall {recall:.4f}\n")
    assert precision > 0.9
    assert recall > 0.9


def test_find_surroundings_refund_is_what_others_pay_us_behind_the_trade(town, rng):
    world, _ = build(town, rng, nobody)
    own, stranger = world.txs[0], world.strangers[0]
    world.txs += [
        replace(own, index=1, tx_hash="0x1", sender=stranger, to=own.sender, value_wei=5, logs=()),
        replace(own, index=2, tx_hash="0x2", sender=stranger, to=stranger, value_wei=7, logs=()),
    ]
    assert world.look().refund_wei == 5
    world.undo()


def test_find_surroundings_back_run_is_told_and_cost_us_nothing(town, rng):
    world, _ = build(town, rng, back_run)
    (found,) = world.look().neighbours
    assert (found.kind, found.tx_hashes, found.loss) == (
        NeighbourKind.BACK_RUN, (world.txs[-1].tx_hash,), 0
    )  # fmt: skip
    world.undo()
