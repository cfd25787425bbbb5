"""A desk at Aave's market on a chain of its own, and what tests do to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.path.context import Policy
from onchain_exec.app.sandbox.derivatives.aave_v3 import AaveMarket
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Token


@dataclass(frozen=True)
class Lending:
    """The chain, its market, and the trader's desk."""

    sandbox: Sandbox
    market: AaveMarket
    desk: Desk
    journal: Path

    def token(self, symbol: str) -> Token:
        return self.sandbox.deployment.tokens[symbol]

    def borrow_against_ten_ether(self, dollars: int) -> None:
        """The trader's account, opened without the desk: ten ether supplied, USDC borrowed."""
        trader, weth, usdc = self.sandbox.trader.address, self.token("WETH"), self.token("USDC")
        approve(self.market.deployed.evm, weth, trader, self.market.pool)
        self.market.act(trader, "supply", weth.address, 10**19, trader, 0)
        self.market.act(trader, "borrow", usdc.address, dollars * 10**6, 2, 0, trader)

    @contextmanager
    def impatient(self) -> Iterator[Desk]:
        """The same desk, which does not wait, on a chain that mines when it is told to."""
        self.sandbox.chain.request("evm_setAutomine", False)
        signer, policy = LocalSigner(self.sandbox.trader.key), Policy(confirm_timeout_s=0.0)
        with Desk.connect(
            self.sandbox.url, signer=signer, journal=self.journal, policy=policy, profile=self.sandbox.profile
        ) as desk:
            yield desk
        self.sandbox.chain.request("evm_setAutomine", True)

    def pay_to_set_price(self, symbol: str, price: int) -> None:
        """Send the oracle's update at the highest tip: it is the next block's first transaction."""
        prices = self.market.deployed
        data = prices.encode("prices", "setAssetPrice", self.token(symbol).address, price)
        fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11)}
        self.sandbox.chain.request(
            "eth_sendTransaction",
            {"from": DEPLOYER, "to": prices.at["prices"], "data": "0x" + data.hex(), **fees},
        )
