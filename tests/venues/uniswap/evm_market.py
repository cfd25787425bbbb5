"""The real v2 and v3 contracts in this process, with random pools: what the models are compared with."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from eth_abi import decode
from evm_reading import perform

from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_weth
from onchain_exec.app.sandbox.deploy.uniswap_v2 import deploy_uniswap_v2
from onchain_exec.app.sandbox.deploy.uniswap_v3 import deploy_uniswap_v3
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, BlockRef, Exact, Reading, Token, to_address
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.concentrated.tick_math import MAX_TICK, MIN_TICK
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment

T = TypeVar("T")
BLOCK = BlockRef(1337, 1, "0x" + "0" * 64, 1_700_000_000, 0, 30_000_000)
NEVER = 2**63
PLENTY = 2**253
SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}

_CREATE_PAIR = Function("createPair(address,address)", "(address)")
_MINT_PAIR = Function("mint(address)", "(uint256)")
_CREATE_POOL = Function("createAndInitializePoolIfNecessary(address,address,uint24,uint160)", "(address)")
_MINT_POSITION = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
    "(uint256,uint128,uint256,uint256)",
)
_SWAP_ONE = {
    Exact.IN: Function(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
    ),
    Exact.OUT: Function(
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
    ),
}
V3_SWAP = Event(
    "Swap(address,address,int256,int256,uint160,uint128,int24)",
    ("address", "address"),
    ("int256", "int256", "uint160", "uint128", "int24"),
)


@dataclass
class Market:
    """One in-process chain with Uniswap v2, v3 and two tokens in their order; DEPLOYER owns plenty."""

    evm: LocalEvm
    weth: Token
    token0: Token
    token1: Token
    v2: dict[str, Address]
    v3: dict[str, Address]

    @classmethod
    def deploy(cls) -> Market:
        evm = LocalEvm()
        weth = deploy_weth(evm, 1337)
        tokens = [deploy_token(evm, 1337, symbol, 18) for symbol in ("AAA", "BBB")]
        token0, token1 = sorted(tokens, key=lambda token: token.address.lower())
        v2 = deploy_uniswap_v2(evm, weth.address)
        v3 = deploy_uniswap_v3(evm, weth.address, v2["factory"])
        for token in tokens:
            fund(evm, token, DEPLOYER, PLENTY)
            for spender in (v2["router"], v3["position_manager"], v3["swap_router"]):
                approve(evm, token, DEPLOYER, spender)
        return cls(evm, weth, token0, token1, v2, v3)

    @property
    def v2_deployment(self) -> UniswapV2Deployment:
        return UniswapV2Deployment(self.v2["factory"])

    @property
    def v3_deployment(self) -> UniswapV3Deployment:
        return UniswapV3Deployment(self.v3["factory"])

    def pair(self, down: bool) -> tuple[Token, Token]:
        return (self.token0, self.token1) if down else (self.token1, self.token0)

    def perform(self, reading: Reading[T]) -> T:
        """Run a described reading, state overrides included."""
        return perform(self.evm, reading)

    def reset_pools(self) -> None:
        """Make room for other pools of the same two tokens: a new deployment of both protocols."""
        fresh = Market.deploy()
        self.__dict__.update(fresh.__dict__)

    def create_v2_pair(self, reserve0: int, reserve1: int) -> Address:
        created = self.evm.call(
            DEPLOYER, self.v2["factory"], _CREATE_PAIR.encode(self.token0.address, self.token1.address)
        )
        address = to_address(_CREATE_PAIR.decode(created)[0])
        fund(self.evm, self.token0, address, reserve0)
        fund(self.evm, self.token1, address, reserve1)
        self.evm.call(DEPLOYER, address, _MINT_PAIR.encode(DEPLOYER))
        return address

    def create_v3_pool(self, fee_pips: int, sqrt_price_x96: int) -> Address:
        created = self.evm.call(
            DEPLOYER,
            self.v3["position_manager"],
            _CREATE_POOL.encode(self.token0.address, self.token1.address, fee_pips, sqrt_price_x96),
        )
        return to_address(_CREATE_POOL.decode(created)[0])

    def add_position(self, fee_pips: int, ticks: tuple[int, int], amounts: tuple[int, int]) -> None:
        """Mint a position; one that the pool refuses (no liquidity, too much) is left out."""
        arguments = (
            self.token0.address, self.token1.address, fee_pips, *ticks, *amounts, 0, 0, DEPLOYER, NEVER,
        )  # fmt: skip
        mark = self.evm.snapshot()
        try:
            self.evm.call(DEPLOYER, self.v3["position_manager"], _MINT_POSITION.encode(arguments))
        except RevertError:
            self.evm.revert(mark)

    def swap_v3(self, fee_pips: int, down: bool, amount: int, exact: Exact, limit_x96: int = 0) -> Any:
        """Swap through SwapRouter02; return the pool's Swap event as (in, out, price, liquidity, tick)."""
        token_in, token_out = self.pair(down)
        bound = 0 if exact is Exact.IN else PLENTY
        arguments = (
            token_in.address, token_out.address, fee_pips, DEPLOYER, amount, bound, limit_x96,
        )  # fmt: skip
        self.evm.call(DEPLOYER, self.v3["swap_router"], _SWAP_ONE[exact].encode(arguments))
        log = next(log for log in self.evm.logs if log.topics[0] == V3_SWAP.topic)
        _, (amount0, amount1, price, liquidity, tick) = V3_SWAP.decode(log.topics, log.data)
        amount_in, amount_out = (amount0, -amount1) if down else (amount1, -amount0)
        return amount_in, amount_out, price, liquidity, tick


def get_reason(error: RevertError) -> str:
    """Return the string of ``Error(string)``, or nothing: a bare require or a halt."""
    return str(decode(["string"], error.data[4:])[0]) if len(error.data) > 4 else ""


def log_uniform(rng: random.Random, low: int, high: int) -> int:
    """Return an int whose number of bits is uniform."""
    bits = rng.randint(low.bit_length(), high.bit_length())
    return max(low, min(high, rng.getrandbits(bits) | 1 << bits - 1))


def undone(evm: LocalEvm, action: Callable[[], T]) -> T:
    """Return what ``action`` returns, and undo what it did."""
    mark = evm.snapshot()
    try:
        return action()
    finally:
        evm.revert(mark)


def list_ticks(rng: random.Random, tick: int, spacing: int) -> tuple[int, int]:
    """Return a random range of ticks: wide, narrow, whole, on or off the current one."""
    low, high = -(-MIN_TICK // spacing), MAX_TICK // spacing
    kind = rng.randrange(4)
    if kind == 0:
        return low * spacing, high * spacing
    reach = (3, 30, 600)[kind - 1]
    middle = tick // spacing
    ends = sorted(min(max(middle + rng.randint(-reach, reach), low), high) for _ in range(2))
    if ends[0] == ends[1]:
        ends[1 if ends[1] < high else 0] += 1 if ends[1] < high else -1
    return ends[0] * spacing, ends[1] * spacing
