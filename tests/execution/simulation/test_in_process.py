"""The same plans in this process and on the node: two engines, one answer. Catalogue entry 75 (fees on
transfer), 79 (deadlines)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market import approve, plan

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.chain import Endpoint, EndpointLimits, HttpRpc, LocalChain, Node, open_rpc
from onchain_exec.chain.simulation import TRANSFERS_ADDRESS
from onchain_exec.core import Exact
from onchain_exec.core.abi import Function
from onchain_exec.errors import EffectError, NodeUnreachableError, RevertError
from onchain_exec.execution import InProcessRunner, SimulatedTx, simulate
from onchain_exec.execution.simulation.revm import decode_failure, find_changed_slots

SET_FEE = Function("setTransferFeeBps(uint256)")


def show(simulated: SimulatedTx) -> tuple[object, ...]:
    """All that both engines tell: the node also logs moves of native coin."""
    logs = [(log.address, log.topics, log.data) for log in simulated.logs if log.address != TRANSFERS_ADDRESS]
    own = replace(simulated, logs=(), depends_on=())
    return own, logs, [show(step) for step in simulated.depends_on]


async def compare(sandbox: Sandbox, node: Node, draw: random.Random) -> None:
    """One random swap of the trader's, on both engines."""
    tokens, exact = sandbox.deployment.tokens, draw.choice(list(Exact))
    sold, bought = draw.sample([tokens["WETH"], tokens[draw.choice(["USDC", "DAI", "WBTC"])]], 2)
    worth = {"WETH": 10**18, "USDC": 3_000 * 10**6, "DAI": 3_000 * 10**18, "WBTC": 5 * 10**6}
    amount = worth[(sold if exact is Exact.IN else bought).symbol] * draw.randint(1, 200) // 100
    approved = await approve(node, sandbox, token_in=sold, token_out=bought, amount=amount, exact=exact)
    built = await plan(node, sandbox, approved)
    here = await simulate(node, built, runner=InProcessRunner(node))
    assert show(here) == show(await simulate(node, built))
    assert here.amount_in <= approved.quote.amount_in_max
    assert here.amount_out >= approved.quote.amount_out_min


@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(3, 203))]
)
async def test_simulate_of_random_swaps_is_the_same_in_this_process(
    sandbox: Sandbox, sandbox_node: Node, seed: int
) -> None:
    await compare(sandbox, sandbox_node, random.Random(seed))


async def test_simulate_in_this_process_refuses_what_takes_a_fee(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    token = sandbox.deployment.tokens["USDC"].address
    approved = await approve(sandbox_node, sandbox, amount=10**18)
    ChainEvm(sandbox.chain).call(sandbox.trader.address, token, SET_FEE.encode(100))
    built = replace(await plan(sandbox_node, sandbox, approved), block=await sandbox_node.get_block())
    with pytest.raises(EffectError, match="fee on transfer"):
        await simulate(sandbox_node, built, runner=InProcessRunner(sandbox_node))


async def test_simulate_in_this_process_decodes_the_error(sandbox: Sandbox, sandbox_node: Node) -> None:
    block = await sandbox_node.get_block()
    approved = await approve(sandbox_node, sandbox, expires_at=block.timestamp + 11)
    built = await plan(sandbox_node, sandbox, approved)
    with pytest.raises(RevertError, match="Transaction too old"):
        await simulate(sandbox_node, built, runner=InProcessRunner(sandbox_node))


class Urls(HttpRpc):
    """A node whose state is to be had at other URLs, as a pool gives them."""

    urls: tuple[str, ...] = ()

    async def find_urls(self, block_hash: str) -> tuple[str, ...]:
        return self.urls


@pytest.mark.parametrize("reachable", [True, False])
async def test_simulate_in_this_process_takes_the_next_endpoint_where_one_fails(
    sandbox: Sandbox, sandbox_node: Node, reachable: bool
) -> None:
    built = await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    rpc = Urls(sandbox.url)
    rpc.urls = ("http://127.0.0.1:9", *([sandbox.url] if reachable else []))
    node = await Node.connect(rpc)
    if reachable:
        here = await simulate(node, built, runner=InProcessRunner(node))
        assert show(here) == show(await simulate(sandbox_node, built))
    else:
        with pytest.raises(NodeUnreachableError, match="could not be fetched"):
            await simulate(node, built, runner=InProcessRunner(node))
    await node.close()


async def test_simulate_in_this_process_reads_only_from_endpoints_that_have_the_block(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    """Entry 33: another chain of the same id, which has no such block."""
    built = await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    with LocalChain.start(chain_id=sandbox.chain.chain_id) as other:
        limits = EndpointLimits(patience_s=20)  # the machine may be busy
        urls = (sandbox.url, sandbox.url, other.url)
        node = await Node.connect(open_rpc([Endpoint(url, limits=limits) for url in urls]))
        assert set(await node.find_urls(built.block)) == {sandbox.url}
        here = await simulate(node, built, runner=InProcessRunner(node))
        assert show(here) == show(await simulate(sandbox_node, built))
        await node.close()


def test_decode_failure_of_other_words_is_no_result() -> None:
    assert decode_failure(RuntimeError("LackOfFundForMaxFee")) is None


@given(st.dictionaries(st.integers(0, 2**256 - 1), st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_find_changed_slots_lists_what_was_written(slots: dict[int, tuple[int, int]]) -> None:
    told = ", ".join(
        f"{slot}: StorageSlot {{ previous_or_original_value: {a}, present_value: {b} }}"
        for slot, (a, b) in slots.items()
    )
    account = f"0x{'ab' * 20}: Account {{ info: AccountInfo {{ balance: 1 }}, storage: {{{told}}}"
    journal = f"JournaledState {{ state: {{{account}, 0x{'cd' * 20}: Account {{ storage: {{}}"
    journal += "}, transient_storage: {1: StorageSlot { previous_or_original_value: 0, present_value: 1 }}"
    found = {slot: value for _, slot, value in find_changed_slots(journal)}
    assert found == {slot: after for slot, (before, after) in slots.items() if before != after}
