"""Solidly pools executed: a stand-in that knows the curves alone takes what the model says, and tells it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pool_laws
import pytest
from evm_reading import perform
from random_cases import pick_scale
from solidity import compile_stand_in

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.erc20 import approve, fund, get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, Exact, Log, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, NoPoolError, RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues import Hop, Leg, PoolFill, SwapTerms
from onchain_exec.venues.solidly import (
    SolidlyPool,
    SolidlyRouter,
    build_solidly_call,
    read_solidly_pool,
)
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

CHAIN_ID, NEVER = 1337, 2**63
RECIPIENT = to_address("0x" + "ab" * 20)
SYNC, PAUSE = Function("sync()"), Function("pause()")
CREATE = Function("create(address,address,bool,uint256)", "(address)")
SWAP_V1 = Function("swapExactTokensForTokens(uint256,uint256,(address,address,bool)[],address,uint256)")


@dataclass(frozen=True)
class Market:
    """The factory and the router on one chain; DEPLOYER holds plenty of each token that is made."""

    evm: LocalEvm
    factory: Address
    router: SolidlyRouter

    def make_tokens(self, *decimals: int) -> list[Token]:
        """Return new tokens by address, which the router may take."""
        tokens = [deploy_token(self.evm, CHAIN_ID, f"T{places}", places) for places in decimals]
        for token in tokens:
            fund(self.evm, token, DEPLOYER, 2**200)
            approve(self.evm, token, DEPLOYER, self.router.address)
        return sorted(tokens, key=lambda token: token.address.lower())

    def make_pool(
        self, pair: list[Token], reserves: tuple[int, int], stable: bool, fee_bps: int
    ) -> SolidlyPool:
        data = CREATE.encode(*(token.address for token in pair), stable, fee_bps)
        pool = to_address(CREATE.decode(self.evm.call(DEPLOYER, self.factory, data))[0])
        for token, reserve in zip(pair, reserves, strict=True):
            fund(self.evm, token, pool, reserve)
        self.evm.call(DEPLOYER, pool, SYNC.encode())
        return self.read(pool)

    def read(self, pool: Address) -> SolidlyPool:
        return perform(self.evm, read_solidly_pool(pool))

    def swap(self, leg: Leg, terms: SwapTerms) -> tuple[Log, ...]:
        self.evm.call(DEPLOYER, *build_solidly_call(leg, terms, self.router))
        return self.evm.logs


@pytest.fixture(scope="module")
def market() -> Market:
    evm = LocalEvm(CHAIN_ID)
    factory, router = (
        evm.deploy(compile_stand_in(name)) for name in ("SolidlyFactoryStandIn", "SolidlyRouterStandIn")
    )
    return Market(evm, factory, SolidlyRouter(router, factory))


def quote_leg(hops: list[tuple[SolidlyPool, Token, Token]], amount: int) -> Leg:
    made = []
    for pool, token_in, token_out in hops:
        done = pool.swap(token_in, token_out, amount, Exact.IN)
        made.append(Hop(pool, token_in, token_out, done.amount_in, done.amount_out, done.fee_amount))
        amount = done.amount_out
    return Leg(tuple(made))


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("decimals", [(18, 18), (6, 18)])
def test_swap_through_the_router_is_what_the_model_says(
    market: Market, rng: Random, stable: bool, decimals: tuple[int, int]
) -> None:
    pair = market.make_tokens(*decimals)
    whole = pick_scale(rng, 10**3, 10**8)
    reserve0, reserve1 = (int(whole * 10**token.decimals * rng.uniform(0.3, 3)) for token in pair)
    pool = market.make_pool(pair, (reserve0, reserve1), stable, rng.choice((0, 1, 5, 30)))
    for _ in range(60):
        sides = rng.sample(pair, 2)
        amount = pick_scale(rng, 10, 10 ** sides[0].decimals * whole // 3)
        done = pool_laws.outcome(lambda: pool.swap(*sides, amount, Exact.IN))  # noqa: B023 - called at once
        if isinstance(done, str):
            continue
        terms = SwapTerms(Exact.IN, RECIPIENT, NEVER, amount, done.amount_out)
        had = get_balance(market.evm, sides[1], RECIPIENT)
        logs = market.swap(quote_leg([(pool, *sides)], amount), terms)
        assert get_balance(market.evm, sides[1], RECIPIENT) - had == done.amount_out
        fills = [fill for log in logs if (fill := pool.decode_fill(log)) is not None]
        assert fills == [PoolFill(*sides, amount, done.amount_out)]
        followed = pool
        for log in logs:
            followed = followed.apply(log)
        pool = done.pool_after
        assert followed == pool == market.read(pool.address)


def test_swap_through_the_router_over_two_pools_keeps_its_minimum(market: Market) -> None:
    first, second, third = market.make_tokens(18, 18, 18)
    stable = market.make_pool([first, second], (10**24, 10**24), True, 5)
    volatile = market.make_pool([second, third], (10**24, 10**22), False, 30)
    leg = quote_leg([(stable, first, second), (volatile, second, third)], 10**20)
    terms = SwapTerms(Exact.IN, RECIPIENT, NEVER, leg.amount_in, leg.amount_out)
    market.swap(leg, terms)
    assert get_balance(market.evm, third, RECIPIENT) == leg.amount_out
    with pytest.raises(RevertError, match="InsufficientOutputAmount"):  # the pools have moved
        market.swap(leg, terms)


def test_read_of_a_paused_factory_s_pool_is_refused(market: Market) -> None:
    pool = market.make_pool(market.make_tokens(18, 18), (10**24, 10**24), True, 5)
    mark = market.evm.snapshot()
    market.evm.call(DEPLOYER, market.factory, PAUSE.encode())
    with pytest.raises(NoPoolError, match="paused"):
        market.read(pool.address)
    market.evm.revert(mark)


def test_build_solidly_call_of_version_1_names_no_factory(market: Market) -> None:
    pair = market.make_tokens(18, 18)
    leg = quote_leg([(market.make_pool(pair, (10**24, 10**24), True, 5), *pair)], 10**18)
    terms, router = SwapTerms(Exact.IN, RECIPIENT, NEVER, 10**18, 1), market.router.address
    to, data, value_wei = build_solidly_call(leg, terms, SolidlyRouter(router))
    amount, bound, routes, recipient, deadline_at = SWAP_V1.decode_arguments(data)
    assert (to, value_wei, amount, bound, deadline_at) == (router, 0, 10**18, 1, NEVER)
    ((sold, bought, stable),) = routes
    assert [*map(to_address, (sold, bought, recipient))] == [*(token.address for token in pair), RECIPIENT]
    assert stable


def test_build_solidly_call_of_what_its_router_has_not_is_refused(market: Market) -> None:
    pair = market.make_tokens(18, 18)
    leg = quote_leg([(market.make_pool(pair, (10**24, 10**24), True, 5), *pair)], 10**18)
    with pytest.raises(InputError, match="exact output"):
        build_solidly_call(leg, SwapTerms(Exact.OUT, RECIPIENT, NEVER, 10**18, 1), market.router)
    pool = UniswapV2Pool(RECIPIENT, *pair, 10**18, 10**18)
    other = Leg((Hop(pool, *pair, 10, 9, 1),))
    with pytest.raises(InputError, match="does not reach"):
        build_solidly_call(other, SwapTerms(Exact.IN, RECIPIENT, NEVER, 10, 1), market.router)
