"""RMM-01's bytecode in an in-process EVM, with pools of tokens of 18 and 6 decimals."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from eth_abi.packed import encode_packed
from eth_utils import keccak
from evm_reading import perform

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.primitive import deploy_primitive
from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, Token
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.options.primitive.pool import Calibration, RmmPool
from onchain_exec.venues.options.primitive.reads import RmmAccount, read_account, read_pool

START = 1_700_000_000
DAY = 86_400


@dataclass(frozen=True)
class RmmChain:
    """An engine; the deployer trades through its router."""

    evm: LocalEvm
    primitive: Deployed
    risky: Token
    stable: Token

    @classmethod
    def start(cls) -> RmmChain:
        evm = LocalEvm(timestamp=START)
        risky, stable = deploy_token(evm, 1337, "WETH9", 18), deploy_token(evm, 1337, "USDC", 6)
        for token in (risky, stable):
            fund(evm, token, DEPLOYER, 10**12 * 10**token.decimals)
        return cls(evm, deploy_primitive(evm, risky, stable), risky, stable)

    @property
    def engine(self) -> Address:
        return self.primitive.at["engine"]

    def create(self, terms: Calibration, risky_per_lp: int, liquidity: int) -> bytes:
        """Create a pool and return its id."""
        numbers = (terms.strike, terms.sigma, terms.maturity, terms.gamma)
        self.primitive.call("router", "create", *numbers, risky_per_lp, liquidity, b"")
        kinds = ("address", "uint128", "uint32", "uint32", "uint32")
        return keccak(encode_packed(kinds, (self.engine, *numbers)))

    def create_random(self, rng: Random) -> bytes:
        terms = Calibration(
            int(10 ** rng.uniform(6, 10.5)),
            rng.randint(1_000, 20_000),
            self.evm.timestamp + rng.randint(1, 365) * DAY,
            rng.randint(9_900, 9_999),
        )
        liquidity = int(10 ** rng.uniform(18, 24))
        return self.create(terms, int(rng.uniform(0.05, 0.95) * 1e18), liquidity)

    def read(self, pool_id: bytes) -> RmmPool:
        return perform(self.evm, read_pool(self.engine, pool_id))

    def read_account(self, pool_id: bytes, owner: Address) -> RmmAccount:
        return perform(self.evm, read_account(self.engine, pool_id, owner))

    def swap(self, pool_id: bytes, sells_risky: bool, amount_in: int, amount_out: int) -> None:
        self.primitive.call(
            "router", "swap", DEPLOYER, pool_id, sells_risky, amount_in, amount_out, False, False, b""
        )
