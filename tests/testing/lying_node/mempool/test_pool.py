"""The pool's limits, its two parts, and who has to leave. Numbers of EXECUTION 2.3 f and h."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lying_node.mempool.transactions import ETHER, GWEI, HEAD, RICH, address, make_tx
from onchain_exec.testing.lying_node import Limits
from onchain_exec.testing.lying_node.mempool.builder import select
from onchain_exec.testing.lying_node.mempool.pool import Pool
from onchain_exec.testing.lying_node.mempool.rules import Account

A, B = address(1), address(2)


def words(pool: Pool, tx: object, account: Account = RICH, now: float = 0) -> str:
    refusal = pool.add(tx, account, HEAD, now)  # type: ignore[arg-type]
    return "" if refusal is None else refusal.message


def fill(pool: Pool, nonces: range, sender: int = 1, **fields: int) -> None:
    for nonce in nonces:
        assert words(pool, make_tx(nonce, sender, **fields)) == ""


def test_add_of_200_contiguous_keeps_all() -> None:
    """AccountSlots is no bound on one account while the pool has room."""
    pool = Pool(Limits())
    fill(pool, range(200))
    assert len(pool.get_pending(A)) == 200


def test_add_of_300_gapped_keeps_the_64_lowest() -> None:
    pool = Pool(Limits())
    fill(pool, range(1, 301))
    assert pool.get_pending(A) == []
    assert [tx.nonce for tx in pool.get_queued(A)] == list(range(1, 65))


def test_add_of_the_missing_nonce_makes_the_rest_executable() -> None:
    pool = Pool(Limits())
    fill(pool, range(1, 40))
    fill(pool, range(1))
    assert (len(pool.get_pending(A)), len(pool.get_queued(A)), pool.get_next_nonce(A)) == (40, 0, 40)


def test_add_over_the_global_slots_takes_from_the_largest_down_to_16() -> None:
    pool = Pool(Limits(global_slots=40, global_queue=1_000))
    fill(pool, range(60), sender=1)
    fill(pool, range(16), sender=2)
    assert (len(pool.get_pending(A)), len(pool.get_pending(B))) == (24, 16)
    for sender in range(3, 8):
        fill(pool, range(16), sender=sender)
    assert [len(pool.get_pending(address(sender))) for sender in range(1, 8)] == [16] * 7


def test_add_over_the_global_queue_drops_the_account_that_moved_longest_ago() -> None:
    pool = Pool(Limits(global_queue=100))
    for sender in range(1, 5):
        for nonce in range(1, 31):
            assert words(pool, make_tx(nonce, sender), now=sender) == ""
    assert [len(pool.get_queued(address(sender))) for sender in range(1, 5)] == [10, 30, 30, 30]


def test_add_to_a_full_pool_needs_a_better_price_and_drops_the_cheapest() -> None:
    pool = Pool(Limits(global_slots=3, global_queue=2))
    for sender in range(1, 6):
        fill(pool, range(1), sender=sender, tip_cap_wei=sender * GWEI)
    assert words(pool, make_tx(0, 9, tip_cap_wei=GWEI)) == "transaction underpriced"
    better = make_tx(5, 9, tip_cap_wei=9 * GWEI)
    assert words(pool, better) == "future transaction tries to replace pending"
    assert words(pool, make_tx(0, 9, tip_cap_wei=9 * GWEI)) == ""
    assert pool.get_pending(A) == []


def test_add_that_is_refused_after_room_was_made_keeps_the_limits() -> None:
    pool = Pool(Limits(global_slots=3, global_queue=1))
    fill(pool, range(1), tip_cap_wei=GWEI)
    for nonce, sender in ((1, 1), (0, 2), (1, 3)):
        fill(pool, range(nonce, nonce + 1), sender=sender, tip_cap_wei=9 * GWEI)
    better = make_tx(0, 2, tip_cap_wei=9 * GWEI + 1)
    assert words(pool, better) == "replacement transaction underpriced"
    assert sum(len(pool.get_queued(sender)) for sender in pool.senders) == 1


def test_evict_forgets_what_was_queued_for_three_hours() -> None:
    pool = Pool(Limits())
    assert words(pool, make_tx(5), now=100) == ""
    fill(pool, range(1), sender=2)
    pool.evict(100 + 3 * 3_600)
    assert len(pool) == 2
    pool.evict(101 + 3 * 3_600)
    assert [tx.sender for tx in pool] == [B], "what is executable stays"


def test_add_of_a_delegated_sender_takes_one_in_flight() -> None:
    pool, delegated = Pool(Limits()), Account(0, ETHER, delegated=True)
    assert words(pool, make_tx(1), delegated) == "gapped-nonce tx from delegated accounts"
    assert words(pool, make_tx(0), delegated) == ""
    limit = "in-flight transaction limit reached for delegated accounts"
    assert words(pool, make_tx(1), delegated) == limit
    assert words(pool, make_tx(0, tip_cap_wei=2 * GWEI, fee_cap_wei=40 * GWEI), delegated) == ""


def test_add_of_an_authority_with_a_pending_delegation_takes_one_in_flight() -> None:
    pool = Pool(Limits())
    assert words(pool, make_tx(0, sender=2, kind=4, authorities=(A,))) == ""
    assert words(pool, make_tx(0)) == ""
    assert "in-flight" in words(pool, make_tx(1))


def test_add_of_an_authorisation_by_an_account_with_several_in_flight_is_refused() -> None:
    pool = Pool(Limits())
    fill(pool, range(2))
    assert words(pool, make_tx(0, sender=2, kind=4, authorities=(A,))) == "authority already reserved"


def test_add_of_blobs_keeps_to_the_blob_pool() -> None:
    """Catalogue 12: an account has transactions in one of the pools only; blobs allow no gap."""
    pool = Pool(Limits())
    blob = {"kind": 3, "blobs": 1, "blob_fee_cap_wei": GWEI}
    assert words(pool, make_tx(1, **blob)) == "nonce too high: tx nonce 1, gapped nonce 0"
    fill(pool, range(16), **blob)
    assert words(pool, make_tx(16, **blob)) == "account limit exceeded: pooled 16 txs"
    assert words(pool, make_tx(0)) == "address already reserved"
    fill(pool, range(1), sender=2)
    assert words(pool, make_tx(1, sender=2, **blob)) == "address already reserved"


def test_reset_drops_what_is_mined_or_unpaid_and_queues_what_follows() -> None:
    pool = Pool(Limits())
    fill(pool, range(5))
    fill(pool, range(1), sender=2)
    dear = make_tx(1, value_wei=ETHER)
    pool.drop(pool.get_pending(A)[1].tx_hash)
    assert words(pool, dear) == ""
    pool.reset({A: Account(1, ETHER), B: Account(1, ETHER)}, HEAD)
    assert pool.get_pending(A) == []
    assert [tx.nonce for tx in pool.get_queued(A)] == [2, 3, 4]
    assert pool.senders == (A,)
    pool.reset({A: Account(2, ETHER)}, HEAD)
    assert [tx.nonce for tx in pool.get_pending(A)] == [2, 3, 4]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 40)), max_size=30), st.integers(0, 30))
def test_select_takes_the_best_tips_in_each_accounts_order(
    tips: list[tuple[int, int]], base_gwei: int
) -> None:
    pool, nonces = Pool(Limits()), dict.fromkeys(range(1, 5), 0)
    for sender, tip in tips:
        fill(pool, range(nonces[sender], nonces[sender] + 1), sender=sender, tip_cap_wei=tip * GWEI // 4)
        nonces[sender] += 1
    chosen = select(pool, base_gwei * GWEI, 10 * 21_000)
    waiting = {sender: pool.get_pending(sender) for sender in pool.senders}
    for tx in chosen:
        best = max(run[0].get_effective_tip(base_gwei * GWEI) for run in waiting.values() if run)
        assert tx is waiting[tx.sender].pop(0)
        assert tx.get_effective_tip(base_gwei * GWEI) == best >= 0
    left = [run[0] for run in waiting.values() if run]
    assert len(chosen) == 10 or all(tx.get_effective_tip(base_gwei * GWEI) < 0 for tx in left)


class PoolMachine(RuleBasedStateMachine):
    """Any history leaves the pool consistent and within its limits."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits(account_queue=3, global_slots=6, global_queue=5, account_slots=2)
        self.pool = Pool(self.limits)
        self.nonces = dict.fromkeys(range(1, 5), 0)
        self.now = 0.0

    @rule(sender=st.integers(1, 4), nonce=st.integers(0, 9), tip=st.integers(1, 9))
    def add(self, sender: int, nonce: int, tip: int) -> None:
        self.now += 1
        before = {tx.tx_hash for tx in self.pool}
        tx = make_tx(nonce, sender, tip_cap_wei=tip * GWEI, fee_cap_wei=(20 + tip) * GWEI)
        refusal = self.pool.add(tx, Account(self.nonces[sender], ETHER), HEAD, self.now)
        if refusal is not None and "future" not in refusal.message:
            assert {tx.tx_hash for tx in self.pool} <= before
        if nonce < self.nonces[sender]:
            assert refusal is not None

    @rule(sender=st.integers(1, 4))
    def mine(self, sender: int) -> None:
        self.nonces[sender] += len(self.pool.get_pending(address(sender)))
        self.pool.reset({address(s): Account(n, ETHER) for s, n in self.nonces.items()}, HEAD)
        assert self.pool.get_pending(address(sender)) == []

    @rule(sender=st.integers(1, 4), depth=st.integers(1, 3))
    def orphan(self, sender: int, depth: int) -> None:
        self.nonces[sender] = max(0, self.nonces[sender] - depth)
        self.pool.reset({address(s): Account(n, ETHER) for s, n in self.nonces.items()}, HEAD)

    @invariant()
    def is_consistent(self) -> None:
        pool, listed = self.pool, []
        for sender in pool.senders:
            pending, queued = pool.get_pending(sender), pool.get_queued(sender)
            first = self.nonces[int(sender[2:], 16)]
            assert [tx.nonce for tx in pending] == list(range(first, first + len(pending)))
            assert all(tx.nonce > first + len(pending) for tx in queued)
            assert len(queued) <= self.limits.account_queue
            listed += pending + queued
        assert {tx.tx_hash for tx in listed} == {tx.tx_hash for tx in pool}
        assert len(listed) == len(pool)

    @invariant()
    def is_within_its_limits(self) -> None:
        runs = [len(self.pool.get_pending(sender)) for sender in self.pool.senders]
        queued = len(self.pool) - sum(runs)
        assert queued <= self.limits.global_queue
        assert sum(runs) <= self.limits.global_slots or max(runs) <= self.limits.account_slots


TestPoolMachine = PoolMachine.TestCase


@pytest.mark.parametrize("now", [0, 10**9])
def test_add_of_a_known_hash_is_already_known(now: float) -> None:
    pool, tx = Pool(Limits()), make_tx()
    assert words(pool, tx, now=now) == ""
    assert words(pool, tx, now=now) == "already known"
