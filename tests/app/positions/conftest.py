"""A desk on a chain of its own with Aave v3, loaded from one that was deployed once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lending_desk import Lending

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.deploy.everything import TRADER_USD
from onchain_exec.app.sandbox.deploy.tokens import deploy_tokens
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.derivatives.aave_v3 import AaveMarket, add_aave_v3
from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.sandbox import CHAIN_ID, Sandbox
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.chain import LocalChain
from onchain_exec.core.artifact import get_artifact

_EXTRA = ("--auto-impersonate",)


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
