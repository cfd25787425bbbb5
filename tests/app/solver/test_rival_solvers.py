"""Solvers with journals of their own, who know nothing of one another: the race that one loses costs it no
gas where the chain shows it before it sends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app.solver.solver_stage import Stage

from onchain_exec.app.path.context import Step
from onchain_exec.app.solver import solver
from onchain_exec.clearing.settle import SettleFill
from onchain_exec.clearing.settle.batch import encode_take
from onchain_exec.clearing.settle.order_book import OpenOrder, RefusalCode
from onchain_exec.oms import OrderState
from onchain_exec.routing.matching import Solved, solve


def fill(stage: Stage, resting: OpenOrder, amount_in: int) -> None:
    """Let somebody else take a part of an order."""
    amount_out = -(-resting.order.amount_out * amount_in // resting.order.amount_in)
    taken = SettleFill(resting.order, resting.signed, amount_in, amount_out)
    stage.evm.call(stage.maker(2).address, stage.domain.contract, encode_take(taken))


def let_a_rival_fill(stage: Stage, monkeypatch: pytest.MonkeyPatch, resting: OpenOrder, part: int) -> None:
    """Let somebody take ``part`` of an order (1 is all of it) while the next match is looked for."""

    def solve_slowly(*arguments: Any) -> Solved:
        monkeypatch.setattr(solver, "solve", solve)
        solved = solve(*arguments)
        fill(stage, resting, resting.order.amount_in // part)
        return solved

    monkeypatch.setattr(solver, "solve", solve_slowly)


async def test_take_turn_order_that_a_rival_filled_while_it_was_solved_costs_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    async with stage.solving() as solving:
        solving.rest(resting)
        let_a_rival_fill(stage, monkeypatch, resting, 1)
        before = stage.count_sent()
        lost = await solving.solver.take_turn()
        assert (lost.settlement, lost.refusals) == (None, ())
        again = await solving.solver.take_turn()
        assert [one.code for one in again.refusals] == [RefusalCode.USED_UP]
        assert stage.count_sent() == before


async def test_take_turn_order_that_a_rival_filled_in_part_is_settled_for_the_rest_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    async with stage.solving() as solving:
        solving.rest(resting)
        let_a_rival_fill(stage, monkeypatch, resting, 2)
        lost = await solving.solver.take_turn()
        assert (lost.settlement, lost.refusals) == (None, ())
        settlement = (await solving.solver.take_turn()).settlement
        assert settlement is not None
        assert settlement.state is OrderState.FILLED
        assert stage.lane(resting.order.owner).filled == resting.order.amount_in


async def test_take_turn_order_that_a_rival_filled_while_it_was_simulated_costs_nothing(
    stage: Stage,
) -> None:
    resting = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    before = stage.count_sent()

    def fill_once(step: Step, made: object) -> None:
        if step is Step.SIMULATED and not stage.lane(resting.order.owner).filled:
            fill(stage, resting, resting.order.amount_in)

    async with stage.solving(observe=fill_once) as solving:
        solving.rest(resting)
        lost = await solving.solver.take_turn()
        assert (lost.settlement, lost.refusals) == (None, ())
        assert stage.lane(resting.order.owner).filled == resting.order.amount_in
        assert stage.count_sent() == before


async def test_take_turn_of_two_with_one_account_and_nonce_costs_the_loser_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    """The chain takes one of the two, and the other's bytes never."""
    first, second = (stage.sign(stage.order(maker, (1, "WETH"), (2_500, "USDC"))) for maker in (0, 2))
    before, request = stage.count_sent(), stage.sandbox.chain.request
    rival = replace(stage, journal=tmp_path / "rival.sqlite")
    async with stage.solving(confirm_timeout_s=0.0) as one, rival.solving(confirm_timeout_s=0.0) as other:
        one.rest(first)
        other.rest(second)
        request("evm_setAutomine", False)
        won, lost = [(await solving.solver.take_turn()).settlement for solving in (one, other)]
    assert won is not None
    assert lost is not None
    stage.sandbox.chain.mine()
    request("evm_setAutomine", True)
    assert stage.count_sent() - before == 1
    async with stage.solving() as one, rival.solving() as other:  # these wait for what they send
        settled = (await other.solver.take_turn()).settlement or (await other.solver.take_turn()).settlement
        assert other.context.journal.read_order(lost.order_id).state is OrderState.FAILED
        assert settled is not None
        assert settled.state is OrderState.FILLED
        assert (await one.solver.take_turn()).waits_for == ()
        assert one.context.journal.read_order(won.order_id).state is OrderState.FILLED
        assert stage.lane(second.order.owner).filled == second.order.amount_in
        assert stage.count_sent() - before == 2
