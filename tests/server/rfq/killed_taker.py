"""A taker's server in processes that kill themselves with SIGKILL at a named point. Run as a program."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from app.dying import die_after, serve

from onchain_exec import LocalSigner
from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.engine import DeskPath, Lane, Request
from onchain_exec.app.path.context import Policy, Step
from onchain_exec.app.rfq import Wish
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.oms.signed_book.terms import order_from_json, signed_from_json
from onchain_exec.server.book.service import open_service


async def take(asked: dict[str, Any]) -> None:
    opening = Opening(
        asked["url"],
        lambda chain_id: LocalSigner(asked["key"], chain_id=chain_id),
        Path(asked["journal"]),
        Policy(),
        die_after(Step[asked["step"]], asked["occurrence"]),
        Deployment.from_json(asked["deployment"]).profile,
    )
    async with AsyncExitStack() as resources:
        context = await opening.open(resources)
        assert context.signer
        lane = Lane(context, {context.signer.address: context.signer}, DeskPath(context))
        service = resources.enter_context(open_service(lane, asked["journal"]))
        assert service
        await service.quotes.ask(Wish(Request("WETH", "USDC", "1", client_order_id=asked["request_id"]), 300))
        body = asked["quote"]
        await service.quotes.offer(
            asked["request_id"], order_from_json(body["order"]), signed_from_json(body["signed"])
        )
        await service.quotes.take(asked["request_id"])


if __name__ == "__main__":
    serve(take)
