"""The real v4 contracts in this process, swapped through v4-core's own test routers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from evm_market import Market, list_ticks, log_uniform

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.deploy.permit2 import deploy_permit2
from onchain_exec.app.sandbox.deploy.uniswap_v4 import deploy_uniswap_v4
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Address, Exact, Token
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import RevertError
from onchain_exec.venues.concentrated.tick_math import (
    MAX_SQRT_PRICE_X96,
    MIN_SQRT_PRICE_X96,
    get_sqrt_price_at_tick,
    get_tick_at_sqrt_price,
)
from onchain_exec.venues.uniswap_v4 import PoolKey
from onchain_exec.venues.uniswap_v4.key import KEY_TYPE

ETHER = Token(1337, ZERO_ADDRESS, "ETH", 18)
TREASURY_WEI = 2**200

_INITIALIZE = Function(f"initialize({KEY_TYPE},uint160)", "(int24)")
_SET_CONTROLLER = Function("setProtocolFeeController(address)")
_SET_PROTOCOL_FEE = Function(f"setProtocolFee({KEY_TYPE},uint24)")
_MODIFY = Function(f"modifyLiquidity({KEY_TYPE},(int24,int24,int256,bytes32),bytes)", "(int256)")
_SWAP = Function(f"swap({KEY_TYPE},(bool,int256,uint160),(bool,bool),bytes)", "(int256)")
V4_SWAP = Event(
    "Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)",
    ("bytes32", "address"),
    ("int128", "int128", "uint160", "uint128", "int24", "uint24"),
)


@dataclass
class V4Market:
    """A PoolManager on a `Market`, with the protocol's fees in DEPLOYER's hands."""

    market: Market
    contracts: dict[str, Address]
    permit2: Address
    swapper: Address
    provider: Address

    @classmethod
    def deploy(cls, market: Market) -> V4Market:
        evm = market.evm
        permit2 = deploy_permit2(evm)
        contracts = deploy_uniswap_v4(evm, market.weth.address, permit2)
        manager = contracts["pool_manager"]
        swapper, provider = (
            evm.deploy(
                read_contract("@uniswap/v4-periphery", f"foundry-out/{path}.json").creation_code(manager)
            )
            for path in (
                "PoolSwapTest.sol/PoolSwapTest.default",
                "PoolModifyLiquidityTestNoChecks.sol/PoolModifyLiquidityTestNoChecks",
            )
        )
        evm.set_balance(DEPLOYER, TREASURY_WEI)
        for token in (market.token0, market.token1):
            for spender in (swapper, provider, permit2):
                approve(evm, token, DEPLOYER, spender)
        evm.call(DEPLOYER, manager, _SET_CONTROLLER.encode(DEPLOYER))
        return cls(market, contracts, permit2, swapper, provider)

    @property
    def manager(self) -> Address:
        return self.contracts["pool_manager"]

    def tokens(self, native: bool) -> tuple[Token, Token]:
        return (ETHER, self.market.token1) if native else (self.market.token0, self.market.token1)

    def initialize(self, key: PoolKey, sqrt_price_x96: int, protocol_fee: int = 0) -> None:
        self.market.evm.call(DEPLOYER, self.manager, _INITIALIZE.encode(key.to_tuple(), sqrt_price_x96))
        if protocol_fee:
            self.market.evm.call(
                DEPLOYER, self.manager, _SET_PROTOCOL_FEE.encode(key.to_tuple(), protocol_fee)
            )

    def modify(self, key: PoolKey, ticks: tuple[int, int], delta: int) -> bool:
        """Add or remove liquidity; return whether the pool took it (not where it is too much)."""
        value_wei = 2**190 if key.currency0 == ZERO_ADDRESS else 0
        data = _MODIFY.encode(key.to_tuple(), (*ticks, delta, b"\0" * 32), b"")
        mark = self.market.evm.snapshot()
        try:
            self.market.evm.call(DEPLOYER, self.provider, data, value_wei)
        except RevertError:
            self.market.evm.revert(mark)
            return False
        return True

    def swap(self, key: PoolKey, down: bool, amount: int, exact: Exact, limit_x96: int) -> Any:
        """Swap up to a price; return the event as (in, out, price, liquidity, tick)."""
        value_wei = 2**190 if key.currency0 == ZERO_ADDRESS else 0
        specified = -amount if exact is Exact.IN else amount
        data = _SWAP.encode(key.to_tuple(), (down, specified, limit_x96), (False, False), b"")
        self.market.evm.call(DEPLOYER, self.swapper, data, value_wei)
        log = next(log for log in self.market.evm.logs if log.topics[0] == V4_SWAP.topic)
        _, (amount0, amount1, price, liquidity, tick, _) = V4_SWAP.decode(log.topics, log.data)
        return *((-amount0, amount1) if down else (-amount1, amount0)), price, liquidity, tick

    def create_random(self, rng: random.Random) -> PoolKey:
        """Create a random pool: fee, spacing, protocol fees, native currency or not, positions."""
        (spacing,) = rng.choices((1, 10, 60, 200, 16_383), (1, 6, 18, 18, 4))
        fee = rng.choice((0, 100, 500, 3_000, 10_000, rng.randrange(1_000_000)))
        one, other = self.tokens(rng.random() < 0.3)
        key = PoolKey(one.address, other.address, fee, spacing, ZERO_ADDRESS)
        if rng.random() < 0.1:
            price = log_uniform(rng, MIN_SQRT_PRICE_X96 + 1, MAX_SQRT_PRICE_X96 - 1)
        else:
            price = get_sqrt_price_at_tick(rng.randint(-40_000, 40_000)) + rng.getrandbits(60)
        protocol_fee = rng.choice((0, rng.randrange(1_001) | rng.randrange(1_001) << 12))
        self.initialize(key, price, protocol_fee)
        for _ in range(rng.randint(1, 12)):
            ticks = list_ticks(rng, get_tick_at_sqrt_price(price), spacing)
            self.modify(key, ticks, log_uniform(rng, 1, 2**105))
        return key
