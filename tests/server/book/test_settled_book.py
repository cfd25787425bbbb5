"""Makers sign and send over HTTP, a solver settles with the pools, and the makers see what became of it."""

from __future__ import annotations

from pathlib import Path

from app.signed_book.settle_chain import SettleChain
from app.solver.solver_stage import Stage
from server.signed_server import serve_book

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.oms import reconcile


async def test_orders_sent_over_http_are_settled_with_the_pools_and_told_of(
    fork: Sandbox, tmp_path: Path
) -> None:
    stage = Stage(fork, tmp_path / "journal.sqlite")
    stage.prepare(2)
    orders = [
        stage.order(0, (10, "WETH"), (25_000, "USDC")),
        stage.order(1, (15_000, "USDC"), (4.5, "WETH"), lane=1),
    ]
    with serve_book(SettleChain(fork.chain, fork.deployment), tmp_path) as served:
        with served.maker.websocket_connect("/book/changes") as socket:
            assert socket.receive_json()["orders"] == []
            booked = [served.submit(order) for order in orders]
            async with stage.solving() as solving:
                since = await solving.context.node.get_block("latest")
                turn = await solving.solver.take_turn()
                found = await reconcile(solving.context.node, solving.context.journal, since=since)
            assert turn.settlement is not None
            assert found.breaks == ()
            told = {}
            while {kept["state"] for kept in told.values()} != {"filled"} or len(told) < 2:
                message = socket.receive_json()
                told |= {kept["digest"]: kept for kept in message["orders"]}
        for order, kept in zip(orders, booked, strict=True):
            shown = served.maker.get(f"/book/orders/{kept['digest']}").json()
            (fill,) = shown["fills"]
            assert (shown["state"], int(fill["amount_in"])) == ("filled", order.amount_in)
            assert int(fill["amount_out"]) >= order.amount_out
            assert fill["tx_hash"] == turn.settlement.tx_hash
