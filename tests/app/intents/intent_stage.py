"""A desk that trades by intents alone, our server's book on a loopback port, and our solver behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from app.solver.solver_stage import Solving, Stage
from few_venues import with_few_venues
from server.served_app import serve_app

from onchain_exec import LocalSigner
from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.desk import AsyncDesk, ignore
from onchain_exec.app.engine import DeskPath, Engine, Lane
from onchain_exec.app.intents.book import IntentBook
from onchain_exec.app.intents.http_book import HttpIntentBook
from onchain_exec.app.path.context import Context, Observer, Policy
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import LogFilter
from onchain_exec.clearing.settle.contract import FILLED
from onchain_exec.clearing.settle.events import Filled, decode_fills
from onchain_exec.core import Address
from onchain_exec.execution.channels import Channel, ChannelPolicy
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import OrderView
from onchain_exec.server.api import make_app
from onchain_exec.server.serve import open_service

TOKEN, MAKER_TOKEN = "0123456789abcdef", "fedcba9876543210"
ONE_WETH: Final = 10**18
INTENT_S: Final = 3_600
T = TypeVar("T")


def make_policy(confirm_timeout_s: float = 60.0, *more: Channel) -> Policy:
    """Return the policy of a desk that may use intents, and ``more``."""
    channels = ChannelPolicy(frozenset({Channel.INTENT, *more}), intent_s=INTENT_S)
    return Policy(channels=channels, time_to_live_s=2 * INTENT_S, confirm_timeout_s=confirm_timeout_s)


async def open_desk(
    resources: AsyncExitStack,
    url: str,
    key: str,
    journal: Path,
    profile: ChainProfile,
    book: IntentBook | None,
    policy: Policy,
    observe: Observer = ignore,
) -> tuple[AsyncDesk, Context]:
    """Open a desk with a book of intents."""
    signer = LocalSigner(key)
    few = with_few_venues(profile)
    opening = Opening(url, lambda _: signer, journal, policy, observe, few, intent_book=book)
    context = await opening.open(resources)
    return AsyncDesk(context, AsyncExitStack()), context


@dataclass
class World:
    """The solver, the URL of the book, and what a test wants of the desk's account."""

    sandbox: Sandbox
    solving: Solving
    url: str
    journal: Path
    resources: AsyncExitStack

    @property
    def owner(self) -> Address:
        return self.sandbox.chain.accounts[2].address

    @property
    def key(self) -> str:
        return self.sandbox.chain.accounts[2].key

    @property
    def book(self) -> HttpIntentBook:
        return HttpIntentBook(self.url, MAKER_TOKEN)

    async def open(
        self,
        book: IntentBook | None = None,
        key: str | None = None,
        journal: Path | None = None,
        **policy: Any,
    ) -> tuple[AsyncDesk, Context]:
        """Open the desk, of the owner; another time on the same journal."""
        return await open_desk(
            self.resources,
            self.sandbox.url,
            key or self.key,
            journal or self.journal,
            self.sandbox.profile,
            book or self.book,
            make_policy(**policy),
        )

    async def settling(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something while the solver takes turns."""
        solver = asyncio.create_task(self.solving.solver.run(0.05))
        try:
            return await work
        finally:
            solver.cancel()
            await asyncio.gather(solver, return_exceptions=True)

    async def settle(self) -> None:
        """Let the solver take a turn that settles."""
        turn = await self.solving.solver.take_turn()
        assert turn.settlement is not None, turn

    async def list_fills(self) -> tuple[Filled, ...]:
        """Return what the chain says of the owner's fills."""
        node, contract = self.solving.context.node, self.solving.place.domain.contract
        head = await node.get_block()
        logs = await node.get_logs(LogFilter((contract,), ((FILLED.topic,),)), (0, head.number))
        return tuple(fill for fill in decode_fills(logs, contract) if fill.owner == self.owner)

    def pass_deadline(self, view: OrderView) -> None:
        """Mine a block whose second is after an intent's last."""
        assert view.intent
        after = view.intent.terms.deadline_at + 1
        self.sandbox.chain.request("evm_setNextBlockTimestamp", after)
        self.sandbox.chain.mine()

    def require_no_swap(self, context: Context) -> None:
        """No transaction of the desk's ever was a swap."""
        purposes = {slot.purpose for slot in context.journal.read_slots()}
        assert purposes <= {Purpose.ALLOWANCE, Purpose.ACTION}, purposes


@asynccontextmanager
async def open_world(sandbox: Sandbox, folder: Path) -> AsyncIterator[World]:
    """Open the server's book and the solver on one journal, with an owner who has 10 WETH and approved
    nothing."""
    stage = Stage(sandbox, folder / "solver.sqlite")
    async with AsyncExitStack() as resources:
        solving = await resources.enter_async_context(stage.solving())
        signer = LocalSigner(sandbox.trader.key)
        lane = Lane(solving.context, {signer.address: signer}, DeskPath(solving.context))
        service = resources.enter_context(open_service(lane, stage.journal))
        app = make_app(Engine(solving.context.journal, [lane]), TOKEN, service, [MAKER_TOKEN])
        url = await resources.enter_async_context(serve_app(app))
        world = World(sandbox, solving, url, folder / "desk.sqlite", resources)
        sandbox.fund(world.owner, sandbox.deployment.tokens["WETH"], 10 * ONE_WETH)
        yield world
