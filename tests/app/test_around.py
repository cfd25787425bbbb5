"""After a trade, on the real pools: who was around it in its block, in the journal and for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runner import Cli
from few_venues import with_few_venues

from onchain_exec import Desk, LocalSigner, OrderState
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.core import Address
from onchain_exec.core.abi import Function
from onchain_exec.execution.channels import Channel
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.surroundings import NeighbourKind

SWAP = Function("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)")
SIZE = 20 * 10**18


class Block:
    """A block that holds our sale, and what an attacker puts around it."""

    def __init__(self, fork: Sandbox, folder: Path) -> None:
        self.fork, self.chain, self.evm = fork, fork.chain, ChainEvm(fork.chain)
        self.folder = folder
        self.buyer, self.seller = (account.address for account in fork.chain.accounts[6:8])
        self.weth, self.usdc = fork.profile.tokens["WETH"], fork.profile.tokens["USDC"]
        contracts = fork.profile.protocols
        self.router = contracts["uniswap_v3"]["swap_router"]
        for account, token in ((self.buyer, self.weth), (self.seller, self.usdc)):
            fork.fund(account, token, 10**6 * 10**token.decimals)
            approve(self.evm, token, account, self.router)
        for spender in (contracts["onchain_exec"]["router"], self.router):
            approve(self.evm, self.weth, fork.trader.address, spender)
        self.chain.request("evm_setAutomine", False)

    def sell(self, *, attacked: bool, back: bool = True) -> OrderView:
        """Sell 60 WETH; the block is mined when the swap has been sent."""

        def observe(step: Step, _: object) -> None:
            if step is Step.SENT:
                if attacked:
                    self._attack(back=back)
                self.chain.request("evm_mine")

        with Desk.connect(
            self.fork.url,
            signer=LocalSigner(self.fork.trader.key),
            journal=self.folder / "journal.sqlite",
            profile=with_few_venues(self.fork.profile),
            observe=observe,
        ) as desk:
            return desk.sell("WETH", "60", buy="USDC", max_slippage_bps=100)

    def _attack(self, *, back: bool) -> None:
        """Two accounts, by their fees before us and behind us: the one sells what the other buys."""
        bought = SWAP.decode(self.evm.static_call(self.router, self._encode(SIZE), self.buyer))[0]
        self._send(self.buyer, self._encode(SIZE), max_fee_wei=10**12)
        if back:
            self._send(
                self.seller, self._encode(bought, down=False), max_fee_wei=self.get_base_fee() * 9 // 8
            )

    def _encode(self, amount: int, *, down: bool = True) -> bytes:
        pair = (self.weth, self.usdc) if down else (self.usdc, self.weth)
        owner = self.buyer if down else self.seller
        return SWAP.encode((*(token.address for token in pair), 500, owner, amount, 0, 0))

    def get_base_fee(self) -> int:
        return int(self.chain.request("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    def _send(self, sender: Address, data: bytes, max_fee_wei: int) -> None:
        fields = {"from": sender, "to": self.router, "data": "0x" + data.hex(), "gas": hex(10**6)}
        fees = {"maxFeePerGas": hex(max_fee_wei), "maxPriorityFeePerGas": "0x0"}
        self.chain.request("eth_sendTransaction", fields | fees)


@pytest.fixture
def block(fork: Sandbox, tmp_path: Path) -> Block:
    return Block(fork, tmp_path)


def test_sell_that_is_sandwiched_is_known_to_be_with_what_it_lost(block: Block, cli: Cli) -> None:
    order = block.sell(attacked=True)
    assert order.state is OrderState.FILLED
    assert order.fill is not None
    found = order.surroundings
    assert found is not None
    (attack,) = found.neighbours
    assert (attack.kind, found.is_attacked, found.is_exact) == (NeighbourKind.SANDWICH, True, True)
    assert order.quote is not None
    assert found.loss == attack.loss == order.quote.amount_out - order.fill.amount_out
    told = json.loads(cli.run("channels", "--json").stdout)["channels"]
    assert told["public"] == {"waited_blocks": 1, "included": 1, "seen": 1, "harmed": 1, "refunded": 0}
    shown = cli.run("show", order.order_id).stdout
    assert "sandwich" in shown
    assert f"{attack.tx_hashes[0][:10]}…" in shown


def test_sell_behind_another_is_displaced_and_not_sandwiched(block: Block) -> None:
    found = block.sell(attacked=True, back=False).surroundings
    assert found is not None
    assert [item.kind for item in found.neighbours] == [NeighbourKind.DISPLACEMENT]
    assert (found.is_attacked, found.loss) == (False, 0)
    assert found.neighbours[0].loss > 0


def test_sell_alone_has_nobody_around_it_and_goes_the_only_way_there_is(block: Block) -> None:
    order = block.sell(attacked=False)
    assert order.surroundings is not None
    assert order.surroundings.neighbours == ()
    assert order.decision is not None
    assert order.decision.channel is Channel.PUBLIC
    assert dict(order.decision.excluded)[Channel.PROTECTED] == "no protected endpoint (private+URL)"
