"""A node without eth_simulateV1 and without traces: the same proof from one `eth_call`, held against
the node's own simulation and against what is then mined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from market import approve, plan
from test_path import mine
from test_simulate import APPROVE, SET_FEE, SET_PAUSED, tell

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import HttpRpc, Node, Reply, Request
from onchain_exec.core import Exact, to_address
from onchain_exec.errors import EffectError, NodeRefusedError, RevertError
from onchain_exec.execution import rebase, simulate


class PlainRpc(HttpRpc):
    """A node that knows neither eth_simulateV1 nor debug_*."""

    lacking = ("eth_simulateV1", "debug_traceCall")

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if method in self.lacking:
            raise NodeRefusedError(method, -32601, f"the method {method} does not exist/is not available")
        return await super().request(method, params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        if requests[0][0] in self.lacking:
            return (NodeRefusedError(requests[0][0], -32601, "the method does not exist"),)
        return await super().batch(requests)


@pytest.fixture
async def plain_node(sandbox: Sandbox) -> AsyncIterator[Node]:
    node = await Node.connect(PlainRpc(sandbox.url))
    yield node
    await node.close()


@pytest.mark.parametrize(("exact", "amount"), [(Exact.IN, 2 * 10**18), (Exact.OUT, 5_000 * 10**6)])
async def test_simulate_in_one_call_equals_the_nodes_simulation_and_is_mined(
    sandbox: Sandbox, sandbox_node: Node, plain_node: Node, exact: Exact, amount: int
) -> None:
    built = await plan(plain_node, sandbox, await approve(plain_node, sandbox, exact=exact, amount=amount))
    ours, theirs = await simulate(plain_node, built), await simulate(sandbox_node, built)
    for field in ("amount_in", "amount_out", "allowance_left"):
        assert getattr(ours, field) == getattr(theirs, field), field
    for mine_, node_ in zip((*ours.depends_on, ours), (*theirs.depends_on, theirs), strict=True):
        assert node_.gas_used <= mine_.gas_used < node_.gas_used + 60_000
    for step in ours.depends_on:
        await mine(plain_node, sandbox, step)
    swap = await simulate(plain_node, rebase(built, await plain_node.get_block(), mined=True))
    outcome = await mine(plain_node, sandbox, swap)
    assert outcome.receipt.gas_used <= swap.gas_used <= swap.gas_limit


async def test_simulate_in_one_call_passes_through_zero(sandbox: Sandbox, plain_node: Node) -> None:
    usdc, weth = (sandbox.deployment.tokens[symbol] for symbol in ("USDC", "WETH"))
    changes = {"token_in": usdc, "token_out": weth, "amount": 10**9}
    approved = await approve(plain_node, sandbox, **changes)
    tell(sandbox, "USDC", APPROVE.encode(approved.account.spender, 5))
    simulated = await simulate(
        plain_node, await plan(plain_node, sandbox, await approve(plain_node, sandbox, **changes))
    )
    assert simulated.allowance_left == 0


async def test_simulate_in_one_call_refuses_what_the_nodes_simulation_refuses(
    sandbox: Sandbox, plain_node: Node
) -> None:
    honest = await plan(plain_node, sandbox, await approve(plain_node, sandbox))
    paid = await approve(plain_node, sandbox, recipient=to_address(b"\x77" * 20))
    stolen = replace(honest, data=(await plan(plain_node, sandbox, paid)).data)
    with pytest.raises(EffectError, match="receives 0 USDC"):
        await simulate(plain_node, stolen)
    (grant,) = honest.depends_on
    wide = replace(grant, data=APPROVE.encode(honest.cause.account.spender, 2**256 - 1))
    with pytest.raises(EffectError, match=r"an allowance of \S+ WETH is left"):
        await simulate(plain_node, replace(honest, depends_on=(wide,)))
    tell(sandbox, "USDC", SET_FEE.encode(100))
    with pytest.raises(EffectError, match="fee on transfer"):
        await simulate(plain_node, rebase(honest, await plain_node.get_block()))
    tell(sandbox, "USDC", SET_PAUSED.encode(True))
    with pytest.raises(RevertError):
        await simulate(plain_node, rebase(honest, await plain_node.get_block()))
