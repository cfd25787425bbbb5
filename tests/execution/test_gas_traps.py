"""Contracts on which a node's estimate fails: catalogue entries 43, 44, 47, 48, 50.

The control shows each trap at work; then the limit that `simulate` finds is sent and the work is done.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_ins import KEY, ScriptedRpc, sign_transfer

from onchain_exec.chain import LocalChain, Node, TxCall
from onchain_exec.core import Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import GasError, NodeRefusedError
from onchain_exec.execution import Fees, GasRules, LocalSigner, Purpose, TxPlan, sign, simulate
from onchain_exec.execution.costs.gas import choose_gas_limit, get_floor_gas

ROOT = Path(__file__).parents[2]
RUN = Function("run(uint256)")
DONE, FAILURES = Function("done()", "(uint256)"), Function("failures()", "(uint256)")
TRADER = LocalSigner(KEY).address
ROUNDS = {"Swallow": 10_000, "Refund": 100, "TimeDep": 1_000}
ADDRESSES = {name: to_address(bytes((0xA0 + index,)) * 20) for index, name in enumerate(ROUNDS)}


@pytest.fixture(scope="module")
def trap_codes() -> dict[str, bytes]:
    """Runtime bytecode of the traps, by name."""
    sources = {f"{name}.sol": {"content": _read(name)} for name in ROUNDS}
    settings = {
        "evmVersion": "cancun",
        "optimizer": {"enabled": True},
        "outputSelection": {"*": {"*": ["evm.deployedBytecode.object"]}},
    }
    compiled = subprocess.run(
        ["node", str(ROOT / "scripts" / "solc.js"), "--standard-json"],
        input=json.dumps({"language": "Solidity", "sources": sources, "settings": settings}),
        capture_output=True,
        text=True,
        check=True,
    )
    contracts = json.loads(compiled.stdout)["contracts"]
    return {
        name: bytes.fromhex(contracts[f"{name}.sol"][name]["evm"]["deployedBytecode"]["object"])
        for name in ROUNDS
    }


def _read(name: str) -> str:
    return (ROOT / "contracts" / "mocks" / "traps" / f"{name}.sol").read_text()


@pytest.fixture(scope="module")
def trap_chain(trap_codes: dict[str, bytes]) -> Iterator[LocalChain]:
    with LocalChain.start() as chain:
        chain.request("evm_setAutomine", False)
        for name, code in trap_codes.items():
            chain.set_code(ADDRESSES[name], code)
        chain.mine()
        yield chain


@pytest.fixture
def chain(trap_chain: LocalChain) -> Iterator[LocalChain]:
    snapshot = trap_chain.snapshot()
    yield trap_chain
    trap_chain.revert(snapshot)


@pytest.fixture
async def node(chain: LocalChain) -> AsyncIterator[Node]:
    connected = await Node.connect(chain.url)
    yield connected
    await connected.close()


async def make_plan(node: Node, to: Address, data: bytes) -> TxPlan:
    """A plan whose effects are nobody's business: only its gas is asked for."""
    return TxPlan(
        cause=sign_transfer(),
        block=await node.get_block(),
        purpose=Purpose.CANCEL,
        sender=TRADER,
        to=to,
        data=data,
        value_wei=0,
        fees=Fees(10**11, 10**9),
    )


async def mine_at(chain: LocalChain, node: Node, plan: TxPlan, gas_limit: int, wait_blocks: int = 0) -> None:
    """Mine the plan's transaction at a limit, ``wait_blocks`` after the next block."""
    chain.mine(wait_blocks) if wait_blocks else None
    nonce = await node.get_nonce(TRADER)
    simulated = replace(await simulate(node, plan), gas_limit=gas_limit)
    signed = await sign(simulated, nonce, LocalSigner(KEY))
    await node.send_raw_transaction(signed.raw)
    chain.mine()
    receipt = await node.get_receipt(signed.tx_hash)
    assert receipt is not None
    assert receipt.success


def count(chain: LocalChain, name: str, what: Function) -> int:
    answer = chain.request("eth_call", {"to": ADDRESSES[name], "data": "0x" + what.encode().hex()}, "latest")
    return int(answer, 16)


@pytest.mark.parametrize("name", ["Swallow", "Refund"])
async def test_estimate_of_a_trap_loses_its_work(chain: LocalChain, node: Node, name: str) -> None:
    plan = await make_plan(node, ADDRESSES[name], RUN.encode(ROUNDS[name]))
    estimate = await node.estimate_gas(TxCall(TRADER, plan.to, plan.data), plan.block)
    await mine_at(chain, node, plan, estimate)
    assert (count(chain, name, DONE), count(chain, name, FAILURES)) == (0, 1)


@pytest.mark.parametrize("name", ROUNDS)
@pytest.mark.parametrize("blocks_before", [0, 1])
@pytest.mark.parametrize("wait_blocks", [0, 1])
async def test_simulate_of_a_trap_finds_a_limit_that_does_its_work(
    chain: LocalChain, node: Node, name: str, blocks_before: int, wait_blocks: int
) -> None:
    if blocks_before:
        chain.mine(blocks_before)
    plan = await make_plan(node, ADDRESSES[name], RUN.encode(ROUNDS[name]))
    simulated = await simulate(node, plan)
    await mine_at(chain, node, plan, simulated.gas_limit, wait_blocks)
    assert (count(chain, name, DONE), count(chain, name, FAILURES)) == (1, 0)
    assert simulated.gas_limit <= GasRules().tx_gas_cap


@pytest.mark.parametrize("name", ROUNDS)
@pytest.mark.parametrize("lacking", [(), ("eth_simulateV1",)], ids=["no trace", "no trace, no simulation"])
async def test_simulate_of_a_trap_on_a_node_that_does_not_trace_does_its_work(
    chain: LocalChain, node: Node, name: str, lacking: tuple[str, ...]
) -> None:
    plan = await make_plan(node, ADDRESSES[name], RUN.encode(ROUNDS[name]))

    def pass_on(method: str) -> Any:
        return lambda *params: chain.request(method, *params)

    methods = ("eth_simulateV1", "eth_getBalance", "eth_getBlockByNumber", "eth_call")
    rpc = ScriptedRpc(**{method: pass_on(method) for method in methods if method not in lacking})
    simulated = await simulate(rpc.node(), plan)
    assert "debug_traceCall" in rpc.asked
    await mine_at(chain, node, plan, simulated.gas_limit)
    assert (count(chain, name, DONE), count(chain, name, FAILURES)) == (1, 0)


async def test_simulate_of_work_beyond_the_cap_raises(chain: LocalChain, node: Node) -> None:
    plan = await make_plan(node, ADDRESSES["Swallow"], RUN.encode(10_000))
    with pytest.raises(GasError):
        await simulate(node, plan, GasRules(tx_gas_cap=1_000_000))


async def test_simulate_of_much_calldata_pays_its_floor(chain: LocalChain, node: Node) -> None:
    """Catalogue entry 47: EIP-7623."""
    plan = await make_plan(node, to_address(b"\x99" * 20), b"\x01" * 10_000)
    simulated = await simulate(node, plan)
    assert simulated.gas_limit >= 21_000 + 40 * 10_000
    estimate = await node.estimate_gas(TxCall(TRADER, plan.to, plan.data), plan.block)
    assert get_floor_gas(plan.data) == 421_000 <= estimate <= simulated.gas_limit


def test_choose_gas_limit_covers_the_largest_refund() -> None:
    for peak in (21_000, 100_000, 7_777_777):
        assert choose_gas_limit(peak - peak // 5, b"", 1 << 24) >= peak


def test_choose_gas_limit_beyond_the_cap_raises() -> None:
    with pytest.raises(GasError, match="needs 16777217 gas"):
        choose_gas_limit((1 << 24) + 1, b"", 1 << 24)
    with pytest.raises(GasError):
        choose_gas_limit(21_000, b"\x01" * 500_000, 1 << 24)
    assert choose_gas_limit(1 << 24, b"", 1 << 24) == 1 << 24


async def test_simulate_stays_within_what_one_transaction_may_ask_for(trap_codes: dict[str, bytes]) -> None:
    """Catalogue entry 48: a chain with EIP-7825 refuses a limit above 2**24, however little it takes."""
    with LocalChain.start(extra=("--enable-tx-gas-limit",)) as chain:
        chain.set_code(ADDRESSES["Swallow"], trap_codes["Swallow"])
        chain.mine()
        node = await Node.connect(chain.url)
        plan = await make_plan(node, ADDRESSES["Swallow"], RUN.encode(24_000))
        simulated = await simulate(node, plan)
        assert simulated.gas_used * 11 // 10 < simulated.gas_limit <= 1 << 24
        dear = await sign(replace(simulated, gas_limit=(1 << 24) + 1), 0, LocalSigner(KEY))
        with pytest.raises(NodeRefusedError):
            await node.send_raw_transaction(dear.raw)
        signed = await sign(simulated, 0, LocalSigner(KEY))
        await node.send_raw_transaction(signed.raw)
        chain.mine()
        assert (count(chain, "Swallow", DONE), count(chain, "Swallow", FAILURES)) == (1, 0)
        await node.close()


async def test_simulate_stays_within_the_block(trap_codes: dict[str, bytes]) -> None:
    """Catalogue entry 50: a limit above the block's would wait for ever, and jam the account."""
    with LocalChain.start() as chain:
        chain.set_code(ADDRESSES["Swallow"], trap_codes["Swallow"])
        chain.request("evm_setBlockGasLimit", hex(4_000_000))
        chain.mine()
        node = await Node.connect(chain.url)
        simulated = await simulate(node, await make_plan(node, ADDRESSES["Swallow"], RUN.encode(6_000)))
        assert simulated.gas_limit <= simulated.block.gas_limit == 4_000_000
        with pytest.raises(GasError):
            await simulate(node, await make_plan(node, ADDRESSES["Swallow"], RUN.encode(12_000)))
        await node.close()


async def test_simulate_on_a_node_that_can_try_nothing_raises(chain: LocalChain, node: Node) -> None:
    plan = await make_plan(node, ADDRESSES["Swallow"], RUN.encode(1))
    with pytest.raises(NodeRefusedError, match="eth_call was refused"):
        await simulate(ScriptedRpc().node(), plan)
