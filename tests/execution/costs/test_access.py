"""Access lists on the real routers: as the node charges them, and never dearer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from market import approve, mine, plan

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.chain import Access, Node
from onchain_exec.core import Address
from onchain_exec.core.abi import Function
from onchain_exec.execution import GasRules, L1Fee, SimulatedTx, simulate
from onchain_exec.execution.costs.access import list_accesses, list_worthwhile

APPROVE = Function("approve(address,uint256)")
WARM, COLD = Address("0x" + "11" * 20), Address("0x" + "22" * 20)


async def simulate_swap(node: Node, sandbox: Sandbox, sell: str, buy: str, amount: int) -> SimulatedTx:
    """Return the simulation of a swap whose router may pull enough already."""
    tokens = sandbox.deployment.tokens
    terms = {"token_in": tokens[sell], "token_out": tokens[buy], "amount": amount}
    spender = (await approve(node, sandbox, **terms)).account.spender
    data = APPROVE.encode(spender, amount)
    ChainEvm(sandbox.chain).call(sandbox.trader.address, tokens[sell].address, data)
    return await simulate(node, await plan(node, sandbox, await approve(node, sandbox, **terms)))


@pytest.mark.parametrize(
    ("sell", "buy", "amount"),
    [("WETH", "USDC", 10**18), ("WETH", "USDC", 40 * 10**18), ("DAI", "WETH", 10**22)],
)
async def test_list_accesses_of_a_swap_takes_the_gas_that_it_says_and_never_more(
    sandbox: Sandbox, sandbox_node: Node, sell: str, buy: str, amount: int
) -> None:
    bare = await simulate_swap(sandbox_node, sandbox, sell, buy, amount)
    listed = await list_accesses(sandbox_node, bare, GasRules())
    assert listed.gas_used < bare.gas_used if listed.plan.accesses else listed is bare
    assert replace(listed.plan, accesses=()) == bare.plan
    mined = await mine(sandbox_node, sandbox, listed)
    assert mined.receipt.gas_used == listed.gas_used


async def test_list_accesses_where_a_list_does_not_pay_returns_the_transaction_itself(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    with_approval = await simulate(
        sandbox_node, await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    )
    assert await list_accesses(sandbox_node, with_approval, GasRules()) is with_approval
    bare = await simulate_swap(sandbox_node, sandbox, "WETH", "USDC", 10**18)
    rollup = GasRules(l1_fee=L1Fee.OP_STACK)
    assert await list_accesses(sandbox_node, bare, rollup) is bare
    legacy = replace(bare, plan=replace(bare.plan, fees=replace(bare.plan.fees, legacy=True)))
    assert await list_accesses(sandbox_node, legacy, GasRules()) is legacy


def test_list_worthwhile_leaves_out_what_is_warm_unless_its_slots_outweigh_it() -> None:
    cold, few = Access(COLD), Access(WARM, tuple(range(24)))
    many = Access(WARM, tuple(range(25)))
    assert list(list_worthwhile([cold, few, many], [WARM])) == [cold, many]
