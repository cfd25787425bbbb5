"""A solver's turn in processes that kill themselves with SIGKILL at a named point. Run as a program."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from app.dying import die, serve

from onchain_exec import LocalSigner
from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.path.context import Policy, Step
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.solver import Solver, SolverPolicy
from onchain_exec.app.solver.place import find_place
from onchain_exec.clearing.settle.order_book import BookedFill
from onchain_exec.oms.signed_book import SignedBook


class FatalBook(SignedBook):
    """Dies before or after it is told of fills."""

    point = ""

    def record_fills(self, fills: Sequence[BookedFill]) -> None:
        if self.point == "BEFORE_BOOK":
            die()
        super().record_fills(fills)
        if self.point == "AFTER_BOOK":
            die()


async def take_turn(asked: dict[str, Any]) -> None:
    def observe(done: Step, made: object) -> None:
        if done.name == asked["point"]:
            die()

    deployment = Deployment.from_json(asked["deployment"])
    opening = Opening(
        asked["url"],
        lambda chain_id: LocalSigner(asked["key"], chain_id=chain_id),
        Path(asked["journal"]),
        Policy(),
        observe,
        deployment.profile,
    )
    async with AsyncExitStack() as resources:
        context = await opening.open(resources)
        place = await find_place(context)
        book = FatalBook.open(asked["journal"], place.domain)
        book.point = asked["point"]
        await Solver(context, place, book, SolverPolicy()).take_turn()


if __name__ == "__main__":
    serve(take_turn)
