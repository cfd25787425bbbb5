"""What a swap needs to pull what it sells, and that it is never more: catalogue entries 73, 74."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import BLOCK, ROUTER, SOLD, TRADER, make_approved

from onchain_exec.core import Answer, Call, Snapshot, to_address
from onchain_exec.errors import InputError
from onchain_exec.execution import Draft, Fees, Grant, Missing, build_plan, fill, find_grant
from onchain_exec.execution.allowances.grant import TransferPermit
from onchain_exec.execution.building.prepare import Found
from onchain_exec.execution.signers import Signature
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.permit2 import PERMIT2, Permit
from onchain_exec.venues.router import RouterDeployment
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment
from onchain_exec.venues.universal_router import UniversalRouter

NEEDED = 10**6
FACTORY = to_address(b"\x0f" * 20)
SWAP_ROUTER = SwapRouter(ROUTER, UniswapV2Deployment(FACTORY), UniswapV3Deployment(FACTORY))
UNIVERSAL = UniversalRouter(SWAP_ROUTER, FACTORY)
OURS = RouterDeployment(ROUTER, FACTORY, FACTORY, FACTORY)
YES, NO = Answer(True, (1).to_bytes(32)), Answer(False, b"")


def run(
    approved: Approved, router: object = SWAP_ROUTER, *rounds: Sequence[Answer], may_sign: bool = False
) -> tuple[Grant, list[tuple[Call, ...]]]:
    """Perform the reading with the answers of each round; return the grant and what was asked."""
    reading, asked = find_grant(approved, router, may_sign=may_sign), []
    try:
        asked.append(next(reading))
        for answers in rounds:
            asked.append(reading.send(Snapshot(BLOCK, tuple(answers))))
    except StopIteration as done:
        return done.value, asked
    raise AssertionError("it asks more often")


def through_permit2(allowance: int) -> Approved:
    approved = make_approved(allowance)
    return replace(approved, account=replace(approved.account, spender=PERMIT2))


@given(st.integers(NEEDED, 2**256 - 1))
def test_find_grant_with_enough_asks_and_grants_nothing(allowance: int) -> None:
    grant, asked = run(make_approved(allowance), may_sign=True)
    assert (grant.approvals, grant.permit, asked) == ((), None, [])


@given(st.integers(0, 3 * NEEDED), st.integers(1, 2 * NEEDED))
def test_find_grant_takes_nothing_that_other_orders_wait_for(allowance: int, waiting: int) -> None:
    approved = make_approved(allowance)
    approved = replace(approved, account=replace(approved.account, waiting=waiting))
    asks = 0 < allowance < NEEDED + waiting
    grant, asked = run(approved, SWAP_ROUTER, *([(YES,)] if asks else []))
    if allowance >= NEEDED + waiting:
        assert (grant.approvals, asked) == ((), [])
    else:
        assert grant.approvals == (NEEDED + waiting,)
        assert len(asked) == asks


def test_find_grant_with_none_approves_without_asking() -> None:
    grant, asked = run(make_approved(0))
    assert (grant.approvals, asked) == ((NEEDED,), [])


@pytest.mark.parametrize(
    ("answer", "approvals"),
    [
        (YES, (NEEDED,)),
        (Answer(True, b""), (NEEDED,)),  # USDT's approve returns nothing
        (Answer(True, bytes(32)), (0, NEEDED)),  # refuses by returning false
        (NO, (0, NEEDED)),
    ],
)
@pytest.mark.parametrize("allowance", [1, NEEDED - 1])
def test_find_grant_with_too_little_asks_the_token(
    allowance: int, answer: Answer, approvals: tuple[int, ...]
) -> None:
    grant, asked = run(make_approved(allowance), SWAP_ROUTER, [answer])
    assert grant.approvals == approvals
    assert asked == [(Call(SOLD.address, APPROVE.encode(ROUTER, NEEDED), sender=TRADER),)]


def test_find_grant_of_our_router_by_allowance_takes_no_permit_of_the_token() -> None:
    grant, asked = run(make_approved(0), OURS, may_sign=True)
    assert (grant.approvals, grant.permit, asked) == ((NEEDED,), None, [])


@pytest.mark.parametrize(("allowance", "approvals"), [(NEEDED, ()), (0, (NEEDED,))])
def test_find_grant_of_our_router_through_permit2_is_a_signed_transfer(
    allowance: int, approvals: tuple[int, ...]
) -> None:
    grant, _ = run(through_permit2(allowance), OURS)
    assert grant.approvals == approvals
    assert isinstance(grant.permit, TransferPermit)


@given(st.integers(0, 2 * NEEDED), st.integers(0, 2 * BLOCK.timestamp), st.integers(0, 2**48 - 1))
def test_find_grant_of_the_universal_router_permits_exactly_the_bound_until_the_deadline(
    standing: int, expires_at: int, nonce: int
) -> None:
    approved = through_permit2(NEEDED)
    words = b"".join(value.to_bytes(32) for value in (standing, expires_at, nonce))
    grant, _ = run(approved, UNIVERSAL, [Answer(True, words)])
    deadline = approved.quote.order.expires_at
    enough = standing >= NEEDED and expires_at >= deadline
    permit = Permit(SOLD.address, NEEDED, deadline, nonce, ROUTER, deadline)
    assert (grant.approvals, grant.permit) == ((), None if enough else permit)


def test_draft_is_missing_what_is_not_filled_in() -> None:
    draft = Draft(make_approved(0), OURS)
    assert draft.missing == {Missing.FEES, Missing.GRANT}
    with pytest.raises(InputError, match="a draft without fees, grant"):
        build_plan(draft)
    draft = fill(draft, Found(Fees(2, 1)))
    assert draft.missing == {Missing.GRANT}
    assert fill(draft, Found(grant=Grant("stands"))).missing == frozenset()
    by_permit = fill(draft, Found(grant=Grant("signed", (), TransferPermit(1))))
    assert by_permit.missing == {Missing.SIGNATURE}
    assert fill(by_permit, Found(signature=Signature(1, 1, 0))).missing == frozenset()


@given(st.sampled_from([None, Fees(2, 1)]), st.sampled_from([None, Grant("stands")]))
def test_fill_keeps_what_was_found_before(fees: Fees | None, grant: Grant | None) -> None:
    draft = Draft(make_approved(0), OURS, fees, grant)
    assert fill(draft, Found()) == draft


def test_build_plan_through_another_spender_than_was_checked_raises() -> None:
    draft = Draft(make_approved(0), UNIVERSAL, Fees(2, 1), Grant("stands"))
    with pytest.raises(InputError, match="another contract"):
        build_plan(draft)
