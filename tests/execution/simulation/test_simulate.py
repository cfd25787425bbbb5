"""A plan on the real contracts, tried and compared: catalogue entries 29, 46 (funds), 73 to 75, 79."""

from __future__ import annotations

from dataclasses import replace

import pytest
from market import approve, plan

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.chain import Node
from onchain_exec.core import Exact, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import EffectError, GasError, RevertError
from onchain_exec.execution import Fees, Purpose, rebase, simulate

REFUSE_CHANGE = Function("setRefusesAllowanceChange(bool)")
SET_FEE = Function("setTransferFeeBps(uint256)")
SET_PAUSED = Function("setPaused(bool)")
APPROVE = Function("approve(address,uint256)")


def tell(sandbox: Sandbox, symbol: str, data: bytes) -> None:
    ChainEvm(sandbox.chain).call(sandbox.trader.address, sandbox.deployment.tokens[symbol].address, data)


@pytest.mark.parametrize(("sell", "buy", "amount"), [("WETH", "USDC", 10**18), ("DAI", "WETH", 10**22)])
async def test_simulate_of_an_exact_input_equals_the_quote(
    sandbox: Sandbox, sandbox_node: Node, sell: str, buy: str, amount: int
) -> None:
    tokens = sandbox.deployment.tokens
    approved = await approve(
        sandbox_node, sandbox, token_in=tokens[sell], token_out=tokens[buy], amount=amount
    )
    simulated = await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    assert simulated.amount_in == amount
    assert simulated.amount_out == approved.quote.amount_out
    assert simulated.allowance_left == 0
    assert simulated.gas_used < simulated.gas_limit < 2 * simulated.gas_used
    assert [tx.plan.purpose for tx in simulated.depends_on] == [Purpose.ALLOWANCE]


async def test_simulate_of_an_exact_output_leaves_only_the_bounds_slack(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    approved = await approve(sandbox_node, sandbox, amount=10**9, exact=Exact.OUT)
    simulated = await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    assert simulated.amount_out == 10**9
    assert simulated.amount_in == approved.quote.amount_in
    assert simulated.allowance_left == approved.quote.amount_in_max - simulated.amount_in


async def test_simulate_to_another_recipient_measures_the_recipient(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    approved = await approve(sandbox_node, sandbox, recipient=to_address(b"\x77" * 20))
    simulated = await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    assert simulated.amount_out == approved.quote.amount_out


async def test_simulate_with_a_token_that_refuses_changes_passes_through_zero(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    usdc, weth = (sandbox.deployment.tokens[symbol] for symbol in ("USDC", "WETH"))
    approved = await approve(sandbox_node, sandbox, token_in=usdc, token_out=weth, amount=10**9)
    tell(sandbox, "USDC", APPROVE.encode(approved.account.spender, 5))
    approved = await approve(sandbox_node, sandbox, token_in=usdc, token_out=weth, amount=10**9)
    assert len((await plan(sandbox_node, sandbox, approved)).depends_on) == 1  # it may be changed
    tell(sandbox, "USDC", REFUSE_CHANGE.encode(True))
    approved = await approve(sandbox_node, sandbox, token_in=usdc, token_out=weth, amount=10**9)
    built = await plan(sandbox_node, sandbox, approved)
    simulated = await simulate(sandbox_node, built)
    assert len(built.depends_on) == 2
    assert simulated.allowance_left == 0
    for step in built.depends_on:  # each stands on those before it
        assert (await simulate(sandbox_node, step)).gas_limit > 21_000


async def test_simulate_of_an_approval_leaves_it_gas_where_others_use_up_the_allowance_before_it(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    spender = (await approve(sandbox_node, sandbox)).account.spender
    tell(sandbox, "WETH", APPROVE.encode(spender, 5))
    built = await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    (step,) = (await simulate(sandbox_node, built)).depends_on
    tell(sandbox, "WETH", APPROVE.encode(spender, 0))
    sent = {"from": step.plan.sender, "to": step.plan.to, "data": "0x" + step.plan.data.hex()}
    assert sandbox.chain.request("eth_call", sent | {"gas": hex(step.gas_limit)}, "latest")


async def test_simulate_with_enough_allowance_grants_none(sandbox: Sandbox, sandbox_node: Node) -> None:
    approved = await approve(sandbox_node, sandbox)
    tell(sandbox, "WETH", APPROVE.encode(approved.account.spender, 2**256 - 1))
    approved = await approve(sandbox_node, sandbox)
    simulated = await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    assert simulated.depends_on == ()
    assert simulated.allowance_left == 2**256 - 1


async def test_simulate_with_a_fee_on_the_bought_token_raises(sandbox: Sandbox, sandbox_node: Node) -> None:
    approved = await approve(sandbox_node, sandbox, amount=10**18)
    tell(sandbox, "USDC", SET_FEE.encode(100))
    built = await plan(sandbox_node, sandbox, approved)
    with pytest.raises(EffectError, match=r"receives .* USDC; needed: at least .* fee on transfer"):
        await simulate(sandbox_node, rebase(built, await sandbox_node.get_block()))


async def test_simulate_with_a_paused_token_raises_and_tells_why(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    tell(sandbox, "USDC", SET_PAUSED.encode(True))
    approved = await approve(sandbox_node, sandbox)
    with pytest.raises(RevertError) as caught:
        await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    assert caught.value.name == "Error"
    assert caught.value.todo


async def test_simulate_past_the_deadline_raises(sandbox: Sandbox, sandbox_node: Node) -> None:
    block = await sandbox_node.get_block()
    approved = await approve(sandbox_node, sandbox, expires_at=block.timestamp + 11)
    with pytest.raises(RevertError, match="Transaction too old") as caught:
        await simulate(sandbox_node, await plan(sandbox_node, sandbox, approved))
    assert "deadline" in caught.value.todo


async def test_simulate_with_calldata_that_pays_another_raises(sandbox: Sandbox, sandbox_node: Node) -> None:
    honest = await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    paid = await approve(sandbox_node, sandbox, recipient=to_address(b"\x77" * 20))
    stolen = replace(honest, data=(await plan(sandbox_node, sandbox, paid)).data)
    with pytest.raises(EffectError, match="receives 0 USDC"):
        await simulate(sandbox_node, stolen)


async def test_simulate_with_calldata_that_takes_more_raises(sandbox: Sandbox, sandbox_node: Node) -> None:
    large = await approve(sandbox_node, sandbox, amount=4 * 10**18)
    small = await approve(sandbox_node, sandbox, amount=2 * 10**18)
    built = await plan(sandbox_node, sandbox, large)
    with pytest.raises(EffectError, match="takes 4 WETH"):
        await simulate(sandbox_node, replace(built, cause=small))


async def test_simulate_of_an_allowance_for_another_amount_raises(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    built = await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    (grant,) = built.depends_on
    wide = replace(grant, data=APPROVE.encode(built.cause.account.spender, 2**256 - 1))
    with pytest.raises(EffectError, match=r"an allowance of \S+ WETH is left"):
        await simulate(sandbox_node, replace(built, depends_on=(wide,)))


async def test_simulate_without_the_funds_for_its_gas_raises(sandbox: Sandbox, sandbox_node: Node) -> None:
    approved = await approve(sandbox_node, sandbox)
    built = await plan(sandbox_node, sandbox, approved)
    dear = Fees(10**18, 1)
    steps = tuple(replace(step, fees=dear) for step in built.depends_on)
    with pytest.raises(GasError, match="holds"):
        await simulate(sandbox_node, replace(built, fees=dear, depends_on=steps))
