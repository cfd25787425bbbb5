"""Allowances by signature on the real routers, simulated and mined: catalogue entries 74 (lingering
allowances, swaps before their approval) and 78 (the nonces of Permit2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from market import approve, get_router, mine

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve as approve_all
from onchain_exec.chain import Node
from onchain_exec.core import Address, Exact, Token
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, PolicyError
from onchain_exec.execution import (
    Draft,
    LocalSigner,
    Missing,
    Purpose,
    Router,
    Sources,
    build_plan,
    complete,
    fill,
    prepare,
    simulate,
)
from onchain_exec.execution.allowances.permit import TokenPermit
from onchain_exec.execution.signers import Signature
from onchain_exec.venues.erc20 import ALLOWANCE, get_balance_changes
from onchain_exec.venues.permit2 import PERMIT2
from onchain_exec.venues.router import RouterDeployment
from onchain_exec.venues.universal_router import UniversalRouter

CREATE_PAIR = Function("createPair(address,address)", "(address)")
MINT = Function("mint(address)", "(uint256)")
TRANSFER = Function("transfer(address,uint256)", "(bool)")
BALANCE = Function("balanceOf(address)", "(uint256)")


def make_share_market(sandbox: Sandbox) -> Token:
    """Open a pool of a real token with EIP-2612: Uniswap v2's shares of WETH and USDC, against WETH."""
    evm, trader = ChainEvm(sandbox.chain), sandbox.trader.address
    tokens, factory = sandbox.deployment.tokens, sandbox.deployment.protocols["uniswap_v2"]["factory"]
    weth, usdc = tokens["WETH"].address, tokens["USDC"].address
    pair = get_router(sandbox).v2.get_pair_address(weth, usdc)
    held = [int.from_bytes(evm.static_call(token, BALANCE.encode(pair))) for token in (weth, usdc)]
    for token, reserve in zip((weth, usdc), held, strict=True):
        evm.call(trader, token, TRANSFER.encode(pair, reserve // 20))
    evm.call(trader, pair, MINT.encode(trader))
    shares = int.from_bytes(evm.static_call(pair, BALANCE.encode(trader)))
    evm.call(trader, factory, CREATE_PAIR.encode(pair, weth))
    market = get_router(sandbox).v2.get_pair_address(pair, weth)
    evm.call(trader, pair, TRANSFER.encode(market, shares // 2))
    evm.call(trader, weth, TRANSFER.encode(market, 10 * 10**18))
    evm.call(trader, market, MINT.encode(trader))
    return Token(sandbox.deployment.chain_id, pair, "UNI-V2", 18)


class Reluctant:
    """A signer whose policy forbids messages."""

    def __init__(self, inner: LocalSigner) -> None:
        self.address, self.capabilities = inner.address, inner.capabilities

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        raise PolicyError(f"a {message['primaryType']}")


@pytest.mark.parametrize("exact", Exact)
async def test_swap_with_a_permit_of_the_token_needs_no_transaction_before(
    sandbox: Sandbox, sandbox_node: Node, exact: Exact
) -> None:
    share, weth = make_share_market(sandbox), sandbox.deployment.tokens["WETH"]
    approved = await approve(
        sandbox_node,
        sandbox,
        token_in=share,
        token_out=weth,
        amount=10**10,
        exact=exact,
        max_slippage_bps=100,
    )
    router, signer = get_router(sandbox), LocalSigner(sandbox.trader.key)
    draft = await complete(Draft(approved, router), Sources(sandbox_node, permit_signer=signer))
    plan = build_plan(draft)
    simulated = await simulate(sandbox_node, plan)
    assert (plan.depends_on, plan.grant) == ((), draft.grant.why)
    assert "EIP-2612" in plan.grant
    assert simulated.allowance_left == approved.quote.amount_in_max - simulated.amount_in
    outcome = await mine(sandbox_node, sandbox, simulated)
    assert get_balance_changes(outcome.receipt.logs, sandbox.trader.address) == {
        share.address: -simulated.amount_in,
        weth.address: simulated.amount_out,
    }
    again = await prepare(replace(draft, signature=None), Sources(sandbox_node, permit_signer=signer))
    assert again.signature == draft.signature  # at the decision's block it is still good


async def test_swap_with_a_permit_that_somebody_handed_in_before_succeeds(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    share, weth = make_share_market(sandbox), sandbox.deployment.tokens["WETH"]
    approved = await approve(sandbox_node, sandbox, token_in=share, token_out=weth, amount=10**10)
    signer = LocalSigner(sandbox.trader.key)
    draft = await complete(Draft(approved, get_router(sandbox)), Sources(sandbox_node, permit_signer=signer))
    assert isinstance(draft.grant.permit, TokenPermit)
    stolen = draft.grant.permit.get_trial(draft.signature)
    ChainEvm(sandbox.chain).call(sandbox.trader.address, stolen.to, stolen.data)
    simulated = await simulate(sandbox_node, replace(build_plan(draft), block=await sandbox_node.get_block()))
    await mine(sandbox_node, sandbox, simulated)


@pytest.mark.parametrize("refusal", ["token", "policy", "nobody"])
async def test_prepare_where_the_permit_is_not_to_be_had_approves_exactly(
    sandbox: Sandbox, sandbox_node: Node, refusal: str
) -> None:
    share, weth = make_share_market(sandbox), sandbox.deployment.tokens["WETH"]
    approved = await approve(sandbox_node, sandbox, token_in=share, token_out=weth, amount=10**10)
    signer = LocalSigner(sandbox.trader.key)
    sources = Sources(sandbox_node, permit_signer=signer)
    draft = fill(
        Draft(approved, get_router(sandbox)),
        await prepare(Draft(approved, get_router(sandbox)), sources),
    )
    assert draft.missing == {Missing.SIGNATURE}
    match refusal:
        case "token":  # its nonce is another by now
            spent = replace(draft.grant.permit, domain=replace(draft.grant.permit.domain, nonce=5))
            draft = replace(draft, grant=replace(draft.grant, permit=spent))
        case "policy":
            sources = replace(sources, permit_signer=Reluctant(signer))
        case "nobody":
            sources = replace(sources, permit_signer=None)
    draft = await complete(draft, sources)
    assert draft.grant.approvals == (approved.quote.amount_in_max,)
    assert refusal in draft.grant.why
    plan = build_plan(draft)
    assert [step.purpose for step in plan.depends_on] == [Purpose.ALLOWANCE]
    assert (await simulate(sandbox_node, plan)).allowance_left == 0


def get_routers(sandbox: Sandbox) -> dict[str, Router]:
    stands = sandbox.deployment.protocols
    manager = stands["uniswap_v4"]["pool_manager"]
    pools = replace(get_router(sandbox), address=stands["universal_router"]["router"])
    weth, vault = sandbox.deployment.tokens["WETH"].address, stands["balancer_v2"]["vault"]
    return {
        "universal": UniversalRouter(pools, manager),
        "ours": RouterDeployment(stands["onchain_exec"]["router"], weth, manager, vault),
    }


def get_allowance(sandbox: Sandbox, token: Token, spender: Address) -> int:
    answer = ChainEvm(sandbox.chain).static_call(
        token.address, ALLOWANCE.encode(sandbox.trader.address, spender)
    )
    return int.from_bytes(answer)


@pytest.mark.parametrize("name", ["universal", "ours"])
@pytest.mark.parametrize("standing", [True, False], ids=["Permit2 may pull", "it may not yet"])
async def test_swap_through_permit2_leaves_nothing_behind(
    sandbox: Sandbox, sandbox_node: Node, name: str, standing: bool
) -> None:
    weth, signer = sandbox.deployment.tokens["WETH"], LocalSigner(sandbox.trader.key)
    if standing:
        approve_all(ChainEvm(sandbox.chain), weth, sandbox.trader.address, PERMIT2)
    for _ in range(2):  # the second time the nonces are others
        order_id = f"order-{sandbox.chain.request('eth_blockNumber')}"
        approved = await approve(sandbox_node, sandbox, PERMIT2, order_id=order_id)
        draft = Draft(approved, get_routers(sandbox)[name])
        plan = build_plan(await complete(draft, Sources(sandbox_node, permit_signer=signer)))
        assert len(plan.depends_on) == (0 if standing else 1)
        simulated = await simulate(sandbox_node, plan)
        assert simulated.amount_out == approved.quote.amount_out
        for step in (*simulated.depends_on, simulated):
            await mine(sandbox_node, sandbox, step)
        assert get_allowance(sandbox, weth, PERMIT2) == (2**256 - 1 if standing else 0)


async def test_prepare_through_permit2_without_a_signer_raises(sandbox: Sandbox, sandbox_node: Node) -> None:
    approved = await approve(sandbox_node, sandbox, PERMIT2)
    with pytest.raises(InputError, match="nobody signs"):
        await complete(Draft(approved, get_routers(sandbox)["ours"]), Sources(sandbox_node))
