"""Kill a trader with SIGKILL, again and again, and count on the chain what it did.

Each child process trades intents one after the other through the real journal, recovery, send and
confirm, and is killed at a named point or at a random time; the next child takes over. The chain
alone is the judge: every intent at most once before recovery, exactly once after it.

Run as a program it makes its own world (see `kill_worlds`) and prints one JSON document (see `Tally`); with
``-`` for its options it does so for each line of options that it reads.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import os
import random
import select
import selectors
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from oms.builders import CHAIN_ID, make_order, make_quote
from oms.kill_worlds import SEND_FAULTS, AnvilWorld, SimulatedWorld, World
from oms.paper_market import recipient_of, sign_swap
from onchain_exec.chain import DevAccount, LocalChain, Node
from onchain_exec.chain.decode import decode_receipt
from onchain_exec.core import Order, Receipt
from onchain_exec.errors import NodeRefusedError
from onchain_exec.execution.delivery.confirm import confirm
from onchain_exec.execution.delivery.outcome import SendOutcome
from onchain_exec.execution.delivery.send import send
from onchain_exec.execution.plan import DurableTx, Purpose, SignedTx
from onchain_exec.oms import Journal, OrderState, recover
from onchain_exec.oms.journal import OpenWork

POINTS = (
    "accepted", "lease", "signed", "committed", "mid_send", "sent", "marked", "confirmed", "recorded",
    "resent", "recovered", "random",
)  # fmt: skip
LIVES = POINTS + ("random",) * 3
FAULTS = ("", *SEND_FAULTS)
_ONCE_IN_A_LIFE = {"resent", "recovered"}
QUOTED = 2_000 * 10**6
NOW = 1_900_000_000
REHEARSALS = 4
LIFE_S = 0.04
"""About how long a life of four intents takes, on a machine with nothing else to do."""


@dataclass
class Tally:
    """What came out: intents traded, those the chain paid twice or never, and where kills struck.

    ``points`` counts the kills by the place, ``under`` by the fault of the world meanwhile.
    ``early`` counts intents that were already paid twice before a recovery could have done it;
    ``ledger`` lists where the journal's books differ from the chain's; ``errors`` are tracebacks.
    """

    kills: int = 0
    intents: int = 0
    doubled: int = 0
    missing: int = 0
    early: int = 0
    ledger: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    under: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        """How many things went wrong."""
        return self.doubled + self.missing + self.early + len(self.ledger) + len(self.errors)


class Crash:
    """Ends the process without warning when it passes ``point`` for the n-th time."""

    def __init__(self, point: str = "", passes: int = 0) -> None:
        self._point, self._passes = point, passes

    def passing(self, point: str) -> bool:
        """Return whether the process must end here."""
        if point != self._point:
            return False
        self._passes -= 1
        return self._passes < 0

    def __call__(self, point: str) -> None:
        if self.passing(point):
            os.kill(os.getpid(), signal.SIGKILL)


class Rehearsal(Crash):
    """Ends a life, not the process, once bytes are signed and not yet sent."""

    def __call__(self, point: str) -> None:
        if point == "committed":
            raise RehearsalError


class RehearsalError(Exception):
    """A rehearsal has come to its end."""


class Trader:
    """The path of an order, reduced to what touches the journal and the chain. Nothing depends on how long
    it waits: blocks are there as soon as a send is answered, or they are not to come."""

    patience_s = 0.02

    def __init__(self, world: World, journal: Journal, account: DevAccount, crash: Crash) -> None:
        self.world, self.journal, self.account, self.crash = world, journal, account, crash
        self.node = world.connect()

    async def start(self) -> None:
        """Recover what the last one left, and wait for it."""
        await self.recover()
        self.crash("recovered")
        for slot in self.journal.read_open().slots:
            await self.conclude(slot.attempts[-1].tx)

    async def recover(self) -> None:
        async def send_then_crash(node: Node, durable: DurableTx) -> SendOutcome:
            outcome = await send(node, durable)
            self.crash("resent")
            return outcome

        await recover(self.node, self.journal, NOW, send_then_crash)

    async def trade(self, intent: int) -> None:
        """Take an intent to its fill, from wherever the journal says that it is."""
        order = self.make_order(intent)
        view = self.journal.append_order(order, make_quote(order))
        self.crash("accepted")
        if view.state is OrderState.NEW:
            await self.execute(view.order or order)

    async def execute(self, order: Order) -> None:
        signed = await self.sign(order)
        durable = self.journal.write_signed(order.order_id, signed)
        self.crash("committed")
        await self.deliver(durable)

    async def sign(self, order: Order) -> SignedTx:
        floor = await self.node.get_nonce(order.account)
        nonce = self.journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, floor)
        self.crash("lease")
        signed = sign_swap(self.account.key, order, nonce, QUOTED)
        self.crash("signed")
        return signed

    async def deliver(self, durable: DurableTx) -> None:
        if self.crash.passing("mid_send"):
            self.world.send_and_die(durable.raw, whole=bool(durable.nonce % 2))
        outcome = await send(self.node, durable)
        self.crash("sent")
        self.journal.append_send_outcome(durable, outcome)
        self.crash("marked")
        await self.conclude(durable)

    async def conclude(self, durable: DurableTx) -> None:
        outcome = await confirm(self.node, durable, 1, self.patience_s, 0.005)
        self.crash("confirmed")
        self.journal.append_outcome(durable, outcome)
        self.crash("recorded")

    def make_order(self, intent: int, again: int = 0) -> Order:
        order_id = intent + 1_000_000 * again
        return make_order(order_id, account=self.account.address, recipient=recipient_of(intent))


class SendBeforeCommit(Trader):
    """Mutant: the bytes leave before they are durable."""

    async def execute(self, order: Order) -> None:
        signed = await self.sign(order)
        nowhere = DurableTx(
            order.order_id, Purpose.SWAP, CHAIN_ID, order.account, signed.nonce, signed.raw, signed.tx_hash
        )
        await send(self.node, nowhere)
        self.crash("sent")
        await self.deliver(self.journal.write_signed(order.order_id, signed))


class NewNonceOnTooLow(Trader):
    """Mutant: a nonce that is too low is taken for a lost race, and the trade done again on a new one."""

    async def recover(self) -> None:
        for slot in self.journal.read_open().slots:
            durable = slot.attempts[-1].tx
            try:
                await self.node.send_raw_transaction(durable.raw)
            except NodeRefusedError:
                intent = int(durable.order_id.removeprefix("order-")) % 1_000_000
                again = self.make_order(intent, again=1 + len(self.journal.read_orders()))
                self.journal.append_order(again, make_quote(again))
                await self.execute(again)


class NoRebroadcast(Trader):
    """Mutant: what was journalled is taken for sent."""

    async def start(self) -> None:
        open_work: OpenWork = self.journal.read_open()
        for slot in open_work.slots:
            durable = slot.attempts[-1].tx
            self.journal.append_outcome(durable, await confirm(self.node, durable, 1, 0, 0.005))


class TrustsReceipts(Trader):
    """Mutant: a receipt is taken without a look at its block's hash."""

    def __init__(self, world: World, journal: Journal, account: DevAccount, crash: Crash) -> None:
        super().__init__(world, journal, account, crash)
        self.node = _Credulous(self.node.rpc, CHAIN_ID)


class _Credulous(Node):
    async def get_receipt(self, tx_hash: str) -> Receipt | None:
        found = await self.rpc.request("eth_getTransactionReceipt", (tx_hash,))
        return decode_receipt(found) if found else None

    async def get_receipts(self, tx_hashes: Sequence[str]) -> tuple[Receipt | None, ...]:
        return tuple([await self.get_receipt(tx_hash) for tx_hash in tx_hashes])


TRADERS: dict[str, type[Trader]] = {
    trader.__name__: trader
    for trader in (Trader, SendBeforeCommit, NewNonceOnTooLow, NoRebroadcast, TrustsReceipts)
}


class Harness:
    """One world, many journals, many short lives. The first journal meets ``fault``, others what follows."""

    def __init__(self, world: World, folder: Path, trader: type[Trader], seed: int, fault: str = "") -> None:
        self.world, self.folder, self.trader = world, folder, trader
        self.random = random.Random(seed)
        self.tally = Tally()
        self.next_intent, self.journals, self.fault = 1, 0, ""
        self.faults = itertools.islice(itertools.cycle(FAULTS), FAULTS.index(fault), None)
        # One for all lives, since each would have to make its own. It keeps nothing in the kernel that the
        # processes would share.
        self.loop = asyncio.SelectorEventLoop(selectors.SelectSelector())

    def run(self, kills: int) -> Tally:
        """Kill ``kills`` children, or as many as live faultlessly; return the tally."""
        started = time.monotonic()
        self.rehearse()
        gc.freeze()  # what is imported stays
        while self.tally.kills < kills and not self.tally.faults:
            self.run_journal()
        self.loop.close()
        self.tally.seconds = round(time.monotonic() - started, 1)
        return self.tally

    def rehearse(self) -> None:
        """Live some lives in this process: what they import, compile and keep, no child has to."""
        self.world.begin("")
        path, account = self.folder / "rehearsal.sqlite", self.world.accounts[0]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for _ in range(REHEARSALS):
            with suppress(RehearsalError):
                self.live(path, account, self.take_intent(), Rehearsal(), nowhere)
        self.live(path, account, self.take_intent(), Crash(), nowhere)
        os.close(nowhere)

    def take_intent(self) -> range:
        self.next_intent += 1
        return range(self.next_intent - 1, self.next_intent)

    def run_journal(self) -> None:
        """Kill children over one fresh journal, under one kind of fault, then let one finish in peace and
        compare with the chain."""
        number = self.journals
        self.journals += 1
        account = self.world.accounts[number % len(self.world.accounts)]
        path = self.folder / f"{number}.sqlite"
        self.fault = next(self.faults)
        self.world.begin(self.fault)
        first = intent = self.next_intent
        for point in self.random.sample(LIVES, len(LIVES)):
            passes = 0 if point in _ONCE_IN_A_LIFE else self.random.randrange(3)
            if point == "resent":  # only after a life that left something to send again
                crash = Crash("committed")
                intent += self.run_child(path, account, range(intent, intent + 1), crash, "committed")
            intent += self.run_child(path, account, range(intent, intent + 4), Crash(point, passes), point)
            self.tally.early += sum(count > 1 for count in self.world.count_paid().values())
        last = intent
        self.world.calm()
        self.run_child(path, account, range(last, last + 1), Crash(), "")
        self.next_intent = last + 1
        self.judge(first, last)
        self.compare_ledger(path, account, last - first + 1)
        for file in self.folder.iterdir():
            file.unlink()

    def run_child(self, path: Path, account: DevAccount, intents: range, crash: Crash, point: str) -> int:
        """Run one child until it is killed or has traded all; return how many intents it has traded."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            status = 1
            gc.disable()  # its first collection would copy the parent's memory
            try:
                self.live(path, account, intents, crash, writer)
                status = 0
            finally:
                if status:  # whatever it was, the parent reports it
                    os.write(writer, b"!" + traceback.format_exc().encode())
                os._exit(status)
        os.close(writer)
        if point == "random":
            kill_after(child, self.random.uniform(0, LIFE_S))
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        self.world.settle()
        if killed:
            self.tally.kills += 1
            self.tally.points[point] += 1
            self.tally.under[self.fault] += 1
        with os.fdopen(reader, "rb") as pipe:
            progress, _, error = pipe.read().partition(b"!")
        if error:
            self.tally.errors.append(error.decode())
        return len(progress)

    def live(self, path: Path, account: DevAccount, intents: range, crash: Crash, progress: int) -> None:
        self.loop.run_until_complete(self.trade_all(path, account, intents, crash, progress))

    async def trade_all(
        self, path: Path, account: DevAccount, intents: range, crash: Crash, progress: int
    ) -> None:
        with Journal.open(path, timeout_s=60) as journal:
            trader = self.trader(self.world, journal, account, crash)
            try:
                await trader.start()
                for intent in intents:
                    await trader.trade(intent)
                    os.write(progress, b".")
            finally:
                await trader.node.close()

    def judge(self, first: int, last: int) -> None:
        paid = self.world.count_paid()
        counts = [paid[recipient_of(intent)] for intent in range(first, last + 1)]
        self.tally.intents += len(counts)
        self.tally.doubled += sum(count > 1 for count in counts)
        self.tally.missing += sum(count == 0 for count in counts)

    def compare_ledger(self, path: Path, account: DevAccount, intents: int) -> None:
        """Compare the journal's books with the chain: every fill, and gas to the wei."""
        with Journal.open(path) as journal:
            states = Counter(order.state for order in journal.read_orders())
            gas_wei = journal.read_gas_wei().get((CHAIN_ID, account.address), 0)
        if states != {OrderState.FILLED: intents}:
            self.tally.ledger.append(f"{path.name}: {states}, {intents} intents")
        spent_wei = self.world.get_spent_wei(account.address)
        if gas_wei != spent_wei:
            self.tally.ledger.append(f"{path.name}: gas {gas_wei}, the chain took {spent_wei}")


def kill_after(child: int, seconds: float) -> None:
    """Kill a child, unless it ends before."""
    watch = os.pidfd_open(child)
    if not select.select((watch,), (), (), seconds)[0]:
        os.kill(child, signal.SIGKILL)
    os.close(watch)


def main(arguments: list[str]) -> None:
    """Run the harness as the command line says, or each line of standard input, and print tallies as JSON."""
    for each in map(str.split, sys.stdin) if arguments == ["-"] else [arguments]:
        sys.stdout.write(json.dumps(vars(run(each))) + "\n")
        sys.stdout.flush()


def run(arguments: list[str]) -> Tally:
    """Make a world and kill in it as the options say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trader", choices=TRADERS, default="Trader")
    parser.add_argument("--fault", choices=FAULTS, default="", help="the first of the faults")
    parser.add_argument("--anvil", action="store_true", help="trade on a real node, without faults")
    options = parser.parse_args(arguments)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # a kill leaves what was written
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        world: World
        if options.anvil:
            world = AnvilWorld(stack.enter_context(LocalChain.start(chain_id=CHAIN_ID)))
        else:
            world = stack.enter_context(SimulatedWorld(folder, options.seed))
        journals = folder / "journals"
        journals.mkdir()
        trader = TRADERS[options.trader]
        return Harness(world, journals, trader, options.seed, options.fault).run(options.kills)


if __name__ == "__main__":
    main(sys.argv[1:])
