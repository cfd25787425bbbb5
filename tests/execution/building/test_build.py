"""Plans in full, and cancellations that every node takes: catalogue entries 8, 9, 32."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import KEY, sign_transfer

from onchain_exec.chain import LocalChain, Node
from onchain_exec.core import BlockRef
from onchain_exec.errors import GasError, InputError
from onchain_exec.execution import (
    Accepted,
    DurableTx,
    Fees,
    LocalSigner,
    Mined,
    Purpose,
    Superseded,
    build_cancel,
    confirm,
    rebase,
    send,
    sign,
    simulate,
)

BLOCK = BlockRef(1337, 7, "0x" + "07" * 32, 1_700_000_000, 10**9, 30_000_000)


@given(st.integers(10**6, 10**12), st.integers(10**6, 10**12))
def test_build_cancel_takes_the_slot_at_a_price_that_replaces(old_fee: int, old_tip: int) -> None:
    old_tip = min(old_tip, old_fee)
    stuck = sign_transfer(5, maxFeePerGas=old_fee, maxPriorityFeePerGas=old_tip)
    plan = build_cancel(stuck, BLOCK, Fees(10**9, 10**6))
    assert (plan.to, plan.value_wei, plan.data) == (stuck.sender, 0, b"")
    assert (plan.purpose, plan.order_id, plan.cause) == (Purpose.CANCEL, stuck.order_id, stuck)
    assert plan.fees.max_fee_wei >= max(old_fee * 110 // 100, 10**9)
    assert plan.fees.max_priority_fee_wei >= max(old_tip * 110 // 100, 10**6)


def test_build_cancel_beyond_the_budget_raises() -> None:
    with pytest.raises(GasError):
        build_cancel(sign_transfer(maxFeePerGas=100, maxPriorityFeePerGas=1), BLOCK, Fees(1, 1), 110)


def test_build_cancel_on_another_chain_raises() -> None:
    with pytest.raises(InputError, match="chain 1337"):
        build_cancel(sign_transfer(), replace(BLOCK, chain_id=1), Fees(1, 1))


@pytest.mark.parametrize("block", [replace(BLOCK, number=6), replace(BLOCK, chain_id=1)])
def test_rebase_to_a_block_that_does_not_follow_raises(block: BlockRef) -> None:
    with pytest.raises(InputError):
        rebase(build_cancel(sign_transfer(), BLOCK, Fees(1, 1)), block)


async def test_cancel_replaces_the_stuck_transaction_and_is_mined() -> None:
    with LocalChain.start() as chain:
        chain.request("evm_setAutomine", False)
        node = await Node.connect(chain.url)
        stuck = sign_transfer(0, chain.chain_id)
        assert isinstance(await send(node, stuck), Accepted)
        plan = build_cancel(stuck, await node.get_block(), Fees(10**9, 10**9))
        signed = await sign(await simulate(node, plan), stuck.nonce, LocalSigner(KEY))
        cancel = DurableTx(
            order_id=plan.order_id,
            purpose=plan.purpose,
            chain_id=chain.chain_id,
            sender=plan.sender,
            nonce=signed.nonce,
            raw=signed.raw,
            tx_hash=signed.tx_hash,
        )
        assert isinstance(await send(node, cancel), Accepted)
        chain.mine()
        assert isinstance(await confirm(node, cancel, 1, 0), Mined)
        assert await confirm(node, stuck, 1, 0) == Superseded(cancel.tx_hash, 0)
        await node.close()
