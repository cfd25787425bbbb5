"""Random routes over the real v2 and v3 contracts, with a trader and a sandwich bot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp
from random import Random

from evm_market import BLOCK, SPACINGS, Market

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Exact, Token, to_address
from onchain_exec.routing import Network, Options, Route, Shape, Swap, find_route
from onchain_exec.testing.sandwich import Place, SandwichBot, Transaction
from onchain_exec.venues import Pool, PoolSet, SwapTerms
from onchain_exec.venues.swap_router import SwapRouter, build_swap_call
from onchain_exec.venues.uniswap_v2 import read_v2_pool
from onchain_exec.venues.uniswap_v3 import read_v3_pool

TRADER = to_address("0x" + "7e" * 20)
FOREVER = 1 << 62
PLENTY = 1 << 110
LAYOUTS = ("v2", "v3", "split", "chain")


@dataclass
class SandwichMarket:
    """Three tokens worth about the same, of which the third is only passed through."""

    market: Market
    token_in: Token
    token_out: Token
    between: Token

    @classmethod
    def deploy(cls) -> SandwichMarket:
        market = Market.deploy()
        between = deploy_token(market.evm, 1337, "MID", 18)
        fund(market.evm, between, DEPLOYER, PLENTY)
        approve(market.evm, between, DEPLOYER, market.v3["position_manager"])
        found = cls(market, market.token0, market.token1, between)
        found.make_bot({}).equip(found.tokens)
        for token in found.tokens:
            fund(market.evm, token, TRADER, PLENTY)
            approve(market.evm, token, TRADER, found.router.address)
        return found

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self.token_in, self.token_out, self.between

    @property
    def router(self) -> SwapRouter:
        return SwapRouter(self.market.v3["swap_router"], self.market.v2_deployment, self.market.v3_deployment)

    def make_bot(self, prices: Mapping[Token, Fraction], **depth: int) -> SandwichBot:
        return SandwichBot(self.market.evm, self.router, prices, **depth)

    def make_route(self, rng: Random, layout: str) -> Route:
        """Create pools and return a route in which every one of them takes part."""
        while True:
            mark = self.market.evm.snapshot()
            pools = self._make_pools(rng, layout)
            swap = Swap(self.token_in, self.token_out, int(10 ** rng.uniform(21, 23)))
            network = Network.build(PoolSet(BLOCK, pools))
            route = find_route(swap, network, options=Options(shape=Shape.PATHS))
            if {hop.pool.key for hop in route.hops} == {pool.key for pool in pools}:
                return route
            self.market.evm.revert(mark)

    def _make_pools(self, rng: Random, layout: str) -> tuple[Pool, ...]:
        a, b, between = self.tokens
        match layout:
            case "v2":
                return (self._add_v2(rng, a, b),)
            case "v3":
                return (self._add_v3(rng, a, b),)
            case "split":
                return self._add_v3(rng, a, b), self._add_v2(rng, a, b)
            case _:
                return self._add_any(rng, a, between), self._add_any(rng, between, b)

    def make_transaction(self, route: Route, amount_out_min: int) -> Transaction:
        """Return what the trader sends."""
        terms = SwapTerms(Exact.IN, TRADER, FOREVER, route.amount_in, amount_out_min)
        to, data, _ = build_swap_call(route.legs, terms, self.router)
        return Transaction(TRADER, to, data)

    def list_places(self, route: Route) -> list[Place]:
        hops = {hop.pool.key: hop for hop in route.hops}.values()
        return [Place(hop.pool, hop.token_in, hop.token_out, hop.amount_in) for hop in hops]

    def _add_any(self, rng: Random, a: Token, b: Token) -> Pool:
        return rng.choice((self._add_v2, self._add_v3))(rng, a, b)

    def _view(self, a: Token, b: Token) -> Market:
        token0, token1 = sorted((a, b), key=lambda token: token.address.lower())
        return replace(self.market, token0=token0, token1=token1)

    def _add_v2(self, rng: Random, a: Token, b: Token) -> Pool:
        view, reserve = self._view(a, b), 10 ** rng.uniform(22.5, 24.5)
        address = view.create_v2_pair(int(reserve), int(reserve * exp(rng.gauss(0, 0.001))))
        return view.perform(read_v2_pool(address))

    def _add_v3(self, rng: Random, a: Token, b: Token) -> Pool:
        view, fee_pips = self._view(a, b), rng.choice((100, 500, 3_000))
        spacing = SPACINGS[fee_pips]
        address = view.create_v3_pool(fee_pips, int(2**96 * exp(rng.gauss(0, 0.0005))))
        end = 887_200 // spacing * spacing
        view.add_position(fee_pips, (-end, end), (amount := int(10 ** rng.uniform(22, 24)), amount))
        for _ in range(rng.randint(1, 6)):
            middle, half = rng.randint(-10, 10), rng.randint(1, 40)
            ticks = (middle - half) * spacing, (middle + half) * spacing
            view.add_position(fee_pips, ticks, (amount := int(10 ** rng.uniform(21, 23)), amount))
        return view.perform(read_v3_pool(address, spacing=spacing))
