"""Lyra's `openPosition`, real bytecode whose gas moves with the time: catalogue entries 43, 44.

The node's estimate is good for the block it was made at, and runs out of gas in some later ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from stand_ins import sign_transfer

from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.lyra import deploy_lyra
from onchain_exec.app.sandbox.derivatives.lyra_parameters import wad
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.chain import LocalChain, Node, TxCall
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.execution import Fees, GasRules, InProcessRunner, NodeRunner, Purpose, Runner, TxPlan
from onchain_exec.execution.simulation.simulate import find_gas_limits

START = 2_000_000_000
DELAYS = (1, 2, 5, 12, 24, 36, 60, 300, 601, 1_000, 3_600, 7_200)
"""Seconds from the decision to the block; with the estimate some of them run out of gas."""


@dataclass(frozen=True)
class Market:
    """Lyra on a chain whose clock stands still, and a long call about to be opened."""

    chain: LocalChain
    lyra: Deployed
    data: bytes

    def open_after(self, delay_s: int, gas_limit: int) -> bool:
        """Mine the trade so many seconds later; return whether it succeeded. The chain forgets it."""
        before = self.chain.snapshot()
        self.chain.request("evm_setNextBlockTimestamp", START + 100 + delay_s)
        trade = {"from": DEPLOYER, "to": self.lyra.at["OptionMarket"], "data": "0x" + self.data.hex()}
        tx_hash = self.chain.request("eth_sendTransaction", {**trade, "gas": hex(gas_limit)})
        self.chain.mine()
        receipt = self.chain.request("eth_getTransactionReceipt", tx_hash)
        self.chain.revert(before)
        return int(receipt["status"], 16) == 1


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with LocalChain.start() as chain:
        chain.request("evm_setNextBlockTimestamp", START)
        chain.mine()
        lyra = deploy_lyra(ChainEvm(chain), START)
        chain.request("evm_setAutomine", False)  # a block in the making would outlive the revert
        chain.request("evm_setNextBlockTimestamp", START + 100)
        chain.mine()
        trade = {"strikeId": 2, "positionId": 0, "iterations": 1, "optionType": 0, "amount": wad("1")}
        bounds = {"setCollateralTo": 0, "minTotalCost": 0, "maxTotalCost": MAX_UINT256}
        yield Market(chain, lyra, lyra.encode("OptionMarket", "openPosition", trade | bounds))


async def test_estimate_of_a_position_runs_out_of_gas_in_a_later_block(market: Market) -> None:
    node = await Node.connect(market.chain.url)
    trade = TxCall(DEPLOYER, market.lyra.at["OptionMarket"], market.data)
    estimate = await node.estimate_gas(trade, await node.get_block())
    assert len({market.open_after(delay, estimate) for delay in DELAYS}) == 2
    await node.close()


@pytest.mark.parametrize("where", ["node", "in process"])
async def test_gas_limit_of_a_position_is_enough_in_every_later_block(market: Market, where: str) -> None:
    node = await Node.connect(market.chain.url)
    rules, block = GasRules(), await node.get_block()
    runner: Runner = NodeRunner(node, rules) if where == "node" else InProcessRunner(node, rules)
    plan = TxPlan(
        cause=sign_transfer(),
        block=block,
        purpose=Purpose.CANCEL,  # the gas alone is asked for
        sender=DEPLOYER,
        to=market.lyra.at["OptionMarket"],
        data=market.data,
        value_wei=0,
        fees=Fees(10**11, 10**9),
    )
    free = await runner.run(plan, [block.gas_limit])
    (limit,) = await find_gas_limits(runner, plan, free, rules)
    assert all(market.open_after(delay, limit) for delay in DELAYS)
    assert limit < 2 * free[0].results[0].gas_used
    await node.close()
