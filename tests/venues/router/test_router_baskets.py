"""Baskets and vaults through the real Router, over real pools and OpenZeppelin's vault, to the unit."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from eth_abi import encode
from router_market import BLOCK, CHAIN_ID, NEVER, RECIPIENT, RouterMarket
from solidity import compile_source

from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Exact, Token
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, NoRouteError, RevertError
from onchain_exec.routing import Basket, Network, Options, Shape, find_basket_route
from onchain_exec.routing.basket import BasketRoute
from onchain_exec.venues import Hop, Leg, Pool, PoolSet
from onchain_exec.venues.router import (
    BasketTerms,
    Venue,
    build_basket_call,
    build_router_call,
    plan_basket_swap,
    plan_router_swap,
)
from onchain_exec.venues.swap_router import SwapTerms
from onchain_exec.venues.vaults import Erc4626Pool, read_erc4626_pool

MINT = Function("mint(address,uint256)")
DEPOSIT = Function("deposit(uint256,address)")
GRAPH = Options(shape=Shape.GRAPH, max_hops=3)


def draw_route(market: RouterMarket, rng: Random) -> BasketRoute:
    """A basket of two to four tokens, each worth up to some 20,000 dollars, and its route."""
    token_out, *sold = rng.sample(market.tokens, rng.randint(3, 5))
    dollars = {"USDC": 10**6, "DAI": 10**18, "WBTC": 10**8 // 60_000}
    amounts = {
        token: dollars.get(token.symbol, 10**18 // 3_000) * rng.randint(1, 20_000) + rng.randrange(1_000)
        for token in sold
    }
    network = Network.build(PoolSet(BLOCK, tuple(market.pools.values())))
    return find_basket_route(Basket(amounts, token_out), network, options=GRAPH)


def make_basket_terms(route: BasketRoute) -> BasketTerms:
    return BasketTerms(route.amounts_in, route.searched_amount, RECIPIENT, NEVER)


def test_build_basket_call_random_baskets_fill_as_routed(market: RouterMarket, rng: Random) -> None:
    filled = 0
    for _ in range(12):
        mark = market.evm.snapshot()
        try:
            route = draw_route(market, rng)
        except NoRouteError:
            continue
        (token_out,) = route.amounts_out
        held = {token: market.get_balance(token, market.trader) for token in route.amounts_in}
        call = build_basket_call(route.legs, make_basket_terms(route), market.router)
        _, got = market.run(call, (token_out, token_out), market.trader)
        assert got == route.searched_amount
        for token, amount in route.amounts_in.items():
            assert held[token] - market.get_balance(token, market.trader) == amount
        market.evm.revert(mark)
        filled += len(route.amounts_in) > 1
    assert filled >= 6


def test_build_basket_call_market_moved_beyond_the_bound_reverts(market: RouterMarket, rng: Random) -> None:
    route = draw_route(market, rng)
    call = build_basket_call(route.legs, make_basket_terms(route), market.router)
    (token_out,) = route.amounts_out
    market.run(call, (token_out, token_out), market.trader)
    with pytest.raises(RevertError, match="AmountOutTooLow"):
        market.run(call, (token_out, token_out), market.trader)


def test_plan_basket_swap_legs_of_another_basket_raise_input_error(market: RouterMarket, rng: Random) -> None:
    route = draw_route(market, rng)
    terms = make_basket_terms(route)
    token, amount = next(iter(terms.amounts_in.items()))
    stranger = next(token for token in market.tokens if token not in terms.amounts_in)
    for changed in (
        replace(terms, amount_out_min=terms.amount_out_min + 1),
        replace(terms, amounts_in={**terms.amounts_in, token: amount + 1}),
        replace(terms, amounts_in={**terms.amounts_in, stranger: 1}),
        replace(terms, amounts_in={stranger: 1}),
    ):
        with pytest.raises(InputError):
            plan_basket_swap(route.legs, changed, market.router)
    with pytest.raises(InputError):
        plan_basket_swap((), terms, market.router)


def test_plan_basket_swap_hops_that_would_leave_tokens_in_the_router_raise_input_error(
    market: RouterMarket,
) -> None:
    """Each adds up by its amounts; what is bought of the first token, though, the caller would pay again."""
    tokens = {token.symbol: token for token in market.tokens}
    usdc, weth, dai = tokens["USDC"], tokens["WETH"], tokens["DAI"]

    def plan(*swaps: tuple[Token, Token, int], **given: int) -> None:
        legs = tuple(
            Leg((Hop(find_pool(market, *pair), *pair, amount, amount, 0),)) for *pair, amount in swaps
        )
        amounts = {tokens[name]: amount for name, amount in given.items()}
        plan_basket_swap(legs, BasketTerms(amounts, 0, RECIPIENT, 0), market.router)

    with pytest.raises(InputError, match="against the order"):
        plan((usdc, weth, 10), (dai, usdc, 5), (usdc, weth, 5), USDC=10, DAI=5)
    with pytest.raises(InputError, match="against the order"):
        plan((usdc, weth, 10), (weth, dai, 5), (dai, weth, 10), USDC=10, DAI=5)
    with pytest.raises(InputError, match="a token of the basket"):
        plan((dai, weth, 5), (usdc, weth, 10), USDC=10)


def find_pool(market: RouterMarket, token_in: Token, token_out: Token) -> Pool:
    return next(pool for pool in market.pools.values() if {token_in, token_out} <= {*pool.tokens})


class VaultMarket:
    """OpenZeppelin's vault of USDC, that earned something, with shares of the trader's."""

    def __init__(self, market: RouterMarket) -> None:
        self.market, self.usdc, self.weth = (
            market,
            *(market.deployment.tokens[name] for name in ("USDC", "WETH")),
        )
        arguments = encode(["address", "uint8", "uint256"], [self.usdc.address, 6, 0])
        vault = market.evm.deploy(compile_source("tests/venues/vaults/Vault.sol") + arguments)
        self.share = Token(CHAIN_ID, vault, "VLT", 12)
        approve(market.evm, self.usdc, market.trader, vault)
        approve(market.evm, self.share, market.trader, market.router.address)
        market.evm.call(market.trader, vault, DEPOSIT.encode(10**10, market.trader))
        market.evm.call(DEPLOYER, self.usdc.address, MINT.encode(vault, 777_777_777))
        self.pool: Erc4626Pool = market.perform(read_erc4626_pool(vault))

    def chain(self, amount: int, *tokens: Token) -> tuple[Leg, ...]:
        """A chain of hops over the vault and a v3 pool of USDC and WETH."""
        v3 = next(
            pool
            for pool in self.market.pools.values()
            if pool.kind == "uniswap_v3" and {*pool.tokens} == {self.usdc, self.weth}
        )
        hops = list[Hop]()
        for token_in, token_out in pairwise(tokens):
            pool = self.pool if self.share in (token_in, token_out) else v3
            done = pool.swap(token_in, token_out, amount, Exact.IN)
            hops.append(Hop(pool, token_in, token_out, done.amount_in, done.amount_out, done.fee_amount))
            amount = done.amount_out
        return (Leg(tuple(hops)),)


def test_build_router_call_through_a_vault_fills_as_quoted(market: RouterMarket, rng: Random) -> None:
    vault = VaultMarket(market)
    for tokens, most in (
        ((vault.usdc, vault.share), 10**9),
        ((vault.share, vault.usdc), 10**14),
        ((vault.weth, vault.usdc, vault.share), 10**18),
        ((vault.share, vault.usdc, vault.weth), 10**14),
    ):
        for _ in range(5):
            mark = market.evm.snapshot()
            legs = vault.chain(rng.randint(most // 10**6, most), *tokens)
            terms = SwapTerms(Exact.IN, RECIPIENT, NEVER, legs[0].amount_in, legs[0].amount_out)
            call = build_router_call(legs, terms, market.router)
            given, got = market.run(call, (tokens[0], tokens[-1]), market.trader)
            assert (given, got) == (terms.amount_in_max, terms.amount_out_min)
            assert market.get_balance(vault.share, market.router.address) == 0
            market.evm.revert(mark)


def test_plan_router_swap_exact_shares_of_a_vault_takes_the_quoted_input(market: RouterMarket) -> None:
    vault = VaultMarket(market)
    legs = vault.chain(10**8, vault.usdc, vault.share)
    terms = SwapTerms(Exact.OUT, RECIPIENT, NEVER, legs[0].amount_in, legs[0].amount_out)
    (hop,) = plan_router_swap(legs, terms, market.router).hops
    assert (hop.venue, hop.exact_out, hop.amount) == (Venue.VAULT, False, legs[0].amount_in)
    call = build_router_call(legs, terms, market.router)
    assert market.run(call, (vault.usdc, vault.share), market.trader) == (
        legs[0].amount_in,
        legs[0].amount_out,
    )


def test_build_basket_call_with_shares_of_a_vault_sells_them_all(market: RouterMarket) -> None:
    vault = VaultMarket(market)
    pools = PoolSet(BLOCK, (*market.pools.values(), vault.pool))
    route = find_basket_route(
        Basket({vault.share: 10**15, vault.weth: 10**17}, vault.usdc), pools, options=GRAPH
    )
    call = build_basket_call(route.legs, make_basket_terms(route), market.router)
    _, got = market.run(call, (vault.usdc, vault.usdc), market.trader)
    assert got == route.searched_amount
    assert vault.share in route.amounts_in
