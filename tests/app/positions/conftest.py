"""A desk on a chain of its own with Aave v3, loaded from one that was deployed once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.context import Policy
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.deploy.everything import TRADER_USD
from onchain_exec.app.sandbox.deploy.tokens import deploy_tokens
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.derivatives.aave_v3 import AaveMarket, add_aave_v3
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import CHAIN_ID, Sandbox
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.chain import LocalChain
from onchain_exec.core import Token
from onchain_exec.core.artifact import get_artifact

_EXTRA = ("--auto-impersonate",)


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


@pytest.fixture(scope="session")
def deployed_lending(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sandbox, AaveMarket]:
    """A chain with nothing but tokens, the Guard and the market: it loads in a moment."""
    state = tmp_path_factory.mktemp("aave") / "state.json"
    with LocalChain.start(chain_id=CHAIN_ID, extra=_EXTRA) as chain:
        evm, trader = ChainEvm(chain), chain.accounts[1].address
        tokens = deploy_tokens(evm, CHAIN_ID)
        for token in tokens.values():
            fund(evm, token, trader, get_amount(token, TRADER_USD))
        own = {"guard": evm.deploy(get_artifact("Guard").bytecode)}
        deployment = Deployment(CHAIN_ID, tokens, {"onchain_exec": own}, (), trader, 0)
        sandbox, market = add_aave_v3(Sandbox(chain, deployment))
        chain.dump_state(state)
    return state, sandbox, market


@pytest.fixture
def lending(deployed_lending: tuple[Path, Sandbox, AaveMarket], tmp_path: Path) -> Iterator[Lending]:
    state, deployed, market = deployed_lending
    with LocalChain.start(state=state, extra=_EXTRA) as chain:
        chain.mine()
        sandbox = Sandbox(chain, deployed.deployment)
        own = AaveMarket(replace(market.deployed, evm=ChainEvm(chain)))
        signer, journal = LocalSigner(sandbox.trader.key), tmp_path / "journal.sqlite"
        with Desk.connect(chain.url, signer=signer, journal=journal, profile=sandbox.profile) as desk:
            yield Lending(sandbox, own, desk, journal)
