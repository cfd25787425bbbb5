"""SwapRouter02: calldata and back, and routes run through the real contract."""

from __future__ import annotations

import random

import pytest
from evm_market import NEVER, PLENTY, Market
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.erc20 import approve, fund, get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, Exact, Token, to_address
from onchain_exec.errors import InputError, RevertError
from onchain_exec.venues import Hop, Leg, Pool
from onchain_exec.venues.erc20 import get_balance_changes
from onchain_exec.venues.swap_router import (
    RouterCall,
    SwapRouter,
    SwapTerms,
    Sweep,
    V2Swap,
    V3Swap,
    build_swap_call,
    decode_router_call,
    encode_router_call,
    plan_swap,
)
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment, UniswapV2Pool, read_v2_pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment, read_v3_pool

RECIPIENT = to_address("0x" + "ab" * 20)

addresses = st.binary(min_size=20, max_size=20).map(to_address)
amounts = st.integers(0, 2**256 - 1)
sides = st.sampled_from(Exact)


@st.composite
def v3_swaps(draw: st.DrawFn) -> V3Swap:
    fees = tuple(draw(st.lists(st.integers(0, 2**24 - 1), min_size=1, max_size=4)))
    path = tuple(draw(st.lists(addresses, min_size=len(fees) + 1, max_size=len(fees) + 1)))
    return V3Swap(draw(sides), path, fees, draw(addresses), draw(amounts), draw(amounts))


v2_swaps = st.builds(
    V2Swap, sides, st.lists(addresses, min_size=2, max_size=5).map(tuple), addresses, amounts, amounts
)
sweeps = st.builds(Sweep, addresses, amounts, addresses)
calls = st.builds(
    RouterCall, st.integers(0, 2**64), st.lists(v2_swaps | v3_swaps() | sweeps, max_size=6).map(tuple)
)


@given(calls)
def test_decode_router_call_of_encoded_returns_the_same(call: RouterCall) -> None:
    assert decode_router_call(encode_router_call(call)) == call


MULTICALL = encode_router_call(RouterCall(0, ()))[:4]


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: MULTICALL + data))
def test_decode_router_call_of_other_calldata_raises_input_error(calldata: bytes) -> None:
    with pytest.raises(InputError):
        decode_router_call(calldata)


class Square:
    """Three tokens: v2 and v3 pools between A and B, v3 between B and C, v2 between B and C."""

    def __init__(self, market: Market) -> None:
        evm = market.evm
        self.market = market
        self.a, self.b = market.token0, market.token1
        self.c = deploy_token(evm, 1337, "CCC", 18)
        fund(evm, self.c, DEPLOYER, PLENTY)
        for spender in (market.v3["position_manager"], market.v3["swap_router"]):
            approve(evm, self.c, DEPLOYER, spender)
        self.ab_v2 = self._make_v2(self.a, self.b)
        self.ab_v3 = self._make_v3(self.a, self.b, 500)
        self.bc_v3 = self._make_v3(self.b, self.c, 3_000)
        self.bc_v2 = self._make_v2(self.b, self.c)
        self.router = SwapRouter(market.v3["swap_router"], market.v2_deployment, market.v3_deployment)

    def _make_v2(self, one: Token, other: Token) -> Pool:
        side = Market(**{**vars(self.market), "token0": one, "token1": other})
        return self.market.perform(read_v2_pool(side.create_v2_pair(3 * 10**24, 2 * 10**24)))

    def _make_v3(self, one: Token, other: Token, fee_pips: int) -> Pool:
        token0, token1 = sorted((one, other), key=lambda token: token.address.lower())
        side = Market(**{**vars(self.market), "token0": token0, "token1": token1})
        address = side.create_v3_pool(fee_pips, 2**96)
        for reach in (60, 600, 6_000):
            side.add_position(fee_pips, (-reach, reach), (10**23, 10**23))
        return self.market.perform(read_v3_pool(address))

    def run(self, legs: tuple[Leg, ...], terms: SwapTerms) -> tuple[int, int]:
        """Send the calldata; return what the trader gave and the recipient got, by their logs."""
        to, data, value_wei = build_swap_call(legs, terms, self.router)
        token_in, token_out = legs[0].hops[0].token_in, legs[0].hops[-1].token_out
        before = get_balance(self.market.evm, token_out, terms.recipient)
        self.market.evm.call(DEPLOYER, to, data, value_wei)
        logs = self.market.evm.logs
        got = get_balance_changes(logs, terms.recipient)[token_out.address]
        assert got == get_balance(self.market.evm, token_out, terms.recipient) - before
        return -get_balance_changes(logs, DEPLOYER)[token_in.address], got


@pytest.fixture
def square(market: Market) -> Square:
    return Square(market)


def make_leg(hops: list[tuple[Pool, Token, Token]], amount: int, exact: Exact) -> Leg:
    """Return the leg whose first input (or last output) is ``amount``."""
    made: list[Hop] = []
    for pool, token_in, token_out in hops if exact is Exact.IN else hops[::-1]:
        result = pool.swap(token_in, token_out, amount, exact)
        made.append(Hop(pool, token_in, token_out, result.amount_in, result.amount_out, result.fee_amount))
        amount = result.amount_out if exact is Exact.IN else result.amount_in
    return Leg(tuple(made if exact is Exact.IN else made[::-1]))


def make_legs(square: Square, names: list[str], total: int, exact: Exact) -> tuple[Leg, ...]:
    """Return legs from A to C through the named pools, each taking (giving) an equal part."""
    legs = []
    for name in names:
        first, second = name.split()
        hops = [
            (getattr(square, f"ab_{first}"), square.a, square.b),
            (getattr(square, f"bc_{second}"), square.b, square.c),
        ]
        legs.append(make_leg(hops, total // len(names), exact))
    return tuple(legs)


def make_terms(legs: tuple[Leg, ...], exact: Exact, slack: int = 0) -> SwapTerms:
    amount_in, amount_out = sum(leg.amount_in for leg in legs), sum(leg.amount_out for leg in legs)
    if exact is Exact.IN:
        return SwapTerms(exact, RECIPIENT, NEVER, amount_in, amount_out - slack)
    return SwapTerms(exact, RECIPIENT, NEVER, amount_in + slack, amount_out)


ROUTES = [["v2 v2"], ["v3 v3"], ["v2 v3"], ["v3 v2"], ["v2 v2", "v3 v3"], ["v3 v2", "v2 v3"]]


@pytest.mark.parametrize("names", ROUTES, ids=" and ".join)
@pytest.mark.parametrize("exact", Exact)
def test_build_swap_call_two_hops_fills_as_quoted(square: Square, names: list[str], exact: Exact) -> None:
    legs = make_legs(square, names, random.Random(str(names)).randrange(10**18, 10**22), exact)
    terms = make_terms(legs, exact)
    amount_in, amount_out = square.run(legs, terms)
    assert amount_in == terms.amount_in_max
    # what exact output buys in two kinds of calls is at least the amount: see `plan_swap`
    mixed = exact is Exact.OUT and any(name in ("v2 v3", "v3 v2") for name in names)
    assert 0 <= amount_out - terms.amount_out_min <= (1_000 if mixed else 0)


@pytest.mark.parametrize("names", ROUTES, ids=" and ".join)
@pytest.mark.parametrize("exact", Exact)
def test_build_swap_call_bound_missed_by_one_unit_reverts(
    square: Square, names: list[str], exact: Exact
) -> None:
    legs = make_legs(square, names, 10**20, exact)
    tight = make_terms(legs, exact)
    # the pool has moved against the trader between quote and execution
    moving = make_legs(square, [names[0]], 10**16, Exact.IN)
    square.run(moving, make_terms(moving, Exact.IN))
    with pytest.raises(RevertError):
        square.run(legs, tight)


@pytest.mark.parametrize("names", ROUTES, ids=" and ".join)
def test_build_swap_call_exact_in_slack_lets_a_moved_pool_fill(square: Square, names: list[str]) -> None:
    legs = make_legs(square, names, 10**20, Exact.IN)
    moving = make_legs(square, [names[0]], 10**16, Exact.IN)
    square.run(moving, make_terms(moving, Exact.IN))
    terms = make_terms(legs, Exact.IN, 10**18)
    amount_in, amount_out = square.run(legs, terms)
    assert amount_in == 10**20
    assert terms.amount_out_min < amount_out < terms.amount_out_min + 10**18


def test_build_swap_call_exact_out_slack_lets_a_moved_pool_fill(square: Square) -> None:
    legs = make_legs(square, ["v2 v2", "v3 v3"], 10**20, Exact.OUT)
    moving = make_legs(square, ["v2 v2"], 10**16, Exact.IN)
    square.run(moving, make_terms(moving, Exact.IN))
    terms = make_terms(legs, Exact.OUT, 10**18)
    amount_in, amount_out = square.run(legs, terms)
    assert amount_out == terms.amount_out_min
    assert terms.amount_in_max - 10**18 < amount_in < terms.amount_in_max


@given(st.lists(st.integers(1, 2**128), min_size=1, max_size=8), st.integers(0, 2**128))
def test_plan_swap_exact_out_maxima_add_up_and_cover_each_leg(weights: list[int], slack: int) -> None:
    pools = FakePair()
    legs = tuple(Leg((Hop(pools.pool, pools.a, pools.b, weight, 1, 0),)) for weight in weights)
    terms = SwapTerms(Exact.OUT, RECIPIENT, 1, sum(weights) + slack, len(weights))
    steps = plan_swap(legs, terms, pools.router).steps
    maxima = [step.bound for step in steps if isinstance(step, V2Swap)]
    assert sum(maxima) == terms.amount_in_max
    assert all(bound >= weight for bound, weight in zip(maxima, weights, strict=True))


class FakePair:
    """A pair that stands where its router looks for it."""

    def __init__(self) -> None:
        self.a, self.b = (Token(1, Address("0x" + digit * 40), digit, 18) for digit in "12")
        v2 = UniswapV2Deployment(RECIPIENT)
        self.router = SwapRouter(RECIPIENT, v2, UniswapV3Deployment(RECIPIENT))
        address = v2.get_pair_address(self.a.address, self.b.address)
        self.pool = UniswapV2Pool(address, self.a, self.b, 10**9, 10**9)


def test_plan_swap_pool_of_another_factory_raises_input_error(square: Square) -> None:
    legs = make_legs(square, ["v2 v3"], 10**18, Exact.IN)
    other = SwapRouter(square.router.address, UniswapV2Deployment(RECIPIENT), square.router.v3)
    with pytest.raises(InputError, match="does not reach"):
        plan_swap(legs, make_terms(legs, Exact.IN), other)


def test_plan_swap_bounds_that_cannot_hold_raise_input_error(square: Square) -> None:
    legs = make_legs(square, ["v2 v3"], 10**18, Exact.IN)
    good = make_terms(legs, Exact.IN)
    for amount_in_max, amount_out_min in (
        (good.amount_in_max - 1, good.amount_out_min),
        (good.amount_in_max, good.amount_out_min + 1),
    ):
        with pytest.raises(InputError):
            plan_swap(legs, SwapTerms(Exact.IN, RECIPIENT, 1, amount_in_max, amount_out_min), square.router)


def test_plan_swap_cycle_or_two_pairs_raises_input_error(square: Square) -> None:
    forth = (square.ab_v2, square.a, square.b)
    back = (square.ab_v3, square.b, square.a)
    cycle = make_leg([forth, back, forth], 10**18, Exact.IN)
    single = make_leg([forth], 10**18, Exact.IN)
    for legs in ((cycle,), (single, make_leg([back], 10**18, Exact.IN)), ()):
        with pytest.raises(InputError):
            plan_swap(legs, SwapTerms(Exact.IN, RECIPIENT, 1, 10**30, 0), square.router)


def test_build_swap_call_deadline_passed_reverts(square: Square) -> None:
    legs = make_legs(square, ["v2 v2"], 10**18, Exact.IN)
    good = make_terms(legs, Exact.IN)
    late = SwapTerms(Exact.IN, RECIPIENT, 1, good.amount_in_max, good.amount_out_min)
    with pytest.raises(RevertError):
        square.run(legs, late)
