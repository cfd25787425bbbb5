"""The engine behind every kind of endpoint, each of which keeps or breaks its word: one cell, one world."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.paper_path import MARKET, PaperMarket, PaperPath, read_swap
from oms.builders import CHAIN_ID, USDC, WETH

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.engine import Engine, Lane
from onchain_exec.app.path.context import Context, Policy
from onchain_exec.chain import EndpointPool, Node
from onchain_exec.chain.pool.endpoint import Role
from onchain_exec.chain.pool.member import Member
from onchain_exec.core import Exact, ParentOrder
from onchain_exec.errors import HaltedError, NodeError, NodeRefusedError, NodeUnreachableError
from onchain_exec.execution import LocalSigner
from onchain_exec.execution.channels import Channel, ChannelPolicy
from onchain_exec.oms import Journal, OrderState, SlotState
from onchain_exec.oms.book.book import Book
from onchain_exec.testing.relay import Whim
from onchain_exec.testing.simulated import (
    Fate,
    MemoryJournal,
    SimulatedChain,
    SimulatedNode,
    SimulatedProtected,
    SimulatedRelay,
    build_block,
    run_virtually,
)

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's first
PROFILE = ChainProfile(CHAIN_ID, "simulated", "ETH", WETH, {}, {})
FINALITY = 6


class Behaviour(enum.Enum):
    """What an endpoint does to what it is given, until it comes to its senses."""

    INCLUDED = "included"
    IGNORED = "ignored"
    LATE = "late"
    LEAKED = "leaked"
    WRONG_NONCE = "wrong nonce"
    DOWN = "5xx"
    CANCEL_RACE = "cancel race"


WHIMS: dict[Behaviour, tuple[Whim, ...]] = {
    Behaviour.INCLUDED: (),
    Behaviour.IGNORED: (Whim.IGNORE,),
    Behaviour.LATE: (Whim.LATE,),
    Behaviour.LEAKED: (Whim.LEAK, Whim.IGNORE),
    Behaviour.WRONG_NONCE: (Whim.WRONG_NONCE,),
    Behaviour.DOWN: (Whim.DOWN,),
    Behaviour.CANCEL_RACE: (Whim.KEEP_CANCELLED,),
}


@dataclass(frozen=True)
class Setting:
    """Which endpoints there are: ``relays`` of them, or as many protected ones, by which channel."""

    name: str
    channel: Channel
    count: int = 1


SETTINGS = (
    Setting("public", Channel.PUBLIC, 0),
    Setting("protect", Channel.PROTECTED),
    Setting("blocker", Channel.PROTECTED, 2),
    Setting("MEV-Share", Channel.SHARED),
    Setting("three builders", Channel.PRIVATE, 3),
    Setting("three builders, bundles", Channel.BUNDLE, 3),
)


class PublicNode(SimulatedNode):
    """The public endpoint: a sniffer of all that is sent to it, which can break its word, too."""

    def __init__(self, chain: SimulatedChain) -> None:
        super().__init__(chain, Fate(0, latency_s=0))
        self.behaviour, self.heard = Behaviour.INCLUDED, list[bytes]()

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if method != "eth_sendRawTransaction":
            return await super().request(method, params)
        self.heard.append(bytes.fromhex(params[0][2:]))
        match self.behaviour:
            case Behaviour.IGNORED | Behaviour.LATE:
                return self.chain.decode(self.heard[-1]).tx_hash
            case Behaviour.WRONG_NONCE:
                raise NodeRefusedError(method, -32000, "nonce too low")
            case Behaviour.DOWN:
                raise NodeUnreachableError("HTTP 503")
        return await super().request(method, params)


@dataclass
class Cell:
    """One world: an order to sell 1 WETH, given to an engine, behind endpoints that behave like that. Another
    engine trades it, by a policy of its own if there is a ``later`` one."""

    setting: Setting
    behaviours: tuple[Behaviour, ...]
    lasts: int = 3
    most_fills: int = 1
    rounds: int = 40
    later: Policy | None = None
    policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        self.private = self.setting.channel is not Channel.PUBLIC
        self.market = PaperMarket(lambda number: 2_000, is_trusted=True)
        self.chain = SimulatedChain(CHAIN_ID, contract=self.market.run, finality=FINALITY)
        self.public = PublicNode(self.chain)
        self.relays = [SimulatedRelay(f"builder{n}", self.chain) for n in range(self.setting.count)]
        self.lines = MemoryJournal(Fate(0), lambda: self.chain.head.timestamp)
        self.policy = Policy(
            private_only=self.private,
            time_to_live_s=600,
            channels=ChannelPolicy(frozenset({self.setting.channel})),
        )

    def run(self) -> Book:
        """Return the book at the end; raises AssertionError where a law is broken."""
        run_virtually(self._live())
        book = self.lines.replay()
        self._require_laws(book)
        return book

    def run_unfinished(self) -> None:
        """Run it where no end is in sight."""
        run_virtually(self._live())

    async def _live(self) -> None:
        protected = self.setting.channel is Channel.PROTECTED
        private = [SimulatedProtected(relay) if protected else relay for relay in self.relays]
        members = [Member(self.public), *(Member(rpc, {Role.PRIVATE}) for rpc in private)]
        pool = EndpointPool(members, chain_id=CHAIN_ID, wall_clock=lambda: self.chain.head.timestamp)
        journal = self.lines.open()
        self._open_engine(journal, Node(pool, CHAIN_ID)).submit(make_parent(self.chain.head.timestamp))
        self.policy = self.later or self.policy
        engine = self._open_engine(journal, Node(pool, CHAIN_ID))
        self._behave(self.behaviours)
        for round_number in range(self.rounds):
            if round_number == self.lasts:
                self._behave((Behaviour.INCLUDED,) * len(self.behaviours))
            await self._turn(engine)
            if round_number == 0 and Behaviour.CANCEL_RACE in self.behaviours:
                journal.append_cancel("parent")
                await self._turn(engine)
            self._build(round_number)
            if not journal.read_open().slots and not any(view.is_alive for view in journal.read_parents()):
                break
        for _ in range(FINALITY + 2):
            self.chain.mine()
        await self._turn(engine)
        await pool.close()

    def _open_engine(self, journal: Journal, node: Node) -> Engine:
        context = Context(
            node=node,
            profile=PROFILE,
            journal=journal,
            policy=self.policy,
            signer=None,
            now=lambda: self.chain.head.timestamp,
            observe=lambda *_: None,
        )
        signer = LocalSigner(KEY, chain_id=CHAIN_ID)
        path = PaperPath(node, self.chain, self.market)
        return Engine(journal, [Lane(context, {signer.address: signer}, path)])

    async def _turn(self, engine: Engine) -> None:
        with contextlib.suppress(NodeError, HaltedError):
            await engine.turn(engine.lanes[0])
        await asyncio.sleep(1)  # what lingers arrives

    def _behave(self, behaviours: Sequence[Behaviour]) -> None:
        self.public.behaviour = Behaviour.INCLUDED if self.relays else behaviours[0]
        for relay, behaviour in zip(self.relays, behaviours, strict=False):
            relay.behave(*WHIMS[behaviour])

    def _build(self, round_number: int) -> None:
        """A leak lies in the pool for a block before anybody takes it, so that there is time to see it."""
        if Behaviour.LEAKED in self.behaviours and round_number == 0:
            self.chain.mine(())
        else:
            build_block(self.chain, self.relays)

    def _require_laws(self, book: Book) -> None:
        mined = [item for _, item in self.chain.list_mined() if item.tx.to == MARKET]
        filled = Counter(read_swap(item.tx)[0] for item in mined if item.execution.success)
        assert not self.private or not self.public.heard, "private bytes at a public endpoint"
        assert max(filled.values(), default=0) <= 1, "a child is done twice"
        assert filled.total() <= self.most_fills, "done twice: the parent wants one of them"
        for view in book.orders.values():
            told = OrderState.FILLED if filled[view.order_id] else OrderState.CANCELLED
            assert (view.state, view.final) == (told, True)
        for slot in book.slots.values():
            assert slot.state is SlotState.FINAL, f"slot {slot.key} is {slot.state}"
            assert slot.consumer is not None
            assert self.chain.find(slot.consumer.tx_hash) is not None


def make_parent(now: int) -> ParentOrder:
    account = LocalSigner(KEY, chain_id=CHAIN_ID).address
    return ParentOrder(
        order_id="parent",
        client_order_id="client",
        accounts=(account,),
        token_in=WETH,
        token_out=USDC,
        amount=10**18,
        exact=Exact.IN,
        max_slippage_bps=30,
        starts_at=now,
        expires_at=now + 3_600,
    )
