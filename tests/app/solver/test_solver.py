"""A book settled on a chain with real pools: what each owner gets, what journal and book say of it."""

from __future__ import annotations

from app.solver.solver_stage import Stage

from onchain_exec.app.solver import SolverPolicy
from onchain_exec.clearing.settle import Scheme
from onchain_exec.oms import OrderState, reconcile


async def test_take_turn_makers_of_every_scheme_settle_with_the_pools_to_the_unit(stage: Stage) -> None:
    orders = [
        stage.sign(stage.order(0, (10, "WETH"), (25_000, "USDC"))),
        stage.sign(stage.order(1, (15_000, "USDC"), (4.5, "WETH")), Scheme.ERC1271),
        stage.sign(stage.order(2, (1, "WBTC"), (50_000, "DAI")), Scheme.PRESIGN),
    ]
    owners = [resting.order.owner for resting in orders]
    treasury = stage.sandbox.chain.accounts[8].address
    parties = (*owners, treasury, stage.domain.contract, stage.contract("solver"), stage.contract("router"))
    async with stage.solving(SolverPolicy(surplus_to=treasury)) as solving:
        solving.rest(*orders)
        since = await solving.context.node.get_block("latest")
        before = stage.balances(*parties)
        turn = await solving.solver.take_turn()
        assert turn.settlement is not None
        assert turn.settlement.state is OrderState.FILLED
        assert turn.mismatches == ()
        assert turn.match is not None
        assert turn.match.gain > 0
        after = stage.balances(*parties)
        expected = dict(before)
        for resting, fill in zip(orders, turn.match.fills, strict=True):
            order = resting.order
            assert fill.entry.order == order
            (booked,) = solving.book.list_fills(resting.digest)
            assert (booked.amount_in, booked.amount_out) == (fill.amount_in, fill.amount_out)
            assert stage.lane(order.owner).filled == fill.amount_in
            for token, change in ((order.token_in, -fill.amount_in), (order.token_out, fill.amount_out)):
                symbol = next(
                    name for name, known in stage.sandbox.deployment.tokens.items() if known.address == token
                )
                expected[symbol, order.owner] += change
        for (symbol, account), amount in after.items():
            if account == treasury:
                left = turn.match.left.get(stage.token(symbol).address, 0)
                assert amount == before[symbol, account] + left
            else:
                assert amount == expected[symbol, account]
        assert (await reconcile(solving.context.node, solving.context.journal, since=since)).breaks == ()
        assert (await solving.solver.take_turn()).settlement is None
