"""Lease nonces from many processes and kill one of them after every few: unique, gapless, taken over.

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


def lease(url: str, name: str, progress: int) -> None:
    """Take and sign nonces of one account for ever; stand by while another process does. Write a byte
    for each."""
    account = to_address(f"0x{1 + int(name) % ACCOUNTS:040x}")
    with Journal.open(url, timeout_s=60, lease_s=LEASE_S) as journal:
        for number in itertools.count():
            order = make_order(f"{name}-{number}", account=account)  # type: ignore[arg-type]
            journal.append_order(order, make_quote(order))
            nonce = wait_for_nonce(journal, order)
            if number % 7:  # now and then what is reserved is left behind
                with suppress(FencedError):  # a pause longer than the lease: the heir signs
                    journal.write_signed(order.order_id, make_signed(order, nonce))
            os.write(progress, b".")


def wait_for_nonce(journal: Journal, order: Order) -> int:
    """Return a nonce as soon as the account is free."""
    while True:
        try:
            return journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, 0)
        except FencedError:
            time.sleep(LEASE_S / 20)


def start(url: str, name: str, progress: int) -> int:
    """Return the pid of a process that leases."""
    child = os.fork()
    if child == 0:
        try:
            lease(url, name, progress)
        finally:  # whatever it was: no process ends by itself
            traceback.print_exc()
            os.write(progress, b"!")
            os._exit(1)
    return child


def run(url: str, leases: int, seed: int) -> dict[str, object]:
    """Let them lease, killing and replacing one after every few leases of any; return the document."""
    chance, started = random.Random(seed), time.monotonic()
    Journal.open(url).close()
    gc.freeze()
    reader, writer = os.pipe()
    names = map(str, itertools.count())
    children = [start(url, next(names), writer) for _ in range(PROCESSES)]
    kills = made = 0
    until_kill = 1
    while made < leases:
        made += 1
        if os.read(reader, 1) == b"!":
            break
        until_kill -= 1
        if not until_kill:
            kills += kill(children.pop(chance.randrange(PROCESSES)))
            children.append(start(url, next(names), writer))
            until_kill = chance.randrange(1, 25)
    ended_by_themselves = sum(not kill(child) for child in children)
    with Journal.open(url) as journal:
        slots = journal.read_slots()
    return {
        "kills": kills,
        "leases": made,
        "slots": len(slots),
        "seconds": round(time.monotonic() - started, 1),
        "faults": list_faults(slots) + ["a process failed"] * ended_by_themselves,
    }


def kill(child: int) -> bool:
    """Return whether it lived until now."""
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


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
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.stdout.write(json.dumps(run(options.url, options.leases, options.seed)) + "\n")


if __name__ == "__main__":
    main()
