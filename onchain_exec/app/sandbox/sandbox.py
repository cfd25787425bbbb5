"""A local chain that trades: anvil with the real protocols, seeded, and a funded trader."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from onchain_exec.app.configuration.registry import ChainProfile, get_chain_profile
from onchain_exec.app.sandbox.cache import get_cache_root, get_deployed, read_deployment
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.deploy.everything import TRADER_USD, deploy_everything
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.erc20 import deal, fund
from onchain_exec.app.sandbox.packages import fetch_packages
from onchain_exec.app.sandbox.seed.prices import USD_PRICES, get_amount
from onchain_exec.chain import DevAccount, LocalChain
from onchain_exec.core import Address, Token
from onchain_exec.errors import ConfigError

CHAIN_ID = 1337
_EXTRA = ("--auto-impersonate",)  # anyone may send through the node, as on its forks
_TRADER = 1  # of the node's test accounts; the first deploys


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running chain and what stands on it; a context manager that ends the chain.

    ``loaded`` is the file that the chain was loaded from and the block it then stood at, if it was.
    """

    chain: LocalChain
    deployment: Deployment
    loaded: tuple[Path, int] | None = None

    @classmethod
    def start(cls, fork_url: str | None = None, *, port: int = 0, cache_root: Path | None = None) -> Self:
        """Start a chain of id 1337 with everything deployed, from the cache if it was deployed before.

        With ``fork_url`` the chain goes on from that one, under its id: another sandbox and a chain
        of our data file keep what they have (the latter's tokens are given to the trader), any
        other gets ours deployed on it. ``port`` 0 takes a free one.

        Raises:
            MissingToolError: anvil is not installed, or the packages are missing and npm cannot
                fetch them.
            NodeError: the chain to fork does not answer.
        """
        root = cache_root or get_cache_root()
        if fork_url:
            return cls._start_fork(fork_url, port, read_deployment(root))
        state, deployment = get_deployed(root, _deploy)
        return cls._loaded(LocalChain.start(state=state, port=port, extra=_EXTRA), deployment, state)

    @classmethod
    def _loaded(cls, chain: LocalChain, deployment: Deployment, state: Path) -> Self:
        chain.mine()  # the newest block is of now, as on a live chain
        return cls(chain, deployment, (state, _head(chain)))

    @classmethod
    def _start_fork(cls, url: str, port: int, own: Deployment | None) -> Self:
        with ExitStack() as unless_done:
            chain = unless_done.enter_context(
                LocalChain.start(chain_id=None, fork_url=url, port=port, extra=_EXTRA)
            )
            if own and own.chain_id == chain.chain_id and _has_code(chain, own.tokens["WETH"]):
                deployment = own
            else:
                profile = _find_profile(chain)
                deployment = _adopt(chain, profile) if profile else _deploy_on(chain)
            unless_done.pop_all()
        return cls(chain, deployment)

    def fork(self) -> Sandbox:
        """Return a new sandbox that goes on from this one as it is now, which must outlive it.

        Where nothing has been mined here it is loaded from the same file: a fork asks its parent for
        every slot it reads, thousands for the ticks of a pool.
        """
        state, block_number = self.loaded or (Path(), -1)
        if block_number == _head(self.chain) and state.is_file():
            return self._loaded(self.chain.fork(state), self.deployment, state)
        chain = self.chain.fork()
        chain.mine()
        return Sandbox(chain, self.deployment)

    @property
    def url(self) -> str:
        """The JSON-RPC address."""
        return self.chain.url

    @property
    def trader(self) -> DevAccount:
        """The funded account, with its (public) key."""
        return self.chain.accounts[_TRADER]

    @property
    def profile(self) -> ChainProfile:
        """The chain as a desk wants it described."""
        return self.deployment.profile

    def fund(self, account: Address, token: Token, amount: int) -> None:
        """Give an account more of any token, in base units; wrapped ether comes with its ether."""
        if token == self.profile.wrapped_native:
            fund(ChainEvm(self.chain), token, account, amount)
        else:
            deal(self.chain, token, account, amount)

    def to_json(self) -> dict[str, Any]:
        """Return what a program needs to use it: URL, chain id, addresses."""
        return {
            "rpc_url": self.url,
            "chain_id": self.deployment.chain_id,
            "trader": self.trader.address,
            "tokens": {symbol: token.address for symbol, token in self.deployment.tokens.items()},
            "protocols": self.deployment.to_json()["protocols"],
        }

    def close(self) -> None:
        """End the chain."""
        self.chain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _deploy(state: Path) -> Deployment:
    fetch_packages()
    with LocalChain.start(chain_id=CHAIN_ID, extra=_EXTRA) as chain:
        deployment = _deploy_on(chain)
        chain.dump_state(state)
        return deployment


def _deploy_on(chain: LocalChain) -> Deployment:
    deployment = deploy_everything(ChainEvm(chain), chain.chain_id, chain.accounts[_TRADER].address)
    return replace(deployment, block_number=_head(chain))


def _adopt(chain: LocalChain, profile: ChainProfile) -> Deployment:
    """Give the trader the tokens of a chain whose protocols stand already."""
    trader = chain.accounts[_TRADER].address
    tokens = {symbol: token for symbol, token in profile.tokens.items() if symbol in USD_PRICES}
    for token in tokens.values():
        deal(chain, token, trader, get_amount(token, TRADER_USD))
    return Deployment(profile.chain_id, profile.tokens, profile.protocols, (), trader, _head(chain))


def _find_profile(chain: LocalChain) -> ChainProfile | None:
    """Return the profile of the chain, or None if it only bears the id (a local chain with id 1)."""
    try:
        profile = get_chain_profile(chain.chain_id)
    except ConfigError:
        return None
    return profile if _has_code(chain, profile.wrapped_native) else None


def _has_code(chain: LocalChain, token: Token) -> bool:
    return bool(chain.request("eth_getCode", token.address, "latest") != "0x")


def _head(chain: LocalChain) -> int:
    return int(chain.request("eth_blockNumber"), 16)
