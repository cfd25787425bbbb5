"""geth's transaction pool as a value that changes only when told; without I/O and without a clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from onchain_exec.core import Address
from onchain_exec.testing.lying_node.exchange import Refusal
from onchain_exec.testing.lying_node.mempool.rules import (
    Account,
    Head,
    Limits,
    find_fault,
    find_shortage,
    may_replace,
    refuse,
)
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx

_SLOT_BYTES: Final = 32 * 1_024


class Pool:
    """Transactions by sender and nonce.

    Those that follow on from the account's nonce without a gap are *pending* (executable, whatever the
    base fee), the rest *queued*. geth moves them between two lists; here the lists follow from the
    nonces.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._txs: dict[Address, dict[int, PoolTx]] = {}
        self._accounts: dict[Address, Account] = {}
        self._hashes: dict[str, PoolTx] = {}
        self._beats: dict[Address, float] = {}

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[PoolTx]:
        return iter(tuple(self._hashes.values()))

    @property
    def senders(self) -> tuple[Address, ...]:
        """The accounts that have a transaction here."""
        return tuple(self._txs)

    def find(self, tx_hash: str) -> PoolTx | None:
        """Return a transaction by its hash."""
        return self._hashes.get(tx_hash.lower())

    def get_pending(self, sender: Address) -> list[PoolTx]:
        """Return the sender's executable transactions in the order of their nonces."""
        own = self._txs.get(sender, {})
        nonce = self._accounts[sender].nonce if own else 0
        run = []
        while nonce in own:
            run.append(own[nonce])
            nonce += 1
        return run

    def get_queued(self, sender: Address) -> list[PoolTx]:
        """Return the sender's transactions behind a gap, in the order of their nonces."""
        own = self._txs.get(sender, {})
        return [own[nonce] for nonce in sorted(own)][len(self.get_pending(sender)) :]

    def get_next_nonce(self, sender: Address) -> int | None:
        """Return the nonce after the pending ones, or None if the sender has nothing here."""
        pending = self.get_pending(sender)
        return pending[-1].nonce + 1 if pending else None

    def add(self, tx: PoolTx, account: Account, head: Head, now: float) -> Refusal | None:
        """Take a transaction, or return why not; ``now`` in seconds, of any clock."""
        if tx.tx_hash in self._hashes:
            return refuse("already known")
        if tx.sender in self._txs:
            self._accounts[tx.sender] = account
        pending = {own.nonce: own for own in self.get_pending(tx.sender)}
        old = pending.get(tx.nonce)
        spent_wei = sum(own.cost_wei for own in pending.values())
        refusal = (
            find_fault(tx, head, self.limits)
            or find_shortage(tx, account, spent_wei, old)
            or self._find_conflict(tx, account, pending)
            or self._make_room(tx, account, head)
        )
        if refusal is None:
            self._accounts[tx.sender] = account
            refusal = self._insert(tx, now)
        self._truncate()  # after a refusal too: room may have been made for it
        return refusal

    def reset(self, accounts: Mapping[Address, Account], head: Head) -> None:
        """Follow the chain to a new head: what is mined, overtaken or cannot be paid leaves, what was
        behind a gap may follow on, and what a reorg opened a gap before waits behind it."""
        for sender in self.senders:
            account = accounts[sender]
            self._accounts[sender] = account
            for tx in tuple(self._txs[sender].values()):
                overtaken = tx.nonce < account.nonce
                if overtaken or tx.cost_wei > account.balance_wei or tx.gas_limit > head.gas_limit:
                    self.drop(tx.tx_hash)
        self._truncate()

    def drop(self, tx_hash: str) -> None:
        """Forget a transaction; those after it wait behind the gap."""
        tx = self._hashes.pop(tx_hash.lower(), None)
        if tx is None:
            return
        own = self._txs[tx.sender]
        del own[tx.nonce]
        if not own:
            del self._txs[tx.sender], self._accounts[tx.sender]
            self._beats.pop(tx.sender, None)

    def evict(self, now: float) -> None:
        """Forget what was queued for longer than its lifetime, counted from its account's last move."""
        for sender in self.senders:
            if now - self._beats[sender] > self.limits.lifetime_s:
                self._drop_all(self.get_queued(sender))

    def _find_conflict(self, tx: PoolTx, account: Account, pending: Mapping[int, PoolTx]) -> Refusal | None:
        """Return the refusal of what does not go together with the rest of the pool."""
        own = self._txs.get(tx.sender, {})
        if any(bool(other.blobs) != bool(tx.blobs) for other in own.values()):
            return refuse("address already reserved")
        next_nonce = account.nonce + len(pending)
        if tx.blobs and tx.nonce > next_nonce:
            return refuse(f"nonce too high: tx nonce {tx.nonce}, gapped nonce {next_nonce}")
        if tx.blobs and tx.nonce not in own and len(own) >= self.limits.blobs_per_account:
            return refuse(f"account limit exceeded: pooled {len(own)} txs")
        return self._find_delegation(tx, account, pending)

    def _find_delegation(self, tx: PoolTx, account: Account, pending: Mapping[int, PoolTx]) -> Refusal | None:
        """Return the refusal of a second transaction in flight of an account that is, or is about to be,
        delegated (EIP-7702)."""
        if account.delegated or any(tx.sender in other.authorities for other in self):
            if not pending and tx.nonce != account.nonce:
                return refuse("gapped-nonce tx from delegated accounts")
            if pending and tx.nonce not in pending:
                return refuse("in-flight transaction limit reached for delegated accounts")
        if any(len(self._txs.get(authority, {})) > 1 for authority in tx.authorities):
            return refuse("authority already reserved")
        return None

    def _make_room(self, tx: PoolTx, account: Account, head: Head) -> Refusal | None:
        """Drop the cheapest for a better one when the pool is full."""
        room = self.limits.global_slots + self.limits.global_queue
        excess = sum(map(_count_slots, self)) + _count_slots(tx) - room
        if tx.blobs or excess <= 0:
            return None

        def worth(other: PoolTx) -> tuple[int, int, int]:
            return other.get_effective_tip(head.base_fee_wei), other.fee_cap_wei, other.tip_cap_wei

        cheapest = sorted((other for other in self if not other.blobs), key=worth)
        if not cheapest or worth(cheapest[0]) >= worth(tx):
            return refuse("transaction underpriced")
        dropped: list[PoolTx] = []
        while excess > 0 and cheapest:
            dropped.append(cheapest.pop(0))
            excess -= _count_slots(dropped[-1])
        if self._is_gapped(tx, account) and any(other in self.get_pending(other.sender) for other in dropped):
            return refuse("future transaction tries to replace pending")
        self._drop_all(dropped)
        return None

    def _is_gapped(self, tx: PoolTx, account: Account) -> bool:
        own = self._txs.get(tx.sender, {})
        return any(nonce not in own for nonce in range(account.nonce, tx.nonce))

    def _insert(self, tx: PoolTx, now: float) -> Refusal | None:
        own = self._txs.get(tx.sender, {})
        if old := own.get(tx.nonce):
            if not may_replace(tx, old, self.limits):
                return refuse("replacement transaction underpriced")
            del self._hashes[old.tx_hash]
        self._txs.setdefault(tx.sender, {})[tx.nonce] = tx
        self._hashes[tx.tx_hash] = tx
        if tx in self.get_pending(tx.sender):
            self._beats[tx.sender] = now
        self._beats.setdefault(tx.sender, now)
        return None

    def _truncate(self) -> None:
        """Keep the limits: of one account's queue, of all that is pending, of all that is queued."""
        for sender in self.senders:
            self._drop_all(self.get_queued(sender)[self.limits.account_queue :])
        pending = {sender: self.get_pending(sender) for sender in self.senders}
        while sum(map(len, pending.values())) > self.limits.global_slots:
            largest = max(pending.values(), key=len)
            if len(largest) <= self.limits.account_slots:
                break
            self.drop(largest.pop().tx_hash)
        queued = [
            tx
            for sender in sorted(self.senders, key=lambda sender: -self._beats[sender])
            for tx in self.get_queued(sender)
        ]
        self._drop_all(queued[self.limits.global_queue :])

    def _drop_all(self, txs: Iterable[PoolTx]) -> None:
        for tx in tuple(txs):
            self.drop(tx.tx_hash)


def _count_slots(tx: PoolTx) -> int:
    return -(-len(tx.raw) // _SLOT_BYTES)
