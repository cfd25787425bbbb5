"""What orders of one account leave one another of an allowance: executed in the order of their nonces, no
swap lacks what it was granted, and nothing is left after the last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.builders import (
    CHAIN_ID,
    KEEPER,
    OWNER,
    SETTLE,
    USDC,
    WETH,
    make_approved,
    make_intent,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    sign_intent,
    sign_plan,
)
from onchain_exec.core import Address, Order
from onchain_exec.execution import DurableTx, Mined
from onchain_exec.execution.plan import Fees, Purpose
from onchain_exec.execution.signers import Signature, UnsignedTx
from onchain_exec.oms import Journal
from onchain_exec.oms.book.views import AllowanceKey
from onchain_exec.testing.simulated import Fate, MemoryJournal
from onchain_exec.venues.erc20 import APPROVE

KEY = AllowanceKey(CHAIN_ID, OWNER, WETH.address, KEEPER)


def sell(number: int) -> Order:
    """Return an order for an amount by which sums tell who is in them."""
    return make_order(number, amount=3**number, account=OWNER)


@dataclass
class Account:
    """Orders of one account in one journal; ``calls`` are what its nonces approve, or pull if negative."""

    journal: Journal = field(default_factory=lambda: MemoryJournal(Fate(0), lambda: 0).open())
    calls: dict[int, int] = field(default_factory=dict)
    durable: DurableTx = field(init=False)

    def accept(self, number: int) -> None:
        self.journal.append_order(sell(number), make_quote(sell(number)))

    def lease(self, number: int, purpose: Purpose) -> int:
        return self.journal.reserve_nonce(CHAIN_ID, OWNER, f"order-{number}", purpose, 0)

    def approve(self, number: int, nonce: int, spender: Address = KEEPER) -> int:
        """Sign an approval of what the order needs and of what others wait for; return these."""
        waiting = self.journal.read_waiting(KEY._replace(spender=spender), f"order-{number}", nonce)
        self.calls[nonce] = 3**number + waiting
        data = APPROVE.encode(spender, self.calls[nonce])
        tx = UnsignedTx(CHAIN_ID, nonce, Fees(2, 1), 60_000, WETH.address, 0, data)
        self._write(number, nonce, Purpose.ALLOWANCE, tx.encode(Signature(1, 1, 0)))
        return waiting

    def swap(self, number: int, nonce: int) -> None:
        self.calls[nonce] = -(3**number)
        self._write(number, nonce, Purpose.SWAP, None)

    def _write(self, number: int, nonce: int, purpose: Purpose, raw: bytes | None) -> None:
        plan = make_plan(make_approved(sell(number)), purpose, OWNER)
        self.durable = self.journal.write_signed(plan.order_id, sign_plan(plan, nonce, raw))


@given(st.data())
def test_sum_waiting_leaves_every_order_its_own_whatever_comes_between_their_steps(
    data: st.DataObject,
) -> None:
    account, leases = Account(), dict.fromkeys(range(4), -1)
    todo = {number: ["lease", "approve", "lease", "swap"] for number in leases}
    for number in todo:
        account.accept(number)
    while todo:
        number = data.draw(st.sampled_from(sorted(todo)))
        step = todo[number].pop(0)
        if step == "lease":
            purpose = Purpose.SWAP if leases[number] >= 0 else Purpose.ALLOWANCE
            leases[number] = account.lease(number, purpose)
        elif step == "approve":
            account.approve(number, leases[number])
        else:
            account.swap(number, leases[number])
        if not todo[number]:
            del todo[number]
    allowance = 0
    for nonce in sorted(account.calls):
        call = account.calls[nonce]
        allowance = call if call > 0 else allowance + call
        assert allowance >= 0, f"nonce {nonce} pulls what others were granted"
    assert allowance == 0


def test_sum_waiting_of_an_order_counts_from_its_lease_to_its_end_and_for_its_spender_alone() -> None:
    account = Account()
    account.accept(1)
    read = account.journal.read_waiting
    elsewhere, others = KEY._replace(spender=SETTLE), KEY._replace(token=USDC.address)
    assert read(KEY, "") == 0
    nonce = account.lease(1, Purpose.ALLOWANCE)
    assert (read(KEY, ""), read(elsewhere, ""), read(others, "")) == (3, 3, 0)  # whom it lets is not known
    assert read(KEY._replace(chain_id=CHAIN_ID + 1), "") == 0
    account.approve(1, nonce)
    assert (read(KEY, ""), read(elsewhere, ""), read(KEY, "order-1")) == (3, 0, 0)
    account.swap(1, account.lease(1, Purpose.SWAP))
    assert (read(KEY, ""), read(KEY, "", nonce), read(KEY, "", 1), read(KEY, "", 2)) == (3, 0, 3, 0)
    receipt = make_receipt(account.durable.tx_hash, sell(1))
    account.journal.append_outcome(account.durable, Mined(receipt, 1))
    assert read(KEY, "") == 0


def test_reserve_nonce_of_an_orders_next_transaction_is_none_that_it_holds_for_another() -> None:
    """An allowance may take two approvals, through zero: the second does not replace the first."""
    account = Account()
    account.accept(1)
    first = account.lease(1, Purpose.ALLOWANCE)
    account.approve(1, first)
    assert [account.lease(1, purpose) for purpose in (Purpose.ALLOWANCE, Purpose.SWAP)] == [
        first + 1,
        first + 2,
    ]


@pytest.mark.parametrize("spender", [SETTLE, KEEPER])
def test_sum_waiting_of_an_intent_is_what_it_may_take_through_its_contract(spender: Address) -> None:
    account = Account()
    account.accept(1)
    account.approve(1, account.lease(1, Purpose.ALLOWANCE), SETTLE)
    terms = make_intent(sell(1), amount_in=2)
    account.journal.intents.append_signed(make_quote(sell(1)), terms, sign_intent(sell(1), terms))
    assert account.journal.read_waiting(KEY._replace(spender=spender), "", 1) == (
        2 if spender == SETTLE else 0
    )
