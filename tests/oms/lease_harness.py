"""Lease nonces from many processes and kill some of them all the time: unique, gapless, taken over.

Run as a program (it forks) it prints one JSON document: kills, leases, and what is wrong with them.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

from oms.builders import CHAIN_ID, make_order, make_quote, make_signed
from onchain_exec.core import Order, to_address
from onchain_exec.errors import FencedError
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal, SlotView

PROCESSES, ACCOUNTS, LEASE_S = 8, 4, 0.5


def lease(url: str, name: str, enough: int) -> None:
    """Take and sign nonces of one account until the journal has enough; stand by while another does."""
    account = to_address(f"0x{1 + int(name) % ACCOUNTS:040x}")
    with Journal.open(url, timeout_s=60, lease_s=LEASE_S) as journal:
        for number in itertools.count():
            order = make_order(f"{name}-{number}", account=account)  # type: ignore[arg-type]
            journal.append_order(order, make_quote(order))
            nonce = wait_for_nonce(journal, order)
            if number % 7:  # now and then what is reserved is left behind
                with suppress(FencedError):  # a pause longer than the lease: the heir signs
                    journal.write_signed(order.order_id, make_signed(order, nonce))
            if number % 10 == 0 and len(journal.read_slots()) >= enough:
                return


def wait_for_nonce(journal: Journal, order: Order) -> int:
    """Return a nonce as soon as the account is free."""
    while True:
        try:
            return journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, 0)
        except FencedError:
            time.sleep(LEASE_S / 20)


def start(url: str, name: str, enough: int) -> int:
    """Return the pid of a process that leases."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            lease(url, name, enough)
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    return child


def run(url: str, leases: int, seconds: float, seed: int) -> dict[str, object]:
    """Let them lease, killing and replacing one at random times; return the document."""
    chance, started = random.Random(seed), time.monotonic()
    Journal.open(url).close()
    gc.freeze()
    names = iter(range(1_000_000))
    children = [start(url, str(next(names)), leases) for _ in range(PROCESSES)]
    kills = 0
    while time.monotonic() - started < seconds:
        time.sleep(chance.uniform(0.05, 0.4))
        ended = [child for child in children if os.waitpid(child, os.WNOHANG)[0]]
        children = [child for child in children if child not in ended]
        if ended:  # it found enough
            break
        victim = children.pop(chance.randrange(len(children)))
        os.kill(victim, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(victim, 0)[1])
        children.append(start(url, str(next(names)), leases))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with Journal.open(url) as journal:
        slots = journal.read_slots()
    return {
        "kills": kills,
        "leases": len(slots),
        "seconds": round(time.monotonic() - started, 1),
        "faults": list_faults(slots),
    }


def list_faults(slots: tuple[SlotView, ...]) -> list[str]:
    """Return what contradicts: each nonce once, none left out, each order and transaction once."""
    nonces: dict[str, list[int]] = defaultdict(list)
    for slot in slots:
        nonces[slot.key.account].append(slot.key.nonce)
    signed = [(slot.order_id, attempt.tx.tx_hash) for slot in slots for attempt in slot.attempts]
    laws: dict[str, Callable[[], bool]] = {
        "gap": lambda: all(found == list(range(len(found))) for found in nonces.values()),
        "order twice": lambda: len({order_id for order_id, _ in signed}) == len(signed),
        "bytes twice": lambda: len({tx_hash for _, tx_hash in signed}) == len(signed),
        "slot twice": lambda: all(len(slot.attempts) <= 1 for slot in slots),
        "mostly unsigned": lambda: len(signed) > len(slots) // 2,
    }
    return [law for law, holds in laws.items() if not holds()]


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--leases", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.stdout.write(json.dumps(run(options.url, options.leases, options.seconds, options.seed)) + "\n")


if __name__ == "__main__":
    main()
