"""Balances between two blocks against the journal, on real contracts: to the wei."""

from __future__ import annotations

from pathlib import Path

import pytest
from few_venues import with_few_venues

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import BlockRef
from onchain_exec.core.abi import Function
from onchain_exec.oms import Break, BreakCode

TRANSFER = Function("transfer(address,uint256)", "(bool)")


@pytest.fixture
def trading(fork: Sandbox, tmp_path: Path):
    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    with Desk.connect(
        fork.url,
        signer=signer,
        journal=tmp_path / "journal.sqlite",
        profile=with_few_venues(fork.profile),
    ) as desk:
        yield desk


def traded(trading: Desk) -> BlockRef:
    """Let the account trade, and return the block up to which all is explained."""
    trading.sell("WETH", "2", buy="USDC")
    return trading.reconcile().block


def list_codes(breaks: tuple[Break, ...]) -> list[BreakCode]:
    return [found.code for found in breaks]


def test_reconcile_since_a_block_explains_every_swap_approval_and_gas(trading: Desk) -> None:
    before = traded(trading)
    trading.sell("WETH", "3", buy="USDC")
    trading.sell("USDC", "1000", buy="WETH")
    found = trading.reconcile(since=before)
    assert found.block.number > before.number
    assert found.breaks == ()


def test_reconcile_since_a_block_sees_a_gift_of_one_wei(trading: Desk, fork: Sandbox) -> None:
    before = traded(trading)
    gift = {"from": fork.chain.accounts[9].address, "to": fork.trader.address, "value": "0x1"}
    fork.chain.request("eth_sendTransaction", gift)
    fork.chain.settle()
    (found,) = trading.reconcile(since=before).breaks
    assert found.code is BreakCode.BALANCE_DIFFERS
    assert "moved 1 of wei" in found.found


def test_reconcile_since_a_block_sees_tokens_that_a_stranger_moved(trading: Desk, fork: Sandbox) -> None:
    before = traded(trading)
    usdc = fork.profile.tokens["USDC"]
    fork.chain.request("anvil_impersonateAccount", fork.trader.address)
    call = {"from": fork.trader.address, "to": usdc.address}
    stolen = "0x" + TRANSFER.encode(fork.chain.accounts[9].address, 7).hex()
    fork.chain.request("eth_sendTransaction", call | {"data": stolen, "gas": hex(200_000)})
    fork.chain.settle()
    breaks = trading.reconcile(since=before).breaks
    assert set(list_codes(breaks)) == {BreakCode.FOREIGN_NONCE, BreakCode.BALANCE_DIFFERS}
    assert any(f"moved -7 of {usdc.address}" in found.found for found in breaks)
