"""The book of signed orders: how many it takes in a second, each verified on the newest block of a node
(signature, lane, balance, allowance) and durable (SQLite, synchronous=FULL) before it is acknowledged."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from eth_abi import encode

from benchmarks.row import Row
from benchmarks.settle_parties import Parties, gather
from onchain_exec.app.signed_book import Intake, Verifier
from onchain_exec.chain import Node
from onchain_exec.clearing.settle import Domain, SettleOrder, Signed
from onchain_exec.core import ZERO_ADDRESS
from onchain_exec.core.artifact import get_artifact
from onchain_exec.oms.signed_book import SignedBook

OWNERS, ORDERS, LATE = 8, 1_600, 2**32 - 1
Work = tuple[SettleOrder, Signed]


def run() -> list[Row]:
    """Return the rows: one client after the other, and many at once, who share batches and flushes."""
    with gather(OWNERS) as parties:
        arguments = encode(["address", "uint256", "uint256"], [ZERO_ADDRESS, LATE, LATE])
        contract = parties.evm.deploy(get_artifact("Settle").bytecode + arguments)
        parties.allow(contract)
        domain = Domain(parties.chain.chain_id, contract)
        return [
            Row(
                f"signed orders taken in, {clients} at once",
                asyncio.run(_measure(parties, domain, clients)),
                "per second",
            )
            for clients in (1, 64)
        ]


async def _measure(parties: Parties, domain: Domain, clients: int) -> float:
    """Return how many orders a second are acknowledged; signing is not counted."""
    count = ORDERS if clients > 1 else ORDERS // 8
    work = [_sign(parties, domain, number) for number in range(count)]
    node = await Node.connect(parties.chain.url)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SignedBook.open(Path(folder, "journal.sqlite"), domain)) as book,
    ):
        intake = Intake(book, Verifier(node, domain), parties.tokens, lambda: int(time.time()))
        started = time.perf_counter()
        await asyncio.gather(*(_send(intake.submit, work[first::clients]) for first in range(clients)))
        rate = count / (time.perf_counter() - started)
        assert len(book.list_open(0)) == count
    await node.close()
    return rate


async def _send(submit: Callable[[SettleOrder, Signed], Awaitable[object]], work: list[Work]) -> None:
    for order, signed in work:
        await submit(order, signed)


def _sign(parties: Parties, domain: Domain, number: int) -> Work:
    owner, tokens = parties.owners[number % OWNERS], parties.tokens
    order = SettleOrder(
        owner,
        tokens[0],
        tokens[1],
        amount_in=10**18 + number,
        amount_out=10**18,
        deadline_at=int(time.time()) + 3_600,
        seq=1,
        lane=number,
    )
    packed = parties.keys[owner].sign_recoverable(domain.get_digest(order), hasher=None)
    return order, Signed.by_key(packed)
