"""A chain in memory: blocks when it is told, geth's pool, reorgs, and contracts that are functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from eth_hash.auto import keccak

from onchain_exec.core import Address, Log
from onchain_exec.testing.lying_node.exchange import Refusal
from onchain_exec.testing.lying_node.mempool.builder import select
from onchain_exec.testing.lying_node.mempool.pool import Pool
from onchain_exec.testing.lying_node.mempool.rules import Account, Head, Limits
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx, decode_transaction

GAS_LIMIT: Final = 30_000_000
BLOCK_TIME_S: Final = 12
WEALTH_WEI: Final = 10**24
"""What every account has at first."""
_TRANSFER_GAS: Final = 21_000


@dataclass(frozen=True, slots=True)
class Execution:
    """What a contract did: whether it succeeded, its logs, the gas it took, and the state after it."""

    success: bool
    state: dict[str, int]
    logs: tuple[Log, ...] = ()
    gas_used: int = _TRANSFER_GAS


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block, with what it did."""

    tx: PoolTx
    execution: Execution


@dataclass(frozen=True, slots=True)
class Block:
    """A block with the state after it: nonces, wei by account, and the contracts' own numbers."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_wei: int
    txs: tuple[Mined, ...] = ()
    nonces: dict[Address, int] = field(default_factory=dict)
    spent_wei: dict[Address, int] = field(default_factory=dict)
    state: dict[str, int] = field(default_factory=dict)

    def find(self, tx_hash: str) -> tuple[int, Mined] | None:
        """Return a transaction of this block with its place, or None."""
        return next(((i, mined) for i, mined in enumerate(self.txs) if mined.tx.tx_hash == tx_hash), None)


Contract: TypeAlias = Callable[[PoolTx, Block, dict[str, int]], Execution]
"""Runs a transaction in a block on a state, which it must not change."""


def transfer(tx: PoolTx, block: Block, state: dict[str, int]) -> Execution:
    """The contract of a chain without contracts: every transaction succeeds and moves nothing."""
    return Execution(True, state)


class SimulatedChain:
    """One chain. ``finality`` is how many blocks below the head are final; a reorg never passes it.

    Equal calls give equal chains, hashes and all.
    """

    def __init__(
        self, chain_id: int = 1337, *, contract: Contract = transfer, started_at: int = 1_800_000_000,
        finality: int = 16,
    ) -> None:  # fmt: skip
        self.chain_id, self.finality = chain_id, finality
        self.base_fee_wei = 10**9
        self.pool = Pool(Limits())
        self._contract, self._forks = contract, 0
        self.blocks = [Block(0, _hash("genesis"), _hash("nothing"), started_at, self.base_fee_wei)]
        self._decoded: dict[bytes, PoolTx] = {}

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    @property
    def final(self) -> Block:
        """The newest block that no reorg takes away."""
        return self.blocks[max(self.head.number - self.finality, 0)]

    def send(self, raw: bytes) -> Refusal | None:
        """Take a transaction into the pool, or return why not, in geth's words."""
        tx = self.decode(raw)
        return self.pool.add(tx, self._get_account(tx.sender), self._get_next(), self.head.timestamp)

    def decode(self, raw: bytes) -> PoolTx:
        """Return what signed bytes say."""
        return self._decoded.get(raw) or self._decoded.setdefault(raw, decode_transaction(raw))

    def mine(self, included: Iterable[PoolTx] | None = None) -> Block:
        """Build a block of what is pending (or of ``included``, in its order)."""
        block = self._begin()
        for tx in self.select_public() if included is None else included:
            block = self._run(tx, block)
        self.blocks.append(block)
        self._reset_pool()
        return block

    def select_public(self) -> list[PoolTx]:
        """Return what of the pool a builder would put into the next block, in its order."""
        return list(select(self.pool, self.base_fee_wei, GAS_LIMIT))

    def try_out(self, txs: Iterable[PoolTx]) -> tuple[Mined, ...]:
        """Return what transactions would do, one after another, as the next block; nothing is kept."""
        block = self._begin()
        for tx in txs:
            block = self._run(tx, block)
        return block.txs

    def reorg(self, depth: int, kept: Callable[[PoolTx], bool] = lambda tx: True) -> None:
        """Replace the newest ``depth`` blocks by as many empty ones. What they held waits again in the
        pool, unless ``kept`` says that it is lost. A reorg stops at what is final."""
        depth = min(depth, self.head.number - self.final.number)
        orphans = [mined.tx for block in self.blocks[len(self.blocks) - depth :] for mined in block.txs]
        del self.blocks[len(self.blocks) - depth :]
        self._forks += 1
        self._reset_pool()
        for tx in orphans:
            if kept(tx):
                self.send(tx.raw)
        for _ in range(depth):
            self.mine(())

    def list_mined(self) -> Iterable[tuple[Block, Mined]]:
        """Return every canonical transaction with its block, in order."""
        return ((block, mined) for block in self.blocks for mined in block.txs)

    def find(self, tx_hash: str) -> tuple[Block, int, Mined] | None:
        """Return a canonical transaction with its block and place, or None."""
        for block in reversed(self.blocks):
            if found := block.find(tx_hash):
                return block, *found
        return None

    def _begin(self) -> Block:
        before = self.head
        return Block(
            number=before.number + 1,
            hash=_hash(f"{before.hash}/{self._forks}"),
            parent_hash=before.hash,
            timestamp=before.timestamp + BLOCK_TIME_S,
            base_fee_wei=self.base_fee_wei,
            nonces=dict(before.nonces),
            spent_wei=dict(before.spent_wei),
            state=before.state,
        )

    def _run(self, tx: PoolTx, block: Block) -> Block:
        execution = self._contract(tx, block, block.state)
        price_wei = block.base_fee_wei + tx.get_effective_tip(block.base_fee_wei)
        block.nonces[tx.sender] = tx.nonce + 1
        cost_wei = execution.gas_used * price_wei
        block.spent_wei[tx.sender] = block.spent_wei.get(tx.sender, 0) + cost_wei
        return replace(block, txs=(*block.txs, Mined(tx, execution)), state=execution.state)

    def _reset_pool(self) -> None:
        accounts = {sender: self._get_account(sender) for sender in self.pool.senders}
        self.pool.reset(accounts, self._get_next())

    def _get_account(self, address: Address) -> Account:
        head = self.head
        return Account(head.nonces.get(address, 0), WEALTH_WEI - head.spent_wei.get(address, 0))

    def _get_next(self) -> Head:
        return Head(self.chain_id, self.base_fee_wei, GAS_LIMIT)


def _hash(text: str) -> str:
    return "0x" + keccak(text.encode()).hex()
