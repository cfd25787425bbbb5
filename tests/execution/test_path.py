"""The whole path on the real contracts: approved, simulated, signed, sent, confirmed, as quoted."""

from __future__ import annotations

import pytest
from market import approve, mine, plan

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import Exact
from onchain_exec.errors import RevertError
from onchain_exec.execution import rebase, simulate
from onchain_exec.venues.erc20 import get_balance_changes


@pytest.mark.parametrize(("exact", "amount"), [(Exact.IN, 2 * 10**18), (Exact.OUT, 5_000 * 10**6)])
async def test_path_of_an_order_fills_what_was_quoted(
    sandbox: Sandbox, sandbox_node: Node, exact: Exact, amount: int
) -> None:
    approved = await approve(sandbox_node, sandbox, exact=exact, amount=amount)
    quote = approved.quote
    simulated = await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    for step in simulated.depends_on:
        await mine(sandbox_node, sandbox, step)
    renewed = await simulate(sandbox_node, rebase(simulated.plan, await sandbox_node.get_block(), mined=True))
    assert renewed.depends_on == ()
    assert (renewed.amount_in, renewed.amount_out) == (simulated.amount_in, simulated.amount_out)
    outcome = await mine(sandbox_node, sandbox, renewed)
    assert get_balance_changes(outcome.receipt.logs, sandbox.trader.address) == {
        quote.order.token_in.address: -quote.amount_in,
        quote.order.token_out.address: quote.amount_out,
    }
    assert outcome.receipt.gas_used == renewed.gas_used <= renewed.gas_limit


async def test_path_of_a_swap_renewed_after_the_market_moved_is_refused(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    approved = await approve(sandbox_node, sandbox)
    simulated = await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    for step in simulated.depends_on:
        await mine(sandbox_node, sandbox, step)
    other = await approve(sandbox_node, sandbox, amount=100 * 10**18, max_slippage_bps=100)
    moved = await simulate(sandbox_node, await plan(sandbox_node, sandbox, other))
    for step in (*moved.depends_on, moved):
        await mine(sandbox_node, sandbox, step)
    with pytest.raises(RevertError):
        await simulate(sandbox_node, rebase(simulated.plan, await sandbox_node.get_block(), mined=True))
