import pytest
from real_quotes import RealPools

from onchain_exec.app.sandbox import Deployment, Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.deploy.everything import deploy_everything
from onchain_exec.core import to_address
from onchain_exec.testing.evm import LocalEvm

TRADER = to_address("0x" + "77" * 20)


@pytest.fixture(scope="session")
def deployed() -> tuple[LocalEvm, Deployment]:
    """Everything, in this process. Read from it only."""
    evm = LocalEvm()
    return evm, deploy_everything(evm, 1337, TRADER)


@pytest.fixture(scope="session")
def real_pools(deployed: tuple[LocalEvm, Deployment]) -> RealPools:
    """The pools in this process, as their own contracts quote them."""
    return RealPools(*deployed)


@pytest.fixture
def fork_pools(fork: Sandbox) -> RealPools:
    """The pools of the fork."""
    return RealPools(ChainEvm(fork.chain), fork.deployment)
