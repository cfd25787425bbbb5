"""What the book does with orders while its node is gone."""

from __future__ import annotations

import asyncio

import pytest
from app.signed_book.settle_chain import SettleChain

from onchain_exec.app.signed_book import Intake
from onchain_exec.errors import NodeError, OrderRefusedError
from onchain_exec.oms.signed_book import SignedBook


async def test_submit_another_keys_signature_asks_no_node(
    settle_chain: SettleChain, intake: Intake, book: SignedBook
) -> None:
    order = settle_chain.order()
    settle_chain.chain.close()
    with pytest.raises(OrderRefusedError) as refused:
        await intake.submit(order, settle_chain.sign(order, settle_chain.makers[1]))
    assert refused.value.reason == "not_signed"


async def test_submit_node_that_fails_is_told_and_nothing_kept(
    settle_chain: SettleChain, intake: Intake, book: SignedBook
) -> None:
    order = settle_chain.order()
    signed = settle_chain.sign(order)
    settle_chain.chain.close()
    answers = await asyncio.gather(*(intake.submit(order, signed) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, NodeError) for answer in answers)
    assert book.read_snapshot(0) == (0, ())
