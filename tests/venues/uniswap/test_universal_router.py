"""The Universal Router: commands and back, and routes over v2, v3 and v4 run through the real one."""

from __future__ import annotations

import pytest
from eth_account import Account
from evm_market import NEVER, PLENTY, Market
from evm_v4_market import ETHER, V4Market
from hypothesis import given
from hypothesis import strategies as st
from test_swap_router import make_leg, make_terms

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.deploy.universal_router import deploy_universal_router
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Exact, Token, to_address
from onchain_exec.errors import InputError, RevertError
from onchain_exec.venues import Leg, Pool
from onchain_exec.venues.erc20 import get_balance_changes
from onchain_exec.venues.permit2 import APPROVE, Permit, read_permit2_allowance
from onchain_exec.venues.swap_router import SwapRouter, SwapTerms
from onchain_exec.venues.uniswap_v2 import read_v2_pool
from onchain_exec.venues.uniswap_v3 import read_v3_pool
from onchain_exec.venues.uniswap_v4 import PoolKey, read_v4_pool
from onchain_exec.venues.universal_router import (
    SignedPermit,
    Sweep,
    UniversalCall,
    UniversalRouter,
    V2Swap,
    V3Swap,
    V4Hop,
    V4Swap,
    build_universal_call,
    decode_universal_call,
    encode_universal_call,
)

RECIPIENT = to_address("0x" + "ab" * 20)

addresses = st.binary(min_size=20, max_size=20).map(to_address)
amounts, narrow = st.integers(0, 2**256 - 1), st.integers(0, 2**128 - 1)
sides = st.sampled_from(Exact)
times = st.integers(0, 2**48 - 1)
v2_swaps = st.builds(
    V2Swap, sides, st.lists(addresses, min_size=2).map(tuple), addresses, amounts, amounts, st.booleans()
)
v3_swaps = st.lists(st.tuples(addresses, st.integers(0, 2**24 - 1)), min_size=1, max_size=4).flatmap(
    lambda hops: st.builds(
        V3Swap,
        sides,
        addresses.map(lambda last: (*(token for token, _ in hops), last)),
        st.just(tuple(fee for _, fee in hops)),
        addresses,
        amounts,
        amounts,
        st.booleans(),
    )
)
keys = st.builds(
    PoolKey, addresses, addresses, st.integers(0, 2**24 - 1), st.integers(-(2**23), 2**23 - 1), addresses
)
v4_hops = st.lists(st.builds(V4Hop, keys, st.booleans()), min_size=1, max_size=4).map(tuple)
v4_swaps = st.builds(V4Swap, sides, v4_hops, addresses, narrow, narrow, st.booleans()) | st.builds(
    V4Swap, st.just(Exact.IN), v4_hops, addresses, st.none(), narrow, st.just(False)
)
permits = st.builds(Permit, addresses, st.integers(0, 2**160 - 1), times, times, addresses, amounts)
commands = st.one_of(
    v2_swaps,
    v3_swaps,
    v4_swaps,
    st.builds(Sweep, addresses, addresses, amounts),
    st.builds(SignedPermit, permits, st.binary(max_size=70)),
)


@given(st.builds(UniversalCall, amounts, st.lists(commands, max_size=5).map(tuple)))
def test_decode_universal_call_of_encoded_returns_the_same(call: UniversalCall) -> None:
    assert decode_universal_call(encode_universal_call(call)) == call


EXECUTE = encode_universal_call(UniversalCall(0, ()))[:4]


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: EXECUTE + data))
def test_decode_universal_call_of_other_calldata_raises_input_error(calldata: bytes) -> None:
    with pytest.raises(InputError):
        decode_universal_call(calldata)


class Exchange:
    """Tokens A, B, C and ether: A to B on v2, v3, v4; B to C on v2, v3, v4; ether to B and A on v4."""

    def __init__(self, market: Market) -> None:
        evm = market.evm
        self.market, self.v4 = market, V4Market.deploy(market)
        self.a, self.b = market.token0, market.token1
        self.c = deploy_token(evm, 1337, "CCC", 18)
        fund(evm, self.c, DEPLOYER, PLENTY)
        for spender in (market.v3["position_manager"], self.v4.swapper, self.v4.provider, self.v4.permit2):
            approve(evm, self.c, DEPLOYER, spender)
        protocols = {
            "permit2": {"permit2": self.v4.permit2},
            "uniswap_v2": market.v2,
            "uniswap_v3": market.v3,
            "uniswap_v4": self.v4.contracts,
        }
        address = deploy_universal_router(evm, market.weth.address, protocols)["router"]
        pools = SwapRouter(address, market.v2_deployment, market.v3_deployment)
        self.router = UniversalRouter(pools, self.v4.manager)
        self.allow(self.a, 2**160 - 1)
        self.pools: dict[tuple[str, Token, Token], Pool] = {}

    def allow(self, token: Token, amount: int) -> None:
        data = APPROVE.encode(token.address, self.router.pools.address, amount, 2**48 - 1)
        self.market.evm.call(DEPLOYER, self.v4.permit2, data)

    def pool(self, kind: str, one: Token, other: Token) -> Pool:
        """Return the pool of a kind between two tokens; it is made when first asked for."""
        token0, token1 = sorted((one, other), key=lambda token: token.address.lower())
        if (kind, token0, token1) not in self.pools:
            self.pools[kind, token0, token1] = getattr(self, f"_make_{kind}")(token0, token1)
        return self.pools[kind, token0, token1]

    def _make_v2(self, token0: Token, token1: Token) -> Pool:
        side = Market(**{**vars(self.market), "token0": token0, "token1": token1})
        return self.market.perform(read_v2_pool(side.create_v2_pair(3 * 10**24, 2 * 10**24)))

    def _make_v3(self, token0: Token, token1: Token) -> Pool:
        side = Market(**{**vars(self.market), "token0": token0, "token1": token1})
        address = side.create_v3_pool(500, 2**96)
        for reach in (60, 600, 6_000):
            side.add_position(500, (-reach, reach), (10**23, 10**23))
        return self.market.perform(read_v3_pool(address))

    def _make_v4(self, token0: Token, token1: Token) -> Pool:
        key = PoolKey(token0.address, token1.address, 3_000, 60, ZERO_ADDRESS)
        self.v4.initialize(key, 2**96, 500 | 700 << 12)
        for reach in (60, 600, 6_000):
            assert self.v4.modify(key, (-reach, reach), 10**25)
        return self.market.perform(read_v4_pool(self.v4.manager, key))

    def run(
        self, legs: tuple[Leg, ...], terms: SwapTerms, permit: SignedPermit | None = None
    ) -> tuple[int, int]:
        """Send the calldata; return what the trader gave and the recipient got."""
        to, data, value_wei = build_universal_call(legs, terms, self.router, permit)
        evm = self.market.evm
        token_in, token_out = legs[0].hops[0].token_in, legs[0].hops[-1].token_out
        before = evm.get_balance(DEPLOYER), evm.get_balance(terms.recipient)
        evm.call(DEPLOYER, to, data, value_wei)
        logs = evm.logs
        given = -get_balance_changes(logs, DEPLOYER).get(token_in.address, 0)
        got = get_balance_changes(logs, terms.recipient).get(token_out.address, 0)
        if token_in == ETHER:
            given = before[0] - evm.get_balance(DEPLOYER)
        if token_out == ETHER:
            got = evm.get_balance(terms.recipient) - before[1]
        return given, got


@pytest.fixture
def exchange(market: Market) -> Exchange:
    return Exchange(market)


def make_legs(exchange: Exchange, names: list[str], total: int, exact: Exact) -> tuple[Leg, ...]:
    """Return legs along, for example, ``a v2 b v4 c``, each taking (giving) an equal part."""
    legs = []
    for name in names:
        words = name.split()
        tokens = [ETHER if word == "ether" else getattr(exchange, word) for word in words[::2]]
        hops = [
            (exchange.pool(kind, one, other), one, other)
            for kind, one, other in zip(words[1::2], tokens, tokens[1:], strict=False)
        ]
        legs.append(make_leg(hops, total // len(names), exact))
    return tuple(legs)


ROUTES = [
    ["a v2 b"],
    ["a v3 b"],
    ["a v4 b"],
    ["a v4 b v4 c"],
    ["a v2 b v4 c"],
    ["a v4 b v3 c"],
    ["a v3 b v4 ether"],
    ["a v4 ether"],
    ["ether v4 b"],
    ["ether v4 a v4 b"],
    ["ether v4 b v2 c"],
    ["a v2 b", "a v3 b", "a v4 b"],
    ["a v2 b v4 c", "a v4 b v3 c"],
    ["ether v4 b", "ether v4 a v2 b"],
    ["a v4 ether", "a v2 b v4 ether"],
]


def is_mixed(legs: tuple[Leg, ...]) -> bool:
    return any(len({hop.pool.kind for hop in leg.hops}) > 1 for leg in legs)


@pytest.mark.parametrize("names", ROUTES, ids=" and ".join)
@pytest.mark.parametrize("exact", Exact)
def test_build_universal_call_fills_as_quoted(exchange: Exchange, names: list[str], exact: Exact) -> None:
    legs = make_legs(exchange, names, 10**20, exact)
    terms = make_terms(legs, exact)
    amount_in, amount_out = exchange.run(legs, terms)
    assert amount_in == terms.amount_in_max
    surplus = amount_out - terms.amount_out_min
    assert 0 <= surplus <= (1_000 if exact is Exact.OUT and is_mixed(legs) else 0)


@pytest.mark.parametrize("names", ROUTES, ids=" and ".join)
@pytest.mark.parametrize("exact", Exact)
def test_build_universal_call_bound_missed_reverts(
    exchange: Exchange, names: list[str], exact: Exact
) -> None:
    legs = make_legs(exchange, names, 10**20, exact)
    moving = make_legs(exchange, [names[0]], 10**16, Exact.IN)
    exchange.run(moving, make_terms(moving, Exact.IN))
    with pytest.raises(RevertError):
        exchange.run(legs, make_terms(legs, exact))


@pytest.mark.parametrize(
    "names", [["a v2 b", "a v4 b"], ["ether v4 b"], ["ether v4 a v4 b"]], ids=" and ".join
)
def test_build_universal_call_exact_out_slack_is_not_spent(exchange: Exchange, names: list[str]) -> None:
    legs = make_legs(exchange, names, 10**20, Exact.OUT)
    terms = make_terms(legs, Exact.OUT, 10**18)
    assert exchange.run(legs, terms) == (terms.amount_in_max - 10**18, 10**20)


def test_build_universal_call_with_permit_needs_no_allowance(exchange: Exchange) -> None:
    exchange.allow(exchange.a, 0)
    legs = make_legs(exchange, ["a v4 b"], 10**20, Exact.IN)
    terms = make_terms(legs, Exact.IN)
    with pytest.raises(RevertError):
        exchange.run(legs, terms)
    spender = exchange.router.pools.address
    allowance = exchange.market.perform(read_permit2_allowance(DEPLOYER, exchange.a.address, spender))
    permit = Permit(exchange.a.address, 10**20, 2**48 - 1, allowance.nonce, spender, NEVER)
    # the first of anvil's published test keys
    key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    signature = Account.unsafe_sign_hash(permit.get_digest(1337), key).signature
    amount_in, amount_out = exchange.run(legs, terms, SignedPermit(permit, signature))
    assert (amount_in, amount_out) == (10**20, terms.amount_out_min)
    after = exchange.market.perform(read_permit2_allowance(DEPLOYER, exchange.a.address, spender))
    assert (after.amount, after.nonce) == (0, allowance.nonce + 1)


def test_build_universal_call_pool_of_another_manager_raises_input_error(exchange: Exchange) -> None:
    legs = make_legs(exchange, ["a v4 b"], 10**20, Exact.IN)
    other = UniversalRouter(exchange.router.pools, RECIPIENT)
    with pytest.raises(InputError, match="does not reach"):
        build_universal_call(legs, make_terms(legs, Exact.IN), other)
