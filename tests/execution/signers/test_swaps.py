"""What the calldata of each router is read as, before a key signs it: catalogue entry 71 (no minimum)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import ZERO_ADDRESS, Exact, to_address
from onchain_exec.errors import PolicyError
from onchain_exec.execution.signers import GuardedSigner, LocalSigner, SigningPolicy, SpendCap, UnsignedTx
from onchain_exec.execution.signers.intent import Allowance, Intent
from onchain_exec.execution.signers.reading import read_call, read_message
from onchain_exec.execution.signers.swaps import (
    EXECUTE_SELECTOR,
    SWAP_SELECTOR,
    SWAP_WITH_PERMIT_SELECTOR,
)
from onchain_exec.execution.signers.transaction import Fees
from onchain_exec.venues import router as ours
from onchain_exec.venues import universal_router as universal
from onchain_exec.venues.permit2 import Permit
from onchain_exec.venues.swap_router import RouterCall, V2Swap, encode_router_call
from onchain_exec.venues.swap_router.codec import SelfPermit
from onchain_exec.venues.swap_router.legs import ADDRESS_THIS
from onchain_exec.venues.uniswap_v4.key import PoolKey
from onchain_exec.venues.universal_router.codec import CONTRACT_BALANCE
from onchain_exec.venues.universal_router.plan import MSG_SENDER

OWNER = LocalSigner(b"\x01" * 32)
ROUTER, WETH, USDC, DAI, STRANGER, POOL = (to_address(bytes((n,)) * 20) for n in range(0x21, 0x27))
KEY = PoolKey(WETH, USDC, 500, 10, ZERO_ADDRESS)
SOME = st.integers(1, 2**100)


def v2(amount: int, bound: int, *, exact: Exact = Exact.IN, to: str = STRANGER, pays: bool = True) -> Any:
    return universal.V2Swap(exact, (WETH, USDC), to_address(to), amount, bound, pays)


def read_universal(*commands: universal.Command) -> Intent:
    return read_call(ROUTER, 0, universal.encode_universal_call(universal.UniversalCall(9, commands)))


@given(SOME, SOME, st.sampled_from(Exact))
def test_read_of_a_universal_swap_is_its_worst_case(amount: int, bound: int, exact: Exact) -> None:
    taken = amount if exact is Exact.IN else bound
    expected = Intent(ROUTER, EXECUTE_SELECTOR, {WETH: taken}, frozenset({STRANGER}))
    assert read_universal(v2(amount, bound, exact=exact)) == expected
    v3 = universal.V3Swap(exact, (WETH, DAI, USDC), (500, 100), STRANGER, amount, bound, True)
    assert read_universal(v3) == expected
    v4 = universal.V4Swap(exact, (universal.V4Hop(KEY, True),), STRANGER, amount, bound, True)
    assert read_universal(v4) == expected


@given(SOME, SOME, SOME)
def test_read_of_universal_swaps_adds_up_and_is_bounded_by_the_sweep(one: int, two: int, least: int) -> None:
    parts = v2(one, 0, to=ADDRESS_THIS), v2(two, 0, to=ADDRESS_THIS)
    swept = read_universal(*parts, universal.Sweep(USDC, STRANGER, least))
    assert swept == Intent(ROUTER, EXECUTE_SELECTOR, {WETH: one + two}, frozenset({STRANGER}))
    assert not read_universal(*parts).is_bounded
    assert not read_universal(*parts, universal.Sweep(DAI, STRANGER, least)).is_bounded
    assert not read_universal(*parts, universal.Sweep(USDC, STRANGER, 0)).is_bounded


@pytest.mark.parametrize("amount", [CONTRACT_BALANCE, 5])
def test_read_of_a_second_universal_command_that_the_router_pays_spends_nothing_more(amount: int) -> None:
    onward = universal.V2Swap(Exact.IN, (USDC, DAI), STRANGER, amount, 1, False)
    read = read_universal(v2(7, 0, to=ADDRESS_THIS), onward)
    assert read.spends == {WETH: 7}
    assert read.is_bounded is (amount == CONTRACT_BALANCE)  # else some may be left in the router


def test_read_of_what_comes_back_to_the_caller_needs_no_minimum() -> None:
    change = universal.Sweep(ZERO_ADDRESS, MSG_SENDER, 0)
    read = read_universal(v2(7, 9, exact=Exact.OUT, to=MSG_SENDER), change)
    assert (read.receivers, read.is_bounded) == (frozenset(), True)


@given(SOME)
def test_read_of_a_permit_on_the_way_is_an_allowance(amount: int) -> None:
    amount %= 2**96
    permit = Permit(WETH, amount, 9, 0, STRANGER, 9)
    assert read_universal(universal.SignedPermit(permit, b"\x01" * 65)).allowances == (
        Allowance(WETH, STRANGER, amount),
    )
    swap = V2Swap(Exact.IN, (WETH, USDC), STRANGER, amount, 1)
    call = RouterCall(9, (SelfPermit(WETH, amount, 9, 27, 1, 1), swap))
    assert read_call(ROUTER, 0, encode_router_call(call)).allowances == (Allowance(WETH, ROUTER, amount),)


def our_hop(**changes: Any) -> ours.RouterHop:
    hop = ours.RouterHop(
        ours.Venue.UNISWAP_V2, ours.Input.PAYER, ours.Output.RECIPIENT, False, POOL, WETH, USDC, 7, 0
    )
    return replace(hop, **changes)


def our_call(*hops: ours.RouterHop, least: int = 1, permit: bool = False) -> ours.RouterCall:
    signed = ours.RouterPermit(OWNER.address, 3, b"\x01" * 65) if permit else None
    return ours.RouterCall(ours.RouterTerms(WETH, USDC, 70, least, STRANGER, 9), hops, (), signed)


def test_read_of_our_router_spends_the_bound_and_with_a_permit_nothing_more() -> None:
    plain = read_call(ROUTER, 0, ours.encode_router_call(our_call(our_hop())))
    assert plain == Intent(ROUTER, SWAP_SELECTOR, {WETH: 70}, frozenset({STRANGER}))
    signed = read_call(ROUTER, 0, ours.encode_router_call(our_call(our_hop(), permit=True)))
    assert signed == Intent(ROUTER, SWAP_WITH_PERMIT_SELECTOR, {}, frozenset({STRANGER}))
    message = ours.get_permit_typed_data(our_call(our_hop()), ROUTER, OWNER.address, 3, 1)
    assert read_message(message) == Intent(
        ROUTER, SWAP_WITH_PERMIT_SELECTOR, {WETH: 70}, frozenset({STRANGER})
    )


@pytest.mark.parametrize(
    "call",
    [
        our_call(our_hop(), least=0),
        our_call(our_hop(output=ours.Output.ROUTER)),
        our_call(our_hop(token_out=DAI, output=ours.Output.ROUTER), our_hop(token_in=DAI, amount=5)),
    ],
    ids=["no minimum", "left in the router", "some left in the router"],
)
def test_read_of_our_router_without_a_minimum_or_with_a_rest_is_unbounded(call: ours.RouterCall) -> None:
    assert not read_call(ROUTER, 0, ours.encode_router_call(call)).is_bounded


def test_read_of_our_router_through_a_token_in_between_is_bounded() -> None:
    first = our_hop(token_out=DAI, output=ours.Output.ROUTER)
    onward = our_hop(token_in=DAI, input=ours.Input.ROUTER, amount=0)
    assert read_call(ROUTER, 0, ours.encode_router_call(our_call(first, onward))).is_bounded


POLICY = SigningPolicy(
    chain_id=1,
    contracts={ROUTER: frozenset({EXECUTE_SELECTOR, SWAP_SELECTOR, SWAP_WITH_PERMIT_SELECTOR})},
    recipients=frozenset({STRANGER}),
    caps=(SpendCap(WETH, 100, 60), SpendCap(ZERO_ADDRESS, 10**9, 60)),
)


async def test_guarded_signer_counts_a_signed_swap_as_spent() -> None:
    """Whoever has the signature may bring it: two of them are beyond the cap of 100."""
    guarded = GuardedSigner(OWNER, POLICY)
    for nonce in (1, 2):
        message = ours.get_permit_typed_data(our_call(our_hop()), ROUTER, OWNER.address, nonce, 1)
        if nonce == 1:
            assert await guarded.sign_typed_data(message) == await OWNER.sign_typed_data(message)
            await guarded.sign_typed_data(message)  # the same nonce of Permit2: the same swap
        else:
            with pytest.raises(PolicyError, match="at most 100 together"):
                await guarded.sign_typed_data(message)


async def test_guarded_signer_refuses_calldata_it_cannot_read_to_the_end() -> None:
    for data in (
        universal.encode_universal_call(universal.UniversalCall(9, (v2(1, 1),)))[:-64],
        EXECUTE_SELECTOR + b"\x00" * 40,
        ours.encode_router_call(our_call(our_hop()))[:-64],
        SWAP_SELECTOR,
    ):
        tx = UnsignedTx(1, 0, Fees(10, 1), 21_000, ROUTER, 0, data)
        with pytest.raises(PolicyError, match="cannot read"):
            await GuardedSigner(OWNER, POLICY).sign_transaction(tx)


def test_read_of_a_signed_swap_of_other_fields_or_for_another_contract_raises() -> None:
    message = ours.get_permit_typed_data(our_call(our_hop()), ROUTER, OWNER.address, 3, 1)
    elsewhere = {**message, "domain": {**message["domain"], "verifyingContract": STRANGER}}
    fewer = {**message, "types": {**message["types"], "Swap": message["types"]["Swap"][:-1]}}
    for other in (elsewhere, fewer):
        with pytest.raises(PolicyError, match="cannot read"):
            read_message(other)
