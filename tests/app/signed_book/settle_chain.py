"""A chain with tokens and Settle, and makers who hold, allow and sign."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from coincurve import PrivateKey
from eth_abi import encode

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.deploy.tokens import deploy_tokens
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.sandbox import CHAIN_ID
from onchain_exec.chain import DevAccount, LocalChain
from onchain_exec.clearing.settle import Domain, SettleFill, SettleOrder, Signed
from onchain_exec.clearing.settle.batch import encode_cancel, encode_take
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import ZERO_ADDRESS, Address, Token
from onchain_exec.core.artifact import get_artifact

WETH, USDC = 10**18, 10**6
_EXTRA: Final = ("--auto-impersonate",)
_LATE: Final = 2**32 - 1


@dataclass(frozen=True)
class Deployed:
    """What stands on the chain that tests load."""

    state: Path
    deployment: Deployment


@dataclass(frozen=True)
class SettleChain:
    """A loaded chain. Its third account and those after it are makers, the second trades. Tests may share it:
    each order is on a lane of its own."""

    chain: LocalChain
    deployment: Deployment
    lanes: Iterator[int] = field(default_factory=itertools.count)

    @property
    def evm(self) -> ChainEvm:
        return ChainEvm(self.chain)

    @property
    def profile(self) -> ChainProfile:
        return self.deployment.profile

    @property
    def contract(self) -> Address:
        return self.deployment.protocols["onchain_exec"]["settle"]

    @property
    def domain(self) -> Domain:
        return Domain(CHAIN_ID, self.contract)

    @property
    def trader(self) -> DevAccount:
        return self.chain.accounts[1]

    @property
    def makers(self) -> tuple[DevAccount, ...]:
        return self.chain.accounts[2:]

    @property
    def weth(self) -> Token:
        return self.deployment.tokens["WETH"]

    @property
    def usdc(self) -> Token:
        return self.deployment.tokens["USDC"]

    @property
    def now(self) -> int:
        return int(self.chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def order(self, seq: int = 1, maker: int = 0, **terms: Any) -> SettleOrder:
        """Return an order of a maker's: a WETH for 2,000 USDC, for a minute."""
        return SettleOrder(
            **{
                "owner": self.makers[maker].address,
                "token_in": self.weth.address,
                "token_out": self.usdc.address,
                "amount_in": WETH,
                "amount_out": 2_000 * USDC,
                "deadline_at": self.now + 600,
                "lane": next(self.lanes),
                "seq": seq,
            }
            | terms
        )

    def sign(self, order: SettleOrder, account: DevAccount | None = None) -> Signed:
        """Sign for the owner, or with another's key."""
        return self.sign_digest(self.domain.get_digest(order), account or self._find(order.owner))

    def sign_withdrawal(self, digest: bytes, account: DevAccount) -> Signed:
        return self.sign_digest(self.domain.get_withdrawal_digest(digest), account)

    def sign_digest(self, digest: bytes, account: DevAccount) -> Signed:
        key = PrivateKey(bytes.fromhex(account.key[2:]))
        return Signed.by_key(key.sign_recoverable(digest, hasher=None))

    def resting(self, order: SettleOrder) -> OpenOrder:
        return OpenOrder(self.domain.get_digest(order), order, self.sign(order))

    def take(self, order: SettleOrder, amount_in: int) -> None:
        """Let the trader fill a part of an order."""
        amount_out = -(-order.amount_out * amount_in // order.amount_in)
        fill = SettleFill(order, self.sign(order), amount_in, amount_out)
        self.evm.call(self.trader.address, self.contract, encode_take(fill))

    def cancel(self, order: SettleOrder) -> None:
        """Let the owner cancel on chain."""
        self.evm.call(order.owner, self.contract, encode_cancel(order.lane, order.seq))

    def _find(self, owner: Address) -> DevAccount:
        return next(account for account in self.chain.accounts if account.address == owner)


@cache
def deploy_settle_chain(folder: Path) -> Deployed:
    """Deploy tokens and Settle, and leave the chain in a file, once for each process."""
    state = folder / "settle_chain.json"
    with LocalChain.start(chain_id=CHAIN_ID, extra=_EXTRA) as chain:
        evm, trader = ChainEvm(chain), chain.accounts[1].address
        tokens = deploy_tokens(evm, CHAIN_ID)
        arguments = encode(["address", "uint256", "uint256"], [ZERO_ADDRESS, _LATE, _LATE])
        contract = evm.deploy(get_artifact("Settle").bytecode + arguments)
        for account in chain.accounts[1:]:
            for token, amount in ((tokens["WETH"], 100 * WETH), (tokens["USDC"], 500_000 * USDC)):
                fund(evm, token, account.address, amount)
                approve(evm, token, account.address, contract)
        deployment = Deployment(CHAIN_ID, tokens, {"onchain_exec": {"settle": contract}}, (), trader, 0)
        chain.dump_state(state)
    return Deployed(state, deployment)


@contextmanager
def load_settle_chain(deployed: Deployed) -> Iterator[SettleChain]:
    """Start a chain of one's own from the file."""
    with LocalChain.start(state=deployed.state, extra=_EXTRA) as chain:
        chain.mine()
        yield SettleChain(chain, deployed.deployment)
