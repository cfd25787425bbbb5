"""Balancer's published bytecode in an in-process EVM, and pools of any layout on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from eth_abi import decode, encode

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.deploy.balancer_v2 import deploy_balancer_v2
from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_weth
from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Address, Exact, Log, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues import SwapTerms
from onchain_exec.venues.balancer import BalancerPool, BalancerStablePool, BalancerWeightedPool

CHAIN_ID = 1337
FACTORIES = "dist/tasks/deprecated/{}/artifact/{}.json"
HELD = 2**200  # of each token, by the trader: more than any pool can hold

CREATE_WEIGHTED_V1 = Function("create(string,string,address[],uint256[],uint256,address)", "(address)")
CREATE_WEIGHTED_V2 = Function(
    "create(string,string,address[],uint256[],address[],uint256,address)", "(address)"
)
CREATE_COMPOSABLE = Function(
    "create(string,string,address[],uint256,address[],uint256[],bool[],uint256,address)", "(address)"
)
CREATE_META_STABLE = Function(
    "create(string,string,address[],uint256,address[],uint256[],uint256,bool,address)", "(address)"
)
FUNDS = "(address,bool,address,bool)"
QUERY_SWAP = Function(f"querySwap((bytes32,uint8,address,address,uint256,bytes),{FUNDS})", "(uint256)")
JOIN = Function("joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))")
EXIT = Function("exitPool(bytes32,address,address,(address[],uint256[],bytes,bool))")
BALANCE_OF = Function("balanceOf(address)", "(uint256)")
OTHER = to_address("0x" + "ab" * 20)
GET_POOL_TOKENS = Function("getPoolTokens(bytes32)", "(address[],uint256[],uint256)")
GET_POOL_ID = Function("getPoolId()", "(bytes32)")
GET_BPT_INDEX = Function("getBptIndex()", "(uint256)")
MINT, APPROVE = Function("mint(address,uint256)"), Function("approve(address,uint256)")
TRADER = (DEPLOYER, False, DEPLOYER, False)


class BalancerChain:
    """The Vault, its factories and a stock of tokens."""

    def __init__(self) -> None:
        self.evm = LocalEvm(CHAIN_ID)
        weth = deploy_weth(self.evm, CHAIN_ID)
        self.contracts = deploy_balancer_v2(self.evm, weth.address)
        self.vault = self.contracts["vault"]
        self._stock: dict[int, list[Token]] = {}
        self.rates_made = 0
        self.weighted_v1 = self._deploy_old("20210418-weighted-pool", "WeightedPoolFactory")
        self.meta_stable = self._deploy_old("20210727-meta-stable-pool", "MetaStablePoolFactory")

    def get_tokens(self, decimals: Sequence[int]) -> tuple[Token, ...]:
        """Return tokens of these decimals, all different, sorted by address as the Vault wants them."""
        wanted = {places: list(decimals).count(places) for places in decimals}
        for places, count in wanted.items():
            stock = self._stock.setdefault(places, [])
            while len(stock) < count:
                stock.append(self._make_token(f"T{places}_{len(stock)}", places))
        tokens = [token for places, count in wanted.items() for token in self._stock[places][:count]]
        return tuple(sorted(tokens, key=lambda token: int(token.address, 16)))

    def make_weighted(
        self,
        tokens: tuple[Token, ...],
        balances: tuple[int, ...],
        weights: tuple[int, ...],
        fee_wad: int,
        pow_version: int,
    ) -> BalancerWeightedPool:
        """Create and seed a weighted pool of the 2021 (1) or the 2023 (2) factory."""
        addresses = [token.address for token in tokens]
        if pow_version == 1:
            data = CREATE_WEIGHTED_V1.encode("", "", addresses, weights, fee_wad, DEPLOYER)
            pool = self._create(self.weighted_v1, data)
        else:
            no_rates = [ZERO_ADDRESS] * len(tokens)
            data = CREATE_WEIGHTED_V2.encode("", "", addresses, weights, no_rates, fee_wad, DEPLOYER)
            pool = self._create(self.contracts["weighted_pool_factory"], data)
        pool_id = self._seed(pool, list(balances))
        return BalancerWeightedPool(
            pool, pool_id, self.vault, tokens, balances, fee_wad, weights, pow_version
        )

    def make_composable(
        self,
        tokens: tuple[Token, ...],
        balances: tuple[int, ...],
        rates: tuple[int, ...],
        fee_wad: int,
        amp: int,
    ) -> BalancerStablePool:
        """Create and seed a composable stable pool whose tokens have these rates, or none."""
        addresses, count = [token.address for token in tokens], len(tokens)
        providers = [self.make_rate(rate) for rate in rates] or [ZERO_ADDRESS] * count
        data = CREATE_COMPOSABLE.encode(
            "", "", addresses, amp, providers, [10**6] * count,
            [False] * count, fee_wad, DEPLOYER,
        )  # fmt: skip
        pool = self._create(self.contracts["composable_stable_pool_factory"], data)
        bpt = GET_BPT_INDEX.decode(self.evm.static_call(pool, GET_BPT_INDEX.encode()))[0]
        pool_id = self._seed(pool, [*balances[:bpt], 2**111, *balances[bpt:]], bpt)
        return self._stable(pool, pool_id, tokens, balances, rates, fee_wad, amp)

    def make_meta_stable(
        self,
        tokens: tuple[Token, ...],
        balances: tuple[int, ...],
        rates: tuple[int, ...],
        fee_wad: int,
        amp: int,
    ) -> BalancerStablePool:
        """Create and seed a meta-stable pool of two tokens (2021), whose invariant rounds up."""
        data = CREATE_META_STABLE.encode(
            "", "", [token.address for token in tokens], amp, [self.make_rate(rate) for rate in rates],
            [10**6] * 2, fee_wad, False, DEPLOYER,
        )  # fmt: skip
        pool = self._create(self.meta_stable, data)
        pool_id = self._seed(pool, list(balances))
        return self._stable(pool, pool_id, tokens, balances, rates, fee_wad, amp, rounds_up=True)

    def make_rate(self, rate_wad: int) -> Address:
        """Return a contract that answers every call with ``rate_wad``."""
        self.rates_made += 1
        address = to_address((0xFEED << 64 | self.rates_made).to_bytes(20, "big"))
        self.set_rate(address, rate_wad)
        return address

    def set_rate(self, provider: Address, rate_wad: int) -> None:
        """Let a contract of `make_rate` answer otherwise."""
        code = b"\x7f" + rate_wad.to_bytes(32, "big") + bytes.fromhex("60005260206000f3")
        self.evm.set_code(provider, code)

    def query(self, pool: BalancerPool, sides: tuple[Token, Token], amount: int, exact: Exact) -> int | str:
        """Return what ``BalancerQueries.querySwap`` answers: an amount, or the reason of the revert."""
        swap = (
            bytes.fromhex(pool.pool_id[2:]),
            int(exact is Exact.OUT),
            *(t.address for t in sides),
            amount,
            b"",
        )
        data = QUERY_SWAP.encode(swap, TRADER)
        try:
            return int(QUERY_SWAP.decode(self.evm.static_call(self.contracts["queries"], data))[0])
        except RevertError as error:
            return str(decode(["string"], error.data[4:])[0])

    def send(
        self, call: tuple[Address, bytes, int], sides: tuple[Token, Token]
    ) -> tuple[tuple[int, int], tuple[Log, ...]]:
        """Send a call; return what the trader gave and somebody else got of two tokens, and its logs."""
        before = self._get_held(sides)
        self.evm.call(DEPLOYER, *call)
        logs, after = self.evm.logs, self._get_held(sides)
        return (before[0] - after[0], after[1] - before[1]), logs

    def call(self, pool: Address, signature: str, *arguments: Any) -> tuple[Log, ...]:
        """Call a pool as its owner; return the logs."""
        self.evm.call(DEPLOYER, pool, Function(signature).encode(*arguments))
        return self.evm.logs

    def swap(self, pool: BalancerPool, rng: Random) -> tuple[Log, ...]:
        token_in, token_out = rng.sample(pool.tokens, 2)
        amount = max(1, pool.balances[pool.tokens.index(token_in)] // rng.randint(5, 500))
        terms = SwapTerms(Exact.IN, DEPLOYER, 2**63, amount, 0)
        self.evm.call(DEPLOYER, *pool.encode_swap(token_in, token_out, terms, DEPLOYER))
        return self.evm.logs

    def join(self, pool: BalancerPool, rng: Random) -> tuple[Log, ...]:
        """Add some of each token, for whatever share of the pool that gives."""
        exact_tokens_in = 1
        amounts = [balance // rng.randint(3, 300) for balance in pool.balances]
        user_data = encode(["uint256", "uint256[]", "uint256"], [exact_tokens_in, amounts, 0])
        return self._change_balances(JOIN, pool, MAX_UINT256, user_data)

    def exit(self, pool: BalancerPool, rng: Random) -> tuple[Log, ...]:
        """Give back a part of the share, for some of each token."""
        composable = isinstance(pool, BalancerStablePool) and not pool.invariant_rounds_up
        held = BALANCE_OF.decode(self.evm.static_call(pool.address, BALANCE_OF.encode(DEPLOYER)))[0]
        user_data = encode(["uint256", "uint256"], [2 if composable else 1, held // rng.randint(3, 300)])
        return self._change_balances(EXIT, pool, 0, user_data)

    def set_fee(self, pool: BalancerPool, rng: Random) -> tuple[Log, ...]:
        return self.call(pool.address, "setSwapFeePercentage(uint256)", rng.randint(10**12, 10**17))

    def _change_balances(
        self, function: Function, pool: BalancerPool, limit: int, user_data: bytes
    ) -> tuple[Log, ...]:
        data = GET_POOL_TOKENS.encode(pool.pool_id_bytes)
        addresses = GET_POOL_TOKENS.decode(self.evm.static_call(self.vault, data))[0]
        request = (addresses, [limit] * len(addresses), user_data, False)
        arguments = (pool.pool_id_bytes, DEPLOYER, DEPLOYER, request)
        self.evm.call(DEPLOYER, self.vault, function.encode(*arguments))
        return self.evm.logs

    def _get_held(self, sides: tuple[Token, Token]) -> tuple[int, int]:
        return get_balance(self.evm, sides[0], DEPLOYER), get_balance(self.evm, sides[1], OTHER)

    def get_balances(self, pool: BalancerPool) -> tuple[int, ...]:
        """Return the Vault's balances of the pool's tokens, without its own."""
        data = GET_POOL_TOKENS.encode(bytes.fromhex(pool.pool_id[2:]))
        addresses, balances, _ = GET_POOL_TOKENS.decode(self.evm.static_call(self.vault, data))
        pairs = zip(addresses, balances, strict=True)
        return tuple(balance for token, balance in pairs if to_address(token) != pool.address)

    def _deploy_old(self, task: str, name: str) -> Address:
        package = "@balancer-labs/v2-deployments"
        libraries = {}
        if name == "MetaStablePoolFactory":
            processor = read_contract(package, FACTORIES.format(task, "QueryProcessor"))
            libraries["QueryProcessor"] = self.evm.deploy(processor.creation_code())
        contract = read_contract(package, FACTORIES.format(task, name))
        return self.evm.deploy(contract.creation_code(self.vault, libraries=libraries))

    def _make_token(self, symbol: str, decimals: int) -> Token:
        token = deploy_token(self.evm, CHAIN_ID, symbol, decimals)
        self.evm.call(DEPLOYER, token.address, MINT.encode(DEPLOYER, HELD))
        self.evm.call(DEPLOYER, token.address, APPROVE.encode(self.vault, MAX_UINT256))
        return token

    def _create(self, factory: Address, data: bytes) -> Address:
        return to_address(decode(["address"], self.evm.call(DEPLOYER, factory, data))[0])

    def _seed(self, pool: Address, amounts: list[int], bpt: int | None = None) -> str:
        pool_id = GET_POOL_ID.decode(self.evm.static_call(pool, GET_POOL_ID.encode()))[0]
        data = GET_POOL_TOKENS.encode(pool_id)
        addresses: Any = GET_POOL_TOKENS.decode(self.evm.static_call(self.vault, data))[0]
        user_data = encode(["uint256", "uint256[]"], [0, amounts])
        limits = [MAX_UINT256 if index == bpt else amount for index, amount in enumerate(amounts)]
        request = (addresses, limits, user_data, False)
        self.evm.call(DEPLOYER, self.vault, JOIN.encode(pool_id, DEPLOYER, DEPLOYER, request))
        return "0x" + pool_id.hex()

    def _stable(
        self,
        pool: Address,
        pool_id: str,
        tokens: tuple[Token, ...],
        balances: tuple[int, ...],
        rates: tuple[int, ...],
        fee_wad: int,
        amp: int,
        rounds_up: bool = False,
    ) -> BalancerStablePool:
        rated = zip(tokens, rates or (WAD,) * len(tokens), strict=True)
        factors = tuple(10 ** (18 - token.decimals) * rate for token, rate in rated)
        terms = (fee_wad, factors, amp * 1000, rounds_up, not rates)
        made = BalancerStablePool(pool, pool_id, self.vault, tokens, balances, *terms)
        # scaling by a rate and back may have taken a unit less than was offered
        return replace(made, balances=self.get_balances(made))


WAD_PERCENT = WAD // 100
