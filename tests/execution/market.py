"""An approved order on the sandbox, by the real steps before this package's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from onchain_exec.app.path.routers import list_routers
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import Address, Exact, Order, all_of
from onchain_exec.execution import (
    Draft,
    DurableTx,
    LocalSigner,
    Mined,
    SignedTx,
    SimulatedTx,
    Sources,
    TxPlan,
    build_plan,
    complete,
    confirm,
    send,
    sign,
)
from onchain_exec.risk import AccountState, Approved, Limits, check
from onchain_exec.routing import GasModel, find_route, make_quote
from onchain_exec.venues import PoolSet
from onchain_exec.venues.erc20 import read_allowance, read_balances
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.uniswap_v2 import read_v2_pools
from onchain_exec.venues.uniswap_v3 import read_v3_pools


def get_router(sandbox: Sandbox) -> SwapRouter:
    """Return the sandbox's SwapRouter02."""
    router = list_routers(sandbox.profile)["SwapRouter02"]
    assert isinstance(router, SwapRouter)
    return router


def make_order(sandbox: Sandbox, **changes: Any) -> Order:
    """Sell 2 WETH of the trader's for USDC, two minutes to live."""
    tokens, trader = sandbox.deployment.tokens, sandbox.trader.address
    now = int(sandbox.chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    order = Order(
        order_id="order-1",
        client_order_id="client-1",
        account=trader,
        recipient=trader,
        token_in=tokens["WETH"],
        token_out=tokens["USDC"],
        amount=2 * 10**18,
        exact=Exact.IN,
        max_slippage_bps=30,
        expires_at=now + 120,
    )
    return replace(order, **changes)


async def approve(node: Node, sandbox: Sandbox, spender: Address | None = None, **changes: Any) -> Approved:
    """Return an order's approval at the head; ``spender`` pulls (SwapRouter02 if None)."""
    order, block = make_order(sandbox, **changes), await node.get_block()
    router = get_router(sandbox)
    spender = spender or router.address
    v2, v3, balances, allowance = await node.perform(
        all_of(
            [
                read_v2_pools(router.v2, order.token_in, order.token_out),
                read_v3_pools(router.v3, order.token_in, order.token_out),
                read_balances(order.account, (order.token_in,)),
                read_allowance(order.token_in, order.account, spender),
            ]
        ),
        block,
    )
    route = find_route(order, PoolSet(block, (*v2, *v3)))
    quote = make_quote(order, route, GasModel(), block.timestamp)
    wei = await node.get_balance(order.account, block)
    account = AccountState(block, order.account, balances[0], wei, spender, allowance)
    verdict = check(quote, account, Limits(), block.timestamp)
    assert isinstance(verdict, Approved), verdict
    return verdict


async def plan(node: Node, sandbox: Sandbox, approved: Approved) -> TxPlan:
    """Return the plan of an approved order, its allowance by approvals."""
    return build_plan(await complete(Draft(approved, get_router(sandbox)), Sources(node)))


def make_durable(signed: SignedTx) -> DurableTx:
    """What a journal makes of signed bytes."""
    tx = signed.simulated.plan
    return DurableTx(
        order_id=tx.order_id,
        purpose=tx.purpose,
        chain_id=tx.block.chain_id,
        sender=tx.sender,
        nonce=signed.nonce,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
    )


async def mine(node: Node, sandbox: Sandbox, simulated: SimulatedTx) -> Mined:
    signer = LocalSigner(sandbox.trader.key)
    signed = await sign(simulated, await node.get_nonce(signer.address), signer)
    await send(node, make_durable(signed))
    outcome = await confirm(node, make_durable(signed), 1, timeout_s=60, poll_s=0.02)
    assert isinstance(outcome, Mined), outcome
    return outcome
