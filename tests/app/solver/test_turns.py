"""What a turn leaves out, and why: orders that cannot be paid, that revert, that were cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from app.chain_facts import send
from app.solver.solver_stage import Stage

from onchain_exec.app.solver import SolverPolicy, cancel_lane, solver
from onchain_exec.app.solver.solver import Turn
from onchain_exec.clearing.settle import Flags, SettleOrder
from onchain_exec.clearing.settle.order_book import RefusalCode
from onchain_exec.core.abi import Function
from onchain_exec.errors import ConfigError, FencedError, HaltedError, RevertError
from onchain_exec.oms import OrderState, SwitchState, get_venue_scope
from onchain_exec.routing.matching import Solved, solve
from onchain_exec.venues.pool import list_protocols

SET_PAUSED = Function("setPaused(bool)")
APPROVE = Function("approve(address,uint256)", "(bool)")


def list_filled(turn: Turn) -> list[SettleOrder]:
    assert turn.settlement is not None
    assert turn.settlement.state is OrderState.FILLED
    assert turn.match is not None
    return [fill.entry.order for fill in turn.match.fills]


async def test_take_turn_order_whose_token_reverts_is_left_out_of_the_next(stage: Stage) -> None:
    good = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    bad = stage.sign(stage.order(2, (1_000, "DAI"), (900, "USDC")))
    async with stage.solving(SolverPolicy(hold_blocks=100)) as solving:
        solving.rest(bad, good)
        send(stage.sandbox, stage.token("DAI").address, SET_PAUSED.encode(True))
        turn = await solving.solver.take_turn()
        assert turn.settlement is None
        assert [(one.digest, one.code) for one in turn.refusals] == [(bad.digest, RefusalCode.REVERTS)]
        assert list_filled(await solving.solver.take_turn()) == [good.order]
        assert (await solving.solver.take_turn()).refusals == ()  # it is left alone for a while
        known = solving.book.find(bad.digest)
        assert known is not None
        assert known.refusal == turn.refusals[0]


async def test_take_turn_partly_paid_order_fills_in_parts_and_the_unpaid_is_refused(stage: Stage) -> None:
    partly = stage.sign(stage.order(0, (150, "WETH"), (300_000, "USDC")))
    unpaid = stage.sign(stage.order(1, (1, "WBTC"), (50_000, "DAI")))
    whole = stage.sign(stage.order(2, (400_000, "DAI"), (300_000, "USDC"), flags=Flags.FILL_OR_KILL))
    wbtc = stage.token("WBTC").address
    stage.evm.call(unpaid.order.owner, wbtc, APPROVE.encode(stage.domain.contract, 0))
    async with stage.solving() as solving:
        solving.rest(partly, unpaid, whole)
        turn = await solving.solver.take_turn()
        assert list_filled(turn) == [partly.order]
        assert {one.digest: one.code for one in turn.refusals} == {
            unpaid.digest: RefusalCode.ALLOWANCE_SHORT,
            whole.digest: RefusalCode.BALANCE_SHORT,
        }
        assert 0 < stage.lane(partly.order.owner).filled <= 100 * 10**18
        known = solving.book.find(partly.digest)
        assert known is not None
        assert known.filled == stage.lane(partly.order.owner).filled


async def test_take_turn_fee_and_surplus_reach_who_is_named(stage: Stage) -> None:
    order = stage.order(0, (10, "WETH"), (25_000, "USDC"), max_fee_bps=20)
    treasury = stage.sandbox.chain.accounts[8].address
    before = stage.balances(treasury)
    async with stage.solving(SolverPolicy(surplus_to=treasury, covers_gas=True)) as solving:
        resting = stage.sign(order)
        solving.rest(resting)
        turn = await solving.solver.take_turn()  # its gas is not earned without a fee
        assert (turn.settlement, turn.costs_wei is None) == (None, False)
    policy = SolverPolicy(surplus_to=treasury, fee_bps=50, covers_gas=True)
    async with stage.solving(policy) as solving:
        list_filled(await solving.solver.take_turn())
        (fill,) = solving.book.list_fills(resting.digest)
        assert fill.fee == (fill.amount_out + fill.fee) * 20 // 10_000 > 0
        gained = stage.balances(treasury)["USDC", treasury] - before["USDC", treasury]
        assert 0 <= gained - fill.fee < fill.amount_out / 10**6  # what rounding left on the way


async def test_cancel_lane_kills_the_order_once_and_the_book_hears_of_it(stage: Stage) -> None:
    trader = stage.sandbox.trader.address
    maker = stage.maker(-1)
    assert maker.address == trader
    resting = stage.sign(stage.order(-1, (1, "WETH"), (2_500, "USDC"), seq=4))
    async with stage.solving() as solving:
        solving.rest(resting)
        cancelled = await cancel_lane(solving.context, 0, 4, client_order_id="stop")
        again = await cancel_lane(solving.context, 0, 4, client_order_id="stop")
        assert cancelled.state is OrderState.FILLED
        assert again == cancelled
        assert stage.lane(trader).seq == 5
        turn = await solving.solver.take_turn()
        assert [one.code for one in turn.refusals] == [RefusalCode.LANE_PASSED]
        assert solving.book.list_open(stage.now) == ()
        with pytest.raises(RevertError, match="SeqPassed"):
            await cancel_lane(solving.context, 0, 3)


async def test_take_turn_settlement_that_hangs_holds_everything_until_its_time_has_passed(
    stage: Stage,
) -> None:
    request, (one, other) = (
        stage.sandbox.chain.request,
        (stage.sign(stage.order(maker, (1, "WETH"), (2_500, "USDC"))) for maker in (0, 2)),
    )
    before = stage.count_sent()
    async with stage.solving(confirm_timeout_s=0.0) as solving:
        solving.rest(one)
        request("evm_setAutomine", False)
        hanging = (await solving.solver.take_turn()).settlement
        assert hanging is not None
        assert hanging.state is OrderState.WORKING
        solving.rest(other)
        assert [view.order_id for view in (await solving.solver.take_turn()).waits_for] == [hanging.order_id]
        request("anvil_dropTransaction", hanging.tx_hash)
        request("evm_increaseTime", 200)
        stage.sandbox.chain.mine()
        request("evm_setAutomine", True)
    async with stage.solving() as solving:
        turn = await solving.solver.take_turn()
        assert solving.context.journal.read_order(hanging.order_id).state is OrderState.CANCELLED
        assert set(list_filled(turn)) == {one.order, other.order}
        assert stage.count_sent() - before == 2  # the cancel took the nonce


async def test_take_turn_of_two_solvers_on_one_book_one_has_it(stage: Stage) -> None:
    async with stage.solving() as first:
        await first.solver.take_turn()
        async with stage.solving() as second:
            with pytest.raises(FencedError, match="settles the book"):
                await second.solver.take_turn()
            await first.solver.take_turn()
    async with stage.solving() as third:
        await third.solver.take_turn()


async def test_take_turn_that_another_took_while_it_was_solved_sends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    async with stage.solving() as solving:
        solving.rest(order)
        journal, before = solving.context.journal, stage.count_sent()

        def solve_too_long(*arguments: Any) -> Solved:
            monkeypatch.setattr(journal, "hold_turn", lose)
            return solve(*arguments)

        def lose(*_: Any) -> None:
            raise FencedError("another solver has it", needed="the turn")

        monkeypatch.setattr(solver, "solve", solve_too_long)
        with pytest.raises(FencedError):
            await solving.solver.take_turn()
        assert stage.count_sent() == before
        assert not journal.read_orders()


async def test_find_place_contract_of_another_owner_is_refused(stage: Stage) -> None:
    with pytest.raises(ConfigError, match="owned by"):
        async with stage.solving(account=stage.maker(0)):
            pass


async def test_take_turn_paused_venue_is_not_swapped_at(stage: Stage) -> None:
    order = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    async with stage.solving() as solving:
        solving.rest(order)
        venues = ("uniswap_v2", "uniswap_v3", "uniswap_v4", "balancer_v2")
        for venue in venues:
            solving.context.journal.append_switch(get_venue_scope(venue), SwitchState.PAUSED)
        assert (await solving.solver.take_turn()).settlement is None
        solving.context.journal.append_switch(get_venue_scope("uniswap_v2"), SwitchState.RUNNING)
        solving.context.journal.append_switch(get_venue_scope("settle"), SwitchState.PAUSED)
        assert (await solving.solver.take_turn()).settlement is None
        solving.context.journal.append_switch(get_venue_scope("settle"), SwitchState.RUNNING)
        turn = await solving.solver.take_turn()
        assert list_filled(turn) == [order.order]
        assert turn.match is not None
        assert {hop.pool.kind for hop in turn.match.hops} == {"uniswap_v2"}


async def test_take_turn_while_swaps_are_stopped_owners_trade_with_one_another_alone(stage: Stage) -> None:
    seller = stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC")))
    buyer = stage.sign(stage.order(2, (2_600, "USDC"), (1, "WETH"), flags=Flags.FILL_OR_KILL))
    async with stage.solving() as solving:
        solving.rest(seller)
        solving.context.journal.append_switch(get_venue_scope("swaps"), SwitchState.KILLED, "a drill")
        assert (await solving.solver.take_turn()).settlement is None
        solving.rest(buyer)
        turn = await solving.solver.take_turn()
        assert set(list_filled(turn)) == {seller.order, buyer.order}
        assert turn.match is not None
        assert turn.match.hops == ()


async def test_take_turn_venue_stopped_while_it_was_solved_is_not_swapped_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.solving() as solving:
        solving.rest(stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC"))))
        journal = solving.context.journal

        def solve_slowly(*arguments: Any) -> Solved:
            solved = solve(*arguments)
            for protocol in list_protocols(solved.match.hops):
                journal.append_switch(get_venue_scope(protocol), SwitchState.PAUSED, "a drill")
            return solved

        before = stage.count_sent()
        monkeypatch.setattr(solver, "solve", solve_slowly)
        with pytest.raises(HaltedError, match="a drill"):
            await solving.solver.take_turn()
        assert stage.count_sent() == before
