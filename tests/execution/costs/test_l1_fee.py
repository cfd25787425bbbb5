"""What rollups charge for data: catalogue entries 45 (Arbitrum's part moves), 46 (OP stack's fee is
missing from the balance check), 48 (caps differ per chain)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi import encode
from market import approve, plan
from stand_ins import BLOCK, make_approved

from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.packages import get_package_path
from onchain_exec.chain import Node
from onchain_exec.core import Address, Answer, Call, Snapshot, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import GasError, RevertError
from onchain_exec.execution import Fees, GasRules, L1Fee, Purpose, TxPlan, simulate
from onchain_exec.execution.costs.l1_fee import (
    GAS_PRICE_ORACLE,
    L1_FEE_UPPER_BOUND,
    L1_GAS,
    NODE_INTERFACE,
    OPERATOR_FEE,
    L1Cost,
    read_l1_costs,
)
from onchain_exec.testing.evm import LocalEvm

L1_BLOCK = to_address("0x4200000000000000000000000000000000000015")
DEPOSITOR = to_address("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001")
L1_BASE_FEE_WEI = 30 * 10**9
GET_L1_FEE = Function("getL1Fee(bytes)", "(uint256)")


def make_plan(data: bytes = b"\x01" * 300) -> TxPlan:
    cause = make_approved()
    account = cause.account
    return TxPlan(cause, BLOCK, Purpose.SWAP, account.owner, account.spender, data, 0, Fees(10**8, 10**6))


def read_runtime(name: str) -> bytes:
    folder = get_package_path("@eth-optimism/contracts-bedrock") / "forge-artifacts"
    artifact = json.loads((folder / f"{name}.sol" / f"{name}.json").read_text())
    return bytes.fromhex(artifact["deployedBytecode"]["object"][2:])


@pytest.fixture(scope="module")
def op_stack() -> LocalEvm:
    """The OP stack's predeployed contracts with the rules of Fjord, told the prices of the chain below."""
    evm = LocalEvm()
    evm.set_code(L1_BLOCK, read_runtime("L1Block"))
    evm.set_code(GAS_PRICE_ORACLE, read_runtime("GasPriceOracle"))
    for name in ("setEcotone()", "setFjord()"):
        evm.call(DEPOSITOR, GAS_PRICE_ORACLE, Function(name).encode())
    values = [(1_368, 4), (810_949, 4), (3, 8), (1_700_000_000, 8), (20_000_000, 8)]
    packed = b"".join(value.to_bytes(size) for value, size in values)
    packed += L1_BASE_FEE_WEI.to_bytes(32) + (10**9).to_bytes(32) + b"\x00" * 64
    evm.call(DEPOSITOR, L1_BLOCK, Function("setL1BlockValuesEcotone()").encode() + packed)
    return evm


def perform(reading: Any, answer: Any) -> Any:
    """Drive a reading by a function from call to answer."""
    try:
        calls: Sequence[Call] = next(reading)
        while True:
            calls = reading.send(Snapshot(BLOCK, tuple(answer(call) for call in calls)))
    except StopIteration as done:
        return done.value


def ask(evm: LocalEvm, call: Call) -> Answer:
    assert call.to is not None
    try:
        return Answer(True, evm.static_call(call.to, call.data))
    except RevertError as error:
        return Answer(False, error.data)


@pytest.mark.parametrize("size", [0, 4, 300, 2_000])
def test_read_l1_costs_on_the_op_stack_covers_what_the_real_oracle_charges(
    op_stack: LocalEvm, size: int
) -> None:
    data = bytes(i * 37 % 251 for i in range(size))  # hard to compress
    (cost,) = perform(
        read_l1_costs(L1Fee.OP_STACK, [make_plan(data)], [200_000]), lambda call: ask(op_stack, call)
    )
    # the oracle adds the 68 bytes of a signature itself
    answer = op_stack.static_call(GAS_PRICE_ORACLE, GET_L1_FEE.encode(b"\xff" * 80 + data))
    (charged,) = GET_L1_FEE.decode(answer)
    assert charged <= cost.fee_wei
    assert cost.fee_wei > 0
    assert cost.gas == 0


def test_read_l1_costs_adds_the_operators_fee_where_there_is_one() -> None:
    answers = {L1_FEE_UPPER_BOUND.selector: 1_000, OPERATOR_FEE.selector: 77}

    def answer(call: Call) -> Answer:
        assert call.to == GAS_PRICE_ORACLE
        if call.data[:4] == OPERATOR_FEE.selector:
            assert OPERATOR_FEE.decode_arguments(call.data) == (200_000,)
        return Answer(True, encode(["uint256"], [answers[call.data[:4]]]))

    assert perform(read_l1_costs(L1Fee.OP_STACK, [make_plan()], [200_000]), answer) == (L1Cost(1_327),)


def test_read_l1_costs_on_arbitrum_is_gas_for_the_limit() -> None:
    tx = make_plan()

    def answer(call: Call) -> Answer:
        assert call.to == NODE_INTERFACE
        assert call.data == L1_GAS.encode(tx.to, False, tx.data)
        return Answer(True, encode(["uint64", "uint256", "uint256"], [5_000, 1, 1]))

    assert perform(read_l1_costs(L1Fee.ARBITRUM, [tx, tx], [1, 1]), answer) == (L1Cost(gas=10_000),) * 2


@pytest.mark.parametrize("kind", [L1Fee.OP_STACK, L1Fee.ARBITRUM])
@pytest.mark.parametrize("answer", [Answer(True, b""), Answer(False, b"")])
def test_read_l1_costs_of_a_chain_of_another_kind_raises(kind: L1Fee, answer: Answer) -> None:
    with pytest.raises(GasError, match="does not answer"):
        perform(read_l1_costs(kind, [make_plan()], [1]), lambda call: answer)


def return_words(*words: int) -> bytes:
    """Runtime code that answers every call with these words."""
    code = b""
    for index, word in enumerate(words):
        code += b"\x7f" + word.to_bytes(32) + b"\x60" + bytes((32 * index,)) + b"\x52"
    return code + b"\x60" + bytes((32 * len(words),)) + b"\x60\x00\xf3"


async def simulate_with(sandbox: Sandbox, node: Node, kind: L1Fee, where: Address, *words: int) -> Any:
    sandbox.chain.set_code(where, return_words(*words))
    sandbox.chain.mine()
    built = await plan(node, sandbox, await approve(node, sandbox))
    return await simulate(node, built, GasRules(l1_fee=kind))


async def test_simulate_on_the_op_stack_without_the_data_fee_in_the_balance_raises(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    wei = await sandbox_node.get_balance(sandbox.trader.address)
    await simulate_with(sandbox, sandbox_node, L1Fee.OP_STACK, GAS_PRICE_ORACLE, 10**9)
    with pytest.raises(GasError, match="what a rollup adds"):
        await simulate_with(sandbox, sandbox_node, L1Fee.OP_STACK, GAS_PRICE_ORACLE, wei)


async def test_simulate_on_arbitrum_holds_the_data_gas_in_the_limit(
    sandbox: Sandbox, sandbox_node: Node
) -> None:
    built = await plan(sandbox_node, sandbox, await approve(sandbox_node, sandbox))
    plain = await simulate(sandbox_node, built)
    simulated = await simulate_with(sandbox, sandbox_node, L1Fee.ARBITRUM, NODE_INTERFACE, 50_000, 1, 1)
    assert simulated.gas_limit == plain.gas_limit + 100_000
    assert simulated.gas_used == plain.gas_used


@pytest.mark.parametrize(
    ("chain_id", "kind", "cap"),
    [
        (1, L1Fee.NONE, 1 << 24),
        (10, L1Fee.OP_STACK, 1 << 24),
        (8453, L1Fee.OP_STACK, 1 << 24),
        (137, L1Fee.NONE, 1 << 25),
        (42_161, L1Fee.ARBITRUM, 32_000_000),
        (1337, L1Fee.NONE, 1 << 24),
    ],
)
def test_gas_rules_of_a_listed_chain_are_its_own(chain_id: int, kind: L1Fee, cap: int) -> None:
    rules = get_chain_profile(chain_id).gas_rules
    assert (rules.l1_fee, rules.tx_gas_cap) == (kind, cap)
    assert rules.block_time_s == {1: 12, 1337: 12, 42_161: 1}.get(chain_id, 2)
