"""A real v3 pool with a clock, and feeds that answer what they are told, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from eth_abi import encode

from onchain_exec.app.sandbox.deploy.everything import deploy_everything
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, Answer, BlockRef, Exact, Reading, Snapshot, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.prices import Feed
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool, read_v3_pool

T = TypeVar("T")
TRADER = to_address("0x" + "07" * 20)
GROW = Function("increaseObservationCardinalityNext(uint16)")
DESCRIBE = Function("describe(string)")
UPDATE = Function("update(int256,uint256,uint256)")
SWAP = Function("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)")
OBSERVE = Function("observe(uint32[])", "(int56[],uint160[])")


@dataclass
class PriceChain:
    """One pool of WETH and USDC, as its model sees it; trading moves both."""

    evm: LocalEvm
    pool: UniswapV3Pool
    router: Address
    weth: Token
    usdc: Token

    @classmethod
    def deploy(cls) -> PriceChain:
        evm = LocalEvm(1337)
        deployment = deploy_everything(evm, 1337, TRADER)
        key = next(key for key in deployment.pools if key.startswith("uniswap_v3"))
        router = deployment.protocols["uniswap_v3"]["swap_router"]
        made = cls(evm, None, router, deployment.tokens["WETH"], deployment.tokens["USDC"])  # type: ignore[arg-type]
        made.pool = made.perform(read_v3_pool(to_address(key.split(":")[1])))
        for token in (made.weth, made.usdc):
            approve(evm, token, TRADER, router)
        evm.call(DEPLOYER, made.pool.address, GROW.encode(200))
        return made

    def perform(self, reading: Reading[T]) -> T:
        """Run a described reading at the newest block."""
        try:
            calls = next(reading)
            while True:
                block = BlockRef(1337, 1, "0x" + "0" * 64, self.evm.timestamp, 0, 30_000_000)
                calls = reading.send(Snapshot(block, tuple(self._answers(calls))))
        except StopIteration as done:
            result: T = done.value
            return result

    def _answers(self, calls: tuple) -> Iterator[Answer]:
        for call in calls:
            mark = self.evm.snapshot()
            try:
                if call.code:
                    self.evm.set_code(call.to, call.code)
                yield Answer(True, self.evm.call(DEPLOYER, call.to, call.data))
            except RevertError as error:
                yield Answer(False, error.data)
            finally:
                self.evm.revert(mark)

    def wait(self, seconds: int) -> None:
        self.evm.timestamp += seconds

    def trade(self, token_in: Token, amount: int) -> None:
        """Sell to the pool, in the contract and in the model."""
        token_out = self.usdc if token_in == self.weth else self.weth
        terms = (token_in.address, token_out.address, self.pool.curve.fee_pips, TRADER, amount, 0, 0)
        self.evm.call(TRADER, self.router, SWAP.encode(terms))
        after = self.pool.swap(token_in, token_out, amount, Exact.IN).pool_after
        assert isinstance(after, UniswapV3Pool)
        self.pool = after

    def add_feed(
        self, decimals: int, answer: int, heartbeat_s: int = 3_600, description: str = "ETH / USD"
    ) -> Feed:
        code = get_artifact("FeedStandIn").bytecode + encode(["uint8", "int256"], [decimals, answer])
        feed = Feed(self.evm.deploy(code), heartbeat_s, description)
        self.evm.call(DEPLOYER, feed.address, DESCRIBE.encode(description))
        return feed

    def update(self, feed: Feed, answer: int, started_at: int, updated_at: int) -> None:
        self.evm.call(DEPLOYER, feed.address, UPDATE.encode(answer, started_at, updated_at))
