"""A desk at Aave's market on a chain of its own, and what tests do to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onchain_exec import Desk
from onchain_exec.app.sandbox.derivatives.aave_v3 import AaveMarket
from onchain_exec.app.sandbox.erc20 import approve
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
