"""What the book takes in, and what it refuses with which reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from app.signed_book.settle_chain import USDC, WETH, SettleChain

from onchain_exec.app.signed_book import Intake
from onchain_exec.clearing.settle import Flags, Scheme, SettleOrder, Signed
from onchain_exec.clearing.settle.batch import encode_presign
from onchain_exec.core.abi import Function
from onchain_exec.errors import OrderRefusedError, UnknownOrderError
from onchain_exec.oms.signed_book import RestState, SignedBook

APPROVE = Function("approve(address,uint256)", "(bool)")
CONSENTS = bytes.fromhex("631626ba7e60e01b60005260206000f3")
"""A wallet's code that stands for anything."""


@pytest.fixture
def settle_chain(shared_chain: SettleChain) -> SettleChain:
    return shared_chain


async def test_submit_order_rests_and_again_is_the_same(
    settle_chain: SettleChain, intake: Intake, book: SignedBook
) -> None:
    order = settle_chain.order()
    signed = settle_chain.sign(order)
    booked, is_new = await intake.submit(order, signed)
    assert is_new
    assert await intake.submit(order, signed) == (booked, False)
    assert book.list_open(settle_chain.now) == (settle_chain.resting(order),)


async def test_submit_many_at_once_each_is_judged_by_itself(
    settle_chain: SettleChain, intake: Intake, book: SignedBook
) -> None:
    orders = [settle_chain.order(seq=seq, maker=seq % 3) for seq in range(1, 21)]
    orders[7] = settle_chain.order(seq=8, amount_in=10**30)
    signed = [settle_chain.sign(order) for order in orders]
    answers = await asyncio.gather(*map(intake.submit, orders, signed), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, OrderRefusedError)]
    assert [error.reason for error in refused] == ["balance_short"]
    assert len(book.list_open(settle_chain.now)) == 19


def unlisted(chain: SettleChain) -> SettleOrder:
    return chain.order(token_in=chain.contract)


def passed(chain: SettleChain) -> SettleOrder:
    order = chain.order(seq=3)
    chain.cancel(order)
    return order


def used_up(chain: SettleChain) -> SettleOrder:
    order = chain.order()
    chain.take(order, order.amount_in)
    return order


def touched_whole(chain: SettleChain) -> SettleOrder:
    """A fill-or-kill order on a seq of which another order was filled in part."""
    order = chain.order()
    chain.take(order, 1)
    return replace(order, flags=Flags.FILL_OR_KILL)


def not_allowed(chain: SettleChain) -> SettleOrder:
    order = chain.order(maker=3)
    chain.evm.call(order.owner, chain.weth.address, APPROVE.encode(chain.contract, WETH - 1))
    return order


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (unlisted, "token_not_listed"),
        (lambda chain: chain.order(deadline_at=chain.now - 1), "expired"),
        (lambda chain: chain.order(deadline_at=2**32 - 1), "expires_late"),
        (lambda chain: chain.order(receiver=chain.contract), "bad_receiver"),
        (lambda chain: chain.order(receiver=chain.usdc.address), "bad_receiver"),
        (lambda chain: chain.order(amount_in=100 * WETH + 1), "balance_short"),
        (not_allowed, "allowance_short"),
        (passed, "lane_passed"),
        (used_up, "used_up"),
        (touched_whole, "used_up"),
    ],
)
async def test_submit_order_that_cannot_be_settled_is_refused_with_its_reason(
    settle_chain: SettleChain,
    intake: Intake,
    book: SignedBook,
    make: Callable[[SettleChain], SettleOrder],
    reason: str,
) -> None:
    order = make(settle_chain)
    with pytest.raises(OrderRefusedError) as refused:
        await intake.submit(order, settle_chain.sign(order))
    assert refused.value.reason == reason
    assert refused.value.found
    assert refused.value.needed
    assert book.read_snapshot(0) == (0, ())


async def test_submit_order_partly_filled_elsewhere_needs_money_for_the_rest(
    settle_chain: SettleChain, intake: Intake
) -> None:
    order = settle_chain.order(maker=4, amount_in=100 * WETH, amount_out=200_000 * USDC)
    settle_chain.take(order, 40 * WETH)
    booked, _ = await intake.submit(order, settle_chain.sign(order))
    assert (booked.filled, booked.get_state(settle_chain.now)) == (40 * WETH, RestState.PARTLY_FILLED)


async def test_submit_wallet_with_code_or_presigned(settle_chain: SettleChain, intake: Intake) -> None:
    presigned = settle_chain.order(maker=1)
    with pytest.raises(OrderRefusedError) as refused:
        await intake.submit(presigned, Signed(Scheme.PRESIGN))
    assert refused.value.reason == "not_signed"
    calldata = encode_presign(presigned.lane, settle_chain.domain.get_digest(presigned))
    settle_chain.evm.call(presigned.owner, settle_chain.contract, calldata)
    await intake.submit(presigned, Signed(Scheme.PRESIGN))
    order = settle_chain.order(maker=2)
    with pytest.raises(OrderRefusedError) as refused:
        await intake.submit(order, Signed(Scheme.ERC1271, b"word"))
    assert refused.value.reason == "not_signed"
    settle_chain.chain.set_code(order.owner, CONSENTS)
    await intake.submit(order, Signed(Scheme.ERC1271, b"word"))


async def test_withdraw_only_by_the_owners_word(settle_chain: SettleChain, intake: Intake) -> None:
    order = settle_chain.order()
    booked, _ = await intake.submit(order, settle_chain.sign(order))
    digest, owner, other = booked.signed_order.digest, *settle_chain.makers[:2]
    another = settle_chain.domain.get_digest(settle_chain.order(seq=9))
    for wrong in (
        settle_chain.sign_withdrawal(digest, other),
        settle_chain.sign_withdrawal(another, owner),
        settle_chain.sign(order),
        Signed(Scheme.PRESIGN),
        Signed(Scheme.ERC1271, b""),
    ):
        with pytest.raises(OrderRefusedError) as refused:
            await intake.withdraw(digest, wrong)
        assert refused.value.reason == "not_signed"
    withdrawn = await intake.withdraw(digest, settle_chain.sign_withdrawal(digest, owner))
    assert withdrawn.get_state(settle_chain.now) is RestState.CANCELLED
    with pytest.raises(UnknownOrderError):
        await intake.withdraw(another, settle_chain.sign_withdrawal(another, owner))


async def test_withdraw_wallet_with_code_is_asked(settle_chain: SettleChain, intake: Intake) -> None:
    order = settle_chain.order(maker=5)
    booked, _ = await intake.submit(order, settle_chain.sign(order))
    settle_chain.chain.set_code(order.owner, CONSENTS)
    withdrawn = await intake.withdraw(booked.signed_order.digest, Signed(Scheme.ERC1271, b"word"))
    assert withdrawn.withdrawn
