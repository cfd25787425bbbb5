"""One run of the engine in a world of one seed: orders, faults, crashes, reorgs, and the laws after it.

``python -m engine.simulation SEED [SEED ...]`` (from ``tests``) replays seeds and prints what happened.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from engine.paper_path import MARKET, PaperMarket, PaperPath, read_swap
from oms.builders import USDC, WETH

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.engine import Engine, Lane
from onchain_exec.app.path.context import Context, Policy
from onchain_exec.chain import Node
from onchain_exec.core import Exact, ParentOrder
from onchain_exec.errors import HaltedError, NodeError
from onchain_exec.execution import LocalSigner, Signature, UnsignedTx
from onchain_exec.oms import EVERYTHING, Journal, OrderState, SwitchState, is_killed
from onchain_exec.oms.book.book import Book
from onchain_exec.testing.simulated import (
    Fate,
    MemoryJournal,
    SimulatedChain,
    SimulatedCrash,
    SimulatedNode,
    run_virtually,
)

KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    )
)  # the first three of anvil's public test keys
CHAIN_ID = WETH.chain_id
ETHER, GWEI = 10**18, 10**9
PROFILE = ChainProfile(CHAIN_ID, "simulated", "ETH", WETH, {}, {})
ROUNDS, CALM_ROUNDS = 10, 90
FINALITY = 6


class CountingSigner(LocalSigner):
    """Counts what it is asked to sign, and dies when fate says so."""

    def __init__(self, key: bytes, fate: Fate) -> None:
        super().__init__(key, chain_id=CHAIN_ID)
        self._fate = fate
        self.signed = 0

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        self._fate.pass_step()
        self.signed += 1
        signature = await super().sign_transaction(tx)
        self._fate.pass_step()
        return signature


@dataclass
class World:
    """What outlives a process: the chain, the journal's lines, the key holder, and the clients."""

    seed: int
    kill: bool = False
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fate = Fate(self.seed, crash_chance=0.004, fault_chance=0.08)
        prices = [2_000]
        for _ in range(4 * (ROUNDS + CALM_ROUNDS)):
            prices.append(max(prices[-1] + self.fate.random.randint(-9, 9), 1_000))
        trusted = self.fate.random.random() < 0.5
        self.market = PaperMarket(lambda number: prices[number], is_trusted=trusted)
        self.policy = Policy(
            time_to_live_s=self.fate.random.choice((60, 300)),
            max_fee_wei=self.fate.random.choice((None, 5 * GWEI)),
        )
        self.chain = SimulatedChain(CHAIN_ID, contract=self.market.run, finality=FINALITY)
        self.node = SimulatedNode(self.chain, self.fate)
        self.lines = MemoryJournal(self.fate, lambda: self.chain.head.timestamp)
        self.signers = {signer.address: signer for signer in (CountingSigner(key, self.fate) for key in KEYS)}
        self.orders = [make_parent(self, number) for number in range(self.fate.random.randint(1, 3))]
        self.crashes = 0

    @property
    def signed(self) -> int:
        return sum(signer.signed for signer in self.signers.values())

    def restart(self) -> Process:
        """Begin another life after a crash."""
        self.crashes += 1
        self.tell("crash")
        self.fate.revive()
        return Process(self)

    def tell(self, what: str) -> None:
        self.story.append(f"block {self.chain.head.number}: {what}")


class Process:
    """One life of the engine, over what the last one left."""

    def __init__(self, world: World) -> None:
        self.journal: Journal = world.lines.open()
        node = Node(world.node, CHAIN_ID)
        context = Context(
            node=node,
            profile=PROFILE,
            journal=self.journal,
            policy=world.policy,
            signer=None,
            now=lambda: world.chain.head.timestamp,
            observe=lambda *_: None,
        )
        path = PaperPath(node, world.chain, world.market)
        self.lane = Lane(context, world.signers, path)
        self.engine = Engine(self.journal, [self.lane])
        self.lane = self.engine.lanes[0]

    async def turn(self) -> None:
        with contextlib.suppress(NodeError, HaltedError):
            await self.engine.turn(self.lane)


def make_parent(world: World, number: int) -> ParentOrder:
    """Return an order of any type, as the seed has it."""
    draw, now = world.fate.random, world.chain.head.timestamp
    amount = draw.randint(1, 9) * ETHER + draw.randint(0, 9)
    life_s = draw.choice((240, 600, 900))
    parent = ParentOrder(
        order_id=f"parent-{number}",
        client_order_id=f"client-{number}",
        accounts=tuple(world.signers)[: draw.randint(1, 2)],
        token_in=WETH,
        token_out=USDC,
        amount=amount,
        exact=Exact.IN,
        max_slippage_bps=draw.choice((5, 30, 200)),
        starts_at=now,
        expires_at=now + life_s,
    )
    price = Fraction(draw.randint(1_990, 2_010) * 10**6, ETHER)
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"limit_price": price},
        {"stop_price": price},
        {"slices": draw.randint(2, 4), "interval_s": 24},
        {"fill_or_kill": True},
        {"replaces": f"parent-{number - 1}"} if number else {},
    )
    return replace(parent, **draw.choice(kinds))


async def simulate(world: World) -> None:
    """Run a world: a stormy part, then a calm one until nothing moves any more."""
    process = Process(world)
    kill_at = world.fate.random.randrange(ROUNDS) if world.kill else -1
    for number in range(ROUNDS):
        process = await _live(world, process, number)
        if number == kill_at:
            process = await _kill(world, process)
    world.fate.end_faults()
    process = await _live(world, process, ROUNDS)
    for _ in range(CALM_ROUNDS):
        world.chain.base_fee_wei = max(GWEI, world.chain.base_fee_wei * 7 // 8)
        await process.turn()
        for _ in range(1 if process.journal.read_open().slots else 4):
            world.chain.mine()
        require_not_doubled(world)
        if world.kill or _is_quiet(process.journal):
            break
    for _ in range(FINALITY + 2):
        world.chain.mine()
    await process.turn()


async def _live(world: World, process: Process, number: int) -> Process:
    """Let something happen to the world and the engine take a turn, crash or not."""
    draw = world.fate.random
    try:
        for parent in world.orders:  # clients repeat themselves until they are heard
            process.journal.append_parent(parent)
        if draw.random() < 0.08:
            process.journal.append_cancel(draw.choice(world.orders).order_id)
        await process.turn()
        while draw.random() < 0.3:
            await process.turn()
    except SimulatedCrash:
        process = world.restart()
    spiked = int(world.chain.base_fee_wei * draw.choice((0.5, 1, 1, 1, 1.2, 4)))
    world.chain.base_fee_wei = min(max(GWEI // 10, spiked), 1_000 * GWEI)
    while draw.random() < 0.7:
        world.chain.mine()
    if draw.random() < 0.3:
        depth = draw.randint(1, 4)
        world.tell(f"reorg of {depth}")
        world.chain.reorg(depth, lambda tx: draw.random() < 0.7)
    require_not_doubled(world)
    return process


async def _kill(world: World, process: Process) -> Process:
    """Kill, then let the engine go on: not one signature and not one send may follow."""
    while not is_killed(process.journal.read_switches()):
        try:
            process.journal.append_switch(EVERYTHING, SwitchState.KILLED, "a test")
        except SimulatedCrash:
            process = world.restart()
    world.tell("killed")
    signed, sent = world.signed, world.node.sent
    for _ in range(4):
        process = await _live(world, process, ROUNDS)
    assert (world.signed, world.node.sent) == (signed, sent), "something was signed or sent after the kill"
    return process


def _is_quiet(journal: Journal) -> bool:
    return not journal.read_open().slots and not any(view.is_alive for view in journal.read_parents())


def require_not_doubled(world: World) -> None:
    """No order may have more on the chain than was asked, at any time."""
    sold: Counter[str] = Counter()
    for _, mined in world.chain.list_mined():
        if mined.tx.to == MARKET and mined.execution.success:
            order_id, amount = read_swap(mined.tx)
            sold[order_id] += 1
            sold[order_id.partition(".")[0]] += amount
    for parent in world.orders:
        replaced = sold[parent.replaces] if parent.replaces else 0
        assert sold[parent.order_id] <= parent.amount, f"{parent.order_id} is doubled"
        assert sold[parent.order_id] + replaced <= max(parent.amount, replaced), "a replacement doubles"
    assert all(count <= 1 for name, count in sold.items() if "." in name), "a child is doubled"


def require_settled(world: World) -> None:
    """Nothing is missing, and the books are the chain's."""
    book = world.lines.replay()
    _require_ledger(world, book)
    if world.kill:
        return
    assert all(not view.is_alive for view in book.parents.views.values()), "an order without an end"
    for view in book.parents.views.values():
        if view.state is OrderState.FILLED:
            assert view.filled >= view.parent.amount, "filled, and not full"
    open_slots = [slot for slot in book.slots.values() if slot.attempts and slot.consumer is None]
    assert not open_slots, "a slot without an end"


def _require_ledger(world: World, book: Book) -> None:
    sold: Counter[str] = Counter()
    bought: Counter[str] = Counter()
    for _block, mined in world.chain.list_mined():
        for log in mined.execution.logs:
            amount = int.from_bytes(log.data)
            (sold if log.address == WETH.address else bought)[mined.tx.sender] += amount
    for account in world.signers:
        positions = book.positions
        assert positions.get((CHAIN_ID, account, WETH.address), 0) == -sold[account], "ledger: WETH"
        assert positions.get((CHAIN_ID, account, USDC.address), 0) == bought[account], "ledger: USDC"
        spent_wei = world.chain.head.spent_wei.get(account, 0)
        assert book.gas_wei.get((CHAIN_ID, account), 0) == spent_wei, "ledger: gas"


def run_seed(seed: int) -> World:
    """Run a seed and hold the laws; every fourth kills."""
    world = World(seed, kill=seed % 4 == 0)
    try:
        run_virtually(simulate(world))
        require_settled(world)
    except AssertionError as error:
        error.add_note(f"seed {seed}; replay: cd tests && python -m engine.simulation {seed}")
        raise
    return world


def main(seeds: list[str]) -> None:
    for seed in seeds:
        world = World(int(seed), kill=int(seed) % 4 == 0)
        try:
            run_virtually(simulate(world))
            require_settled(world)
        finally:
            book = world.lines.replay()
            lines = [*world.story, *map(str, world.lines._lines)]
            sys.stdout.write("\n".join([*lines, *map(str, book.parents.views.values()), ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
