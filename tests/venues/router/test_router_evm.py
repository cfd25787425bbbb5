"""The real Router over the real pools fills every route to the unit as the models quote it."""

from __future__ import annotations

from random import Random

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from router_market import CHAIN_ID, RECIPIENT, TRADER, RouterMarket, get_pair, make_terms

from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Call, Condition, Exact
from onchain_exec.core.abi import Function
from onchain_exec.errors import RevertError
from onchain_exec.venues import Leg
from onchain_exec.venues.router import (
    RouterPermit,
    build_router_call,
    get_permit_digest,
    get_permit_typed_data,
    plan_router_swap,
)
from onchain_exec.venues.swap_router import SwapTerms

BALANCE_OF = Function("balanceOf(address)", "(uint256)")


def test_build_router_call_random_routes_fill_as_quoted(market: RouterMarket, rng: Random) -> None:
    for _ in range(60):
        legs = market.draw_legs(rng, Exact.IN)
        terms = make_terms(legs, Exact.IN)
        call = build_router_call(legs, terms, market.router)
        given, got = market.run(call, get_pair(legs), market.trader)
        assert (given, got) == (terms.amount_in_max, terms.amount_out_min)


def test_build_router_call_exact_out_of_one_hop_takes_as_quoted(market: RouterMarket, rng: Random) -> None:
    for _ in range(30):
        legs = market.draw_legs(rng, Exact.OUT, most_hops=1)
        terms = make_terms(legs, Exact.OUT)
        call = build_router_call(legs, terms, market.router)
        given, got = market.run(call, get_pair(legs), market.trader)
        assert (given, got) == (terms.amount_in_max, terms.amount_out_min)


def test_build_router_call_exact_out_of_chains_gives_at_least_the_amount(
    market: RouterMarket, rng: Random
) -> None:
    for _ in range(30):
        mark, pools = market.evm.snapshot(), market.pools
        legs = market.draw_legs(rng, Exact.OUT)[:1]
        terms = make_terms(legs, Exact.OUT, slack_bps=1)
        call = build_router_call(legs, terms, market.router)
        given, got = market.run(call, get_pair(legs), market.trader)
        assert given <= terms.amount_in_max
        assert terms.amount_out_min <= got <= terms.amount_out_min * 10_001 // 10_000 + 1_000
        market.evm.revert(mark)
        market.pools = pools


def sign(market: RouterMarket, legs: tuple[Leg, ...], terms: SwapTerms, nonce: int) -> RouterPermit:
    call = plan_router_swap(legs, terms, market.router, by_permit=True)
    digest = get_permit_digest(call, market.router.address, market.trader, nonce, CHAIN_ID)
    signature = Account.unsafe_sign_hash(digest, TRADER.key).signature
    return RouterPermit(market.trader, nonce, bytes(signature))


def test_build_router_call_permit_brought_by_anyone_fills_once(market: RouterMarket, rng: Random) -> None:
    for _ in range(20):
        nonce = rng.getrandbits(256)
        legs = market.draw_legs(rng, Exact.IN, native=False)
        terms = make_terms(legs, Exact.IN)
        call = build_router_call(legs, terms, market.router, permit=sign(market, legs, terms, nonce))
        given, got = market.run(call, get_pair(legs), DEPLOYER)
        assert (given, got) == (terms.amount_in_max, terms.amount_out_min)
        with pytest.raises(RevertError, match="InvalidNonce"):
            market.run(call, get_pair(legs), DEPLOYER)


def test_build_router_call_permit_for_other_legs_reverts(market: RouterMarket, rng: Random) -> None:
    legs = market.draw_legs(rng, Exact.IN, native=False)
    terms = make_terms(legs, Exact.IN)
    permit = sign(market, legs, terms, 1)
    other = SwapTerms(Exact.IN, DEPLOYER, terms.deadline_at, terms.amount_in_max, terms.amount_out_min)
    with pytest.raises(RevertError, match="InvalidSigner"):
        market.run(build_router_call(legs, other, market.router, permit=permit), get_pair(legs), DEPLOYER)


def test_get_permit_typed_data_hashes_to_the_digest(market: RouterMarket, rng: Random) -> None:
    legs = market.draw_legs(rng, Exact.IN, native=False)
    call = plan_router_swap(legs, make_terms(legs, Exact.IN), market.router, by_permit=True)
    where = (call, market.router.address, market.trader, rng.getrandbits(256), CHAIN_ID)
    message = encode_typed_data(full_message=get_permit_typed_data(*where))
    assert keccak(b"\x19" + message.version + message.header + message.body) == get_permit_digest(*where)


def test_build_router_call_pool_moved_beyond_the_bound_reverts(market: RouterMarket, rng: Random) -> None:
    for _ in range(10):
        legs = market.draw_legs(rng, Exact.IN)
        if all(hop.pool.kind == "wrapped_native" for leg in legs for hop in leg.hops):
            continue
        terms = make_terms(legs, Exact.IN)
        tight = SwapTerms(Exact.IN, RECIPIENT, terms.deadline_at, terms.amount_in_max, terms.amount_out_min)
        call = build_router_call(legs, tight, market.router)
        market.run(call, get_pair(legs), market.trader)
        with pytest.raises(RevertError, match="AmountOutTooLow"):
            market.run(call, get_pair(legs), market.trader)


def test_build_router_call_failing_check_reverts_with_what_it_found(
    market: RouterMarket, rng: Random
) -> None:
    legs = market.draw_legs(rng, Exact.IN, native=False)
    token_out, terms = legs[-1].hops[-1].token_out, make_terms(legs, Exact.IN)
    before = market.get_balance(token_out, RECIPIENT)
    bound = before + terms.amount_out_min + 1
    holds, fails = (
        Condition.at_least(Call(token_out.address, BALANCE_OF.encode(RECIPIENT)), least)
        for least in (bound - 1, bound)
    )
    call = build_router_call(legs, terms, market.router, (holds, fails))
    with pytest.raises(RevertError) as failed:
        market.run(call, get_pair(legs), market.trader)
    assert (failed.value.name, failed.value.arguments) == ("CheckFailed", (1, bound - 1, bound))
    call = build_router_call(legs, terms, market.router, (holds,))
    assert market.run(call, get_pair(legs), market.trader)[1] == terms.amount_out_min


def test_build_router_call_late_reverts(market: RouterMarket, rng: Random) -> None:
    legs = market.draw_legs(rng, Exact.IN)
    good = make_terms(legs, Exact.IN)
    late = SwapTerms(Exact.IN, RECIPIENT, market.evm.timestamp - 1, good.amount_in_max, good.amount_out_min)
    with pytest.raises(RevertError, match="DeadlinePassed"):
        market.run(build_router_call(legs, late, market.router), get_pair(legs), market.trader)
