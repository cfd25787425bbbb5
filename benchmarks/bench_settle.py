"""Time of matching a book of signed orders, and gas of settling such: receipts, today's rules, one
transaction a block, all storage cold and not zero before. CoW's contract settles the same orders of the same
owners in the same run."""

from __future__ import annotations

import statistics
import time

from eth_abi import encode

from benchmarks.order_books import random_book
from benchmarks.peer_cow_settle import CowSettlement
from benchmarks.pool_graphs import random_graph
from benchmarks.row import Row, lower_is_better
from benchmarks.settle_parties import UNIT, Parties, gather
from onchain_exec.clearing.settle import Domain, SettleFill, SettleOrder, Signed
from onchain_exec.clearing.settle.batch import Batch, encode_cancel, encode_pair, encode_take
from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.core.artifact import get_artifact
from onchain_exec.routing.matching import find_match

COUNT = 50
ORDERS, POOLS, SEED, ROUNDS = 1_000, 100, 1, 5
DEADLINE_AT = 2**32 - 1


def run() -> list[Row]:
    """Return the rows; each figure is of the second time, when lanes and balances are there already."""
    with gather(COUNT) as parties:
        ours, cow = OurSettlement(parties), CowSettlement(parties)
        figures = {
            "batch 50, per order": (ours.batch(COUNT) / COUNT, cow.batch(COUNT, 1) / COUNT),
            "pair": (ours.pair(), cow.batch(2, 2)),
            "rfq": (ours.take(), cow.batch(1, 3)),
            "cancel": (ours.cancel(), cow.cancel(4)),
        }
    rows = [
        lower_is_better(f"settle gas, {name}", value, "gas", "CoW", peer_value)
        for name, (value, peer_value) in figures.items()
    ]
    return [*rows, Row("solver 1000 orders", _match_ms(), "ms")]


def _match_ms() -> float:
    """Return the median time of matching 1,000 orders with one another and with 100 pools."""
    book, network, prices = random_book(ORDERS, random_graph(POOLS, SEED), SEED)
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        find_match(book, network, prices)
        times.append((time.perf_counter() - started) * 1_000)
    return statistics.median(times)


class OurSettlement:
    """Settle, with a unit of each token left in it as ever after its first batch."""

    def __init__(self, parties: Parties) -> None:
        self._parties = parties
        code = get_artifact("Settle").bytecode
        arguments = encode(["address", "uint256", "uint256"], [ZERO_ADDRESS, DEADLINE_AT, DEADLINE_AT])
        self._address = parties.evm.deploy(code + arguments)
        self._domain = Domain(parties.chain.chain_id, self._address)
        self._seq = 0
        parties.allow(self._address)
        parties.give(self._address, 1)
        self.batch(COUNT)

    def batch(self, count: int) -> int:
        self._seq += 1
        owners = self._parties.owners[:count]
        fills = tuple(self._fill(owner, place % 2) for place, owner in enumerate(owners))
        return self._parties.gas(self._address, Batch(self._parties.tokens, fills).encode())

    def pair(self) -> int:
        self._seq += 1
        one, other = (self._fill(owner, side) for side, owner in enumerate(self._parties.owners[:2]))
        return self._parties.gas(self._address, encode_pair(one, other))

    def take(self) -> int:
        self._seq += 1
        return self._parties.gas(self._address, encode_take(self._fill(self._parties.owners[0], 0)))

    def cancel(self) -> int:
        self._seq += 1
        return self._parties.gas(self._address, encode_cancel(0, self._seq), self._parties.owners[0])

    def _fill(self, owner: Address, side: int) -> SettleFill:
        tokens = self._parties.tokens
        order = SettleOrder(owner, tokens[side], tokens[1 - side], UNIT, UNIT, DEADLINE_AT, self._seq)
        digest = self._domain.get_digest(order)
        packed = self._parties.keys[owner].sign_recoverable(digest, hasher=None)
        return SettleFill(order, Signed.by_key(packed), UNIT, UNIT)
