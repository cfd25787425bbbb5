"""eth_simulateV1 on a real chain: what it tells is what the chain does."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onchain_exec.chain import LocalChain, Node, SimulatedBlock, StateOverride, TxCall
from onchain_exec.chain.simulation import BLOCK_TIME_S, TRANSFERS_ADDRESS
from onchain_exec.core import to_address
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import BlockNotFoundError, NodeRefusedError

COUNTER = to_address("0x" + "c0" * 20)
COUNT = bytes.fromhex("6001600054018060005560005260206000f3")
"""slot0 += 1; return slot0."""

CLOCK = bytes.fromhex("42600052436020524860405260606000f3")
"""Return (timestamp, number, base fee)."""

REFUSED = CustomError("Refused(uint256)", "ask again")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 32]) for at in range(0, len(data), 32)]


async def test_simulate_runs_calls_in_order_on_the_state_of_those_before(
    node: Node, chain: LocalChain
) -> None:
    sender, base = chain.accounts[0].address, await node.get_block()
    call = TxCall(sender, COUNTER, b"")
    override = StateOverride(COUNTER, code=COUNT, slots=((0, 40),))
    blocks = (SimulatedBlock((call, call), (override,)), SimulatedBlock((call,)))
    results = await node.simulate(blocks, base)
    assert [[_words(result.data) for result in block] for block in results] == [[[41], [42]], [[43]]]
    assert all(result.success and result.gas_used > 21_000 for block in results for result in block)
    assert await node.get_code(COUNTER) == b""


async def test_simulate_counts_blocks_and_time_on_from_the_base(node: Node, chain: LocalChain) -> None:
    """geth counts on by itself; anvil would begin with the base block's own number and time."""
    chain.mine(2)
    base = await node.get_block()
    call = TxCall(chain.accounts[0].address, COUNTER, b"")
    blocks = (
        SimulatedBlock((call,), (StateOverride(COUNTER, code=CLOCK),)),
        SimulatedBlock((call,), timestamp=base.timestamp + 1_000),
        SimulatedBlock((call,)),
    )
    first, second, third = (_words(block[0].data) for block in await node.simulate(blocks, base))
    assert first[:2] == [base.timestamp + BLOCK_TIME_S, base.number + 1]
    assert second[:2] == [base.timestamp + 1_000, base.number + 2]
    assert third[:2] == [base.timestamp + 1_000 + BLOCK_TIME_S, base.number + 3]


async def test_simulate_with_validation_runs_at_the_base_fee_asked_for(node: Node, chain: LocalChain) -> None:
    call = TxCall(chain.accounts[0].address, COUNTER, b"", max_fee_wei=9, max_priority_fee_wei=1)
    block = SimulatedBlock((call,), (StateOverride(COUNTER, code=CLOCK),), base_fee_wei=7)
    ((result,),) = await node.simulate([block], await node.get_block(), validation=True)
    assert _words(result.data)[2] == 7


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 10**18), min_size=1, max_size=5))
async def test_simulate_logs_the_native_coins_moves(chain: LocalChain, amounts: list[int]) -> None:
    node = await Node.connect(chain.url)
    sender, receiver = chain.accounts[0].address, chain.accounts[1].address
    calls = tuple(TxCall(sender, receiver, b"", value_wei=amount) for amount in amounts)
    (results,) = await node.simulate([SimulatedBlock(calls)], await node.get_block())
    await node.close()
    logs = [log for result in results for log in result.logs]
    assert [_words(log.data) for log in logs] == [[amount] for amount in amounts]
    assert {log.address for log in logs} == {to_address(TRANSFERS_ADDRESS)}


async def test_simulate_when_a_call_fails_decodes_it_and_goes_on(chain: LocalChain) -> None:
    node = await Node.connect(chain.url, errors=(REFUSED,))
    code = b"\x63" + REFUSED.selector + bytes.fromhex("60e01b600052600760045260246000fd")
    sender = chain.accounts[0].address
    hungry = to_address("0x" + "c1" * 20)
    block = SimulatedBlock(
        (
            TxCall(sender, COUNTER, b""),
            TxCall(sender, hungry, b"", gas_limit=50_000),
            TxCall(sender, sender, b""),
        ),
        (StateOverride(COUNTER, code=code), StateOverride(hungry, code=bytes.fromhex("5b600056"))),
    )
    ((refused, starved, fine),) = await node.simulate([block], await node.get_block())
    await node.close()
    assert refused.error is not None
    assert (refused.error.name, refused.error.arguments) == ("Refused", (7,))
    assert starved.error is not None
    assert (starved.error.data, starved.gas_used) == (b"", 50_000)
    assert fine.success


async def test_simulate_of_a_call_that_cannot_be_paid_raises(node: Node, chain: LocalChain) -> None:
    poor = to_address("0x" + "c2" * 20)
    with pytest.raises(NodeRefusedError, match=r"[Ii]nsufficient funds"):
        await node.simulate([SimulatedBlock((TxCall(poor, poor, b"", value_wei=1),))], await node.get_block())


async def test_simulate_when_a_reorg_dropped_the_base_raises(node: Node, chain: LocalChain) -> None:
    chain.mine()
    base = await node.get_block()
    chain.reorg(1)
    with pytest.raises(BlockNotFoundError):
        await node.simulate([SimulatedBlock((TxCall(COUNTER, COUNTER, b""),))], base)
