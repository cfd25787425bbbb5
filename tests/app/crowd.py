"""Others on the chain: random swaps, joins and exits on Uniswap and Balancer, one transaction a block."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from eth_abi import encode

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Address, Exact, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import RevertError
from onchain_exec.venues import Pool, SwapTerms
from onchain_exec.venues.balancer import BalancerPool, BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.concentrated.ladder import get_end_price
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool
from onchain_exec.venues.uniswap_v4.key import KEY_TYPE

NEVER = 2**48 - 1
_V2_SWAP = Function("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)")
_V3_SWAP = Function("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))")
_V3_MINT = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
    "(uint256,uint128,uint256,uint256)",
)
_V3_BURN = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
_V4_SWAP = Function(f"swap({KEY_TYPE},(bool,int256,uint160),(bool,bool),bytes)")
_V4_MODIFY = Function(f"modifyLiquidity({KEY_TYPE},(int24,int24,int256,bytes32),bytes)")
_JOIN = Function("joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))")
_EXIT = Function("exitPool(bytes32,address,address,(address[],uint256[],bytes,bool))")


@dataclass
class Crowd:
    """The sandbox's deployer, who is rich, acting on given pools. What a pool refuses is left out."""

    sandbox: Sandbox
    rng: random.Random
    v3_positions: list[tuple[int, int]] = field(default_factory=list)
    v4_positions: list[tuple[UniswapV4Pool, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.evm = ChainEvm(self.sandbox.chain)
        protocols = self.sandbox.deployment.protocols
        manager = protocols["uniswap_v4"]["pool_manager"]
        self.v4_swapper, self.v4_provider = (
            self.evm.deploy(
                read_contract("@uniswap/v4-periphery", f"foundry-out/{path}.json").creation_code(manager)
            )
            for path in (
                "PoolSwapTest.sol/PoolSwapTest.default",
                "PoolModifyLiquidityTestNoChecks.sol/PoolModifyLiquidityTestNoChecks",
            )
        )
        self.v2_router = protocols["uniswap_v2"]["router"]
        self.v3_router = protocols["uniswap_v3"]["swap_router"]
        self.v3_manager = protocols["uniswap_v3"]["position_manager"]
        self.vault = protocols["balancer_v2"]["vault"]
        spenders = (
            *(self.v2_router, self.v3_router, self.v3_manager),
            *(self.v4_swapper, self.v4_provider, self.vault),
        )
        for token in self.sandbox.deployment.tokens.values():
            self.sandbox.fund(DEPLOYER, token, 10**9 * 10**token.decimals)
            for spender in spenders:
                approve(self.evm, token, DEPLOYER, spender)
        self.evm.set_balance(DEPLOYER, 10**30)

    def act(self, pool: Pool) -> str:
        """Mine one random action on a pool; return its name, or nothing if the pool refused it."""
        on_balancer = self.rng.choice((self._swap_balancer, self._join_balancer, self._exit_balancer))
        acts: dict[type, Callable[[Pool], None]] = {
            BalancerWeightedPool: on_balancer,
            BalancerStablePool: on_balancer,
            UniswapV2Pool: self._swap_v2,
            UniswapV3Pool: self.rng.choice((self._swap_v3, self._swap_v3, self._mint_v3, self._burn_v3)),
            UniswapV4Pool: self.rng.choice((self._swap_v4, self._swap_v4, self._mint_v4, self._burn_v4)),
        }
        chosen = acts[type(pool)]
        try:
            chosen(pool)
        except RevertError:
            return ""
        return chosen.__name__

    def _draw(self, pool: Pool) -> tuple[Token, Token, int]:
        token_in, token_out = self.rng.sample(pool.tokens, 2)
        whole = {"WETH": 1, "ETH": 1, "WBTC": 0.05}.get(token_in.symbol, 3_000)
        return token_in, token_out, int(whole * 10**token_in.decimals * self.rng.lognormvariate(0, 1.5))

    def _range(self, pool: UniswapV3Pool | UniswapV4Pool) -> tuple[int, int]:
        spacing = pool.curve.ticks.spacing
        middle = pool.curve.tick // spacing
        lower = middle + self.rng.randint(-30, 20)
        return lower * spacing, (lower + self.rng.randint(1, 40)) * spacing

    def _call(self, to: Address, data: bytes, value_wei: int = 0) -> None:
        self.evm.call(DEPLOYER, to, data, value_wei)

    def _swap_v2(self, pool: UniswapV2Pool) -> None:
        token_in, token_out, amount = self._draw(pool)
        path = (token_in.address, token_out.address)
        self._call(self.v2_router, _V2_SWAP.encode(amount, 0, path, DEPLOYER, NEVER))

    def _swap_v3(self, pool: UniswapV3Pool) -> None:
        token_in, token_out, amount = self._draw(pool)
        terms = (token_in.address, token_out.address, pool.curve.fee_pips, DEPLOYER, amount, 0, 0)
        self._call(self.v3_router, _V3_SWAP.encode(terms))

    def _mint_v3(self, pool: UniswapV3Pool) -> None:
        amounts = [10 ** (token.decimals + 1) for token in pool.tokens]
        pair = [token.address for token in pool.tokens]
        terms = (*pair, pool.curve.fee_pips, *self._range(pool), *amounts, 0, 0, DEPLOYER, NEVER)
        data = _V3_MINT.encode(terms)
        made = _V3_MINT.decode(self.evm.static_call(self.v3_manager, data))
        self._call(self.v3_manager, data)
        self.v3_positions.append((made[0], made[1]))

    def _burn_v3(self, pool: UniswapV3Pool) -> None:
        if not self.v3_positions:
            self._mint_v3(pool)
        position, liquidity = self.v3_positions.pop(self.rng.randrange(len(self.v3_positions)))
        self._call(self.v3_manager, _V3_BURN.encode((position, liquidity, 0, 0, NEVER)))

    def _swap_v4(self, pool: UniswapV4Pool) -> None:
        token_in, _, amount = self._draw(pool)
        down = token_in == pool.tokens[0]
        terms = (down, -amount, get_end_price(down))
        data = _V4_SWAP.encode(pool.pool_key.to_tuple(), terms, (False, False), b"")
        self._call(self.v4_swapper, data, 2 * amount if token_in.symbol == "ETH" else 0)

    def _mint_v4(self, pool: UniswapV4Pool) -> None:
        position = (pool, *self._range(pool), self.rng.randrange(10**9, 10**14))
        self._modify(*position)
        self.v4_positions.append(position)

    def _burn_v4(self, pool: UniswapV4Pool) -> None:
        if not self.v4_positions:
            self._mint_v4(pool)
        owned, lower, upper, liquidity = self.v4_positions.pop()
        self._modify(owned, lower, upper, -liquidity)

    def _modify(self, pool: UniswapV4Pool, lower: int, upper: int, delta: int) -> None:
        terms = (lower, upper, delta, bytes(32))
        data = _V4_MODIFY.encode(pool.pool_key.to_tuple(), terms, b"")
        self._call(self.v4_provider, data, 10**24 if pool.tokens[0].symbol == "ETH" and delta > 0 else 0)

    def _swap_balancer(self, pool: BalancerPool) -> None:
        token_in, token_out, amount = self._draw(pool)
        terms = SwapTerms(Exact.IN, DEPLOYER, NEVER, amount, 0)
        self._call(*pool.encode_swap(token_in, token_out, terms, DEPLOYER))

    def _join_balancer(self, pool: BalancerPool) -> None:
        amounts = [10**token.decimals + self.rng.randrange(1_000) for token in pool.tokens]
        exact_tokens_in = 1
        user_data = encode(["uint256", "uint256[]", "uint256"], [exact_tokens_in, amounts, 0])
        self._change_balances(_JOIN, pool, MAX_UINT256, user_data)

    def _exit_balancer(self, pool: BalancerPool) -> None:
        proportional = 1 if isinstance(pool, BalancerWeightedPool) else 2
        user_data = encode(["uint256", "uint256"], [proportional, 10**15 + self.rng.randrange(1_000)])
        self._change_balances(_EXIT, pool, 0, user_data)

    def _change_balances(self, function: Function, pool: BalancerPool, limit: int, user_data: bytes) -> None:
        own = () if isinstance(pool, BalancerWeightedPool) else (pool.address,)
        assets = sorted((*own, *(token.address for token in pool.tokens)), key=str.lower)
        request = (assets, [limit] * len(assets), user_data, False)
        self._call(self.vault, function.encode(pool.pool_id_bytes, DEPLOYER, DEPLOYER, request))
