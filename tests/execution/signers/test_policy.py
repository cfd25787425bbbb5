"""What a guarded key refuses, whatever asks: catalogue entries 71 (no minimum), 85 (another chain)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import ZERO_ADDRESS, Address, Exact, to_address
from onchain_exec.errors import ConfigError, PolicyError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import (
    Authorisation,
    GuardedSigner,
    LocalSigner,
    Signature,
    SigningPolicy,
    SpendCap,
    UnsignedTx,
)
from onchain_exec.execution.signers.messages import make_message
from onchain_exec.execution.signers.reading import TRANSFER
from onchain_exec.execution.signers.swaps import MULTICALL_SELECTOR
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.swap_router import RouterCall, RouterStep, Sweep, V2Swap, V3Swap, encode_router_call

OWNER = LocalSigner(b"\x01" * 32)
ROUTER, WETH, USDC, DAI, STRANGER, FRIEND = (to_address(bytes((n,)) * 20) for n in range(0x21, 0x27))
ITSELF = to_address("0x" + "2".rjust(40, "0"))
POLICY = SigningPolicy(
    chain_id=1,
    contracts={
        ROUTER: frozenset({MULTICALL_SELECTOR}),
        WETH: frozenset({APPROVE.selector}),
        USDC: frozenset({APPROVE.selector, TRANSFER.selector}),
    },
    recipients=frozenset({OWNER.address, FRIEND}),
    caps=(
        SpendCap(WETH, 100, 60),
        SpendCap(WETH, 250, 600),
        SpendCap(USDC, 50, 60),
        SpendCap(ZERO_ADDRESS, 10**9, 60),
    ),
)


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class CountingSigner:
    """The key behind; it counts how often it is reached."""

    def __init__(self) -> None:
        self.asked = 0
        self.address, self.capabilities = OWNER.address, OWNER.capabilities

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        self.asked += 1
        return await OWNER.sign_transaction(tx)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        self.asked += 1
        return await OWNER.sign_typed_data(message)


def swap(amount: int = 60, least: int = 1, to: Address = OWNER.address, **changes: Any) -> V2Swap:
    return replace(V2Swap(Exact.IN, (WETH, USDC), to, amount, least), **changes)


def call_router(*steps: RouterStep, nonce: int = 0, **changes: Any) -> UnsignedTx:
    data = encode_router_call(RouterCall(99, steps))
    return replace(UnsignedTx(1, nonce, Fees(10, 1), 21_000, ROUTER, 0, data), **changes)


def call_token(token: Address, data: bytes) -> UnsignedTx:
    return UnsignedTx(1, 0, Fees(10, 1), 21_000, token, 0, data)


AUTHORISATION = Authorisation(1, STRANGER, 0, Signature(1, 1, 0))
FORBIDDEN = {
    "another chain": (call_router(swap(), chain_id=10), "chain 10"),
    "a contract not listed": (call_router(swap(), to=STRANGER), "calls selector"),
    "a selector not listed": (call_token(WETH, TRANSFER.encode(FRIEND, 1)), "calls selector"),
    "a selector not known": (call_router(swap(), data=b"\x01\x02\x03\x04"), "cannot read"),
    "calldata cut short": (call_router(swap(), data=call_router(swap()).data[:-40]), "cannot read"),
    "another recipient": (call_router(swap(to=STRANGER)), "would receive"),
    "another recipient of a sweep": (
        call_router(swap(to=ITSELF), Sweep(USDC, 1, STRANGER)),
        "would receive",
    ),
    "a transfer to a stranger": (call_token(USDC, TRANSFER.encode(STRANGER, 1)), "would receive"),
    "no minimum": (call_router(swap(least=0)), "without a minimum"),
    "no minimum in one of two": (call_router(swap(30), swap(30, least=0)), "without a minimum"),
    "no minimum of a sweep": (
        call_router(swap(to=ITSELF), Sweep(USDC, 0, FRIEND)),
        "without a minimum",
    ),
    "left in the router": (call_router(swap(to=ITSELF)), "leaves tokens behind"),
    "another token swept": (call_router(swap(to=ITSELF), Sweep(DAI, 1, FRIEND)), "leaves tokens behind"),
    "nothing bought exactly": (
        call_router(V2Swap(Exact.OUT, (WETH, USDC), FRIEND, 0, 60)),
        "without a minimum",
    ),
    "a token without a cap": (call_router(swap(path=(DAI, USDC))), "token with a cap"),
    "beyond a cap": (call_router(swap(101)), "at most 100 together"),
    "beyond a cap in parts": (call_router(swap(60), swap(41)), "at most 100 together"),
    "beyond a cap by a bound": (
        call_router(V3Swap(Exact.OUT, (WETH, USDC), (500,), FRIEND, 7, 101)),
        "at most 100 together",
    ),
    "an endless allowance": (call_token(WETH, APPROVE.encode(ROUTER, 2**256 - 1)), "an allowance"),
    "an allowance for a stranger": (call_token(WETH, APPROVE.encode(STRANGER, 1)), "granted"),
    "an allowance of a token not listed": (call_token(DAI, APPROVE.encode(ROUTER, 1)), "calls selector"),
    "native coin to a stranger": (call_token(STRANGER, b""), "calls"),
    "native coin beyond the cap": (replace(call_token(FRIEND, b""), value_wei=10**9), "together"),
    "gas beyond the cap": (call_router(swap(), fees=Fees(10**6, 1)), "together"),
    "code lent": (call_router(swap(), authorisations=(AUTHORISATION,)), "EIP-7702"),
}


@pytest.mark.parametrize(("tx", "says"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_sign_transaction_that_is_forbidden_raises_and_reaches_no_key(
    tx: UnsignedTx, says: str
) -> None:
    key = CountingSigner()
    with pytest.raises(PolicyError, match=says):
        await GuardedSigner(key, POLICY).sign_transaction(tx)
    assert key.asked == 0


@pytest.mark.parametrize(
    "tx",
    [
        call_router(swap()),
        call_router(swap(100)),
        call_router(swap(30, to=ITSELF, least=0), swap(70, to=ITSELF, least=0), Sweep(USDC, 1, FRIEND)),
        call_router(swap(to=ITSELF, least=0), V3Swap(Exact.IN, (USDC, DAI), (500,), FRIEND, 0, 9)),
        call_router(V3Swap(Exact.OUT, (WETH, USDC), (500,), FRIEND, 7, 100)),
        call_token(WETH, APPROVE.encode(ROUTER, 100)),
        call_token(WETH, APPROVE.encode(ROUTER, 0)),
        call_token(USDC, TRANSFER.encode(FRIEND, 50)),
        call_token(FRIEND, b""),
        call_token(OWNER.address, b""),  # a cancellation
    ],
)
async def test_sign_transaction_that_is_allowed_is_the_keys_own_signature(tx: UnsignedTx) -> None:
    assert await GuardedSigner(CountingSigner(), POLICY).sign_transaction(tx) == (
        await OWNER.sign_transaction(tx)
    )


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 5), st.integers(0, 120)), max_size=25))
async def test_signed_spends_never_pass_a_cap_in_any_window(steps: list[tuple[int, int, int]]) -> None:
    """Only one transaction of a nonce can be mined; whichever it is, no window holds more than its cap."""
    clock = Clock()
    guarded = GuardedSigner(OWNER, POLICY, now=clock)
    signed: dict[int, list[tuple[float, int]]] = {}
    for amount, nonce, wait in steps:
        clock.now += wait
        try:
            await guarded.sign_transaction(call_router(swap(amount), nonce=nonce))
        except PolicyError:
            continue
        signed.setdefault(nonce, []).append((clock.now, amount))
    for cap in POLICY.caps[:2]:
        ends = [at for attempts in signed.values() for at, _ in attempts]
        for end in ends:
            worst = sum(
                max((amount for at, amount in attempts if end - cap.window_s < at <= end), default=0)
                for attempts in signed.values()
            )
            assert worst <= cap.amount


async def test_sign_transaction_after_a_refusal_has_the_whole_cap_left() -> None:
    guarded = GuardedSigner(OWNER, POLICY, now=Clock())
    with pytest.raises(PolicyError):
        await guarded.sign_transaction(call_router(swap(101), nonce=0))
    await guarded.sign_transaction(call_router(swap(100), nonce=1))
    with pytest.raises(PolicyError, match="after 100"):
        await guarded.sign_transaction(call_router(swap(1), nonce=2))


def permit(kind: str, fields: dict[str, Any], verifier: Address, chain_id: int = 1) -> dict[str, Any]:
    return make_message(kind, {"chainId": chain_id, "verifyingContract": verifier}, fields)


EIP_2612 = {"owner": OWNER.address, "spender": ROUTER, "value": 100, "nonce": 0, "deadline": 9}
DAI_FIELDS = {"holder": "address", "spender": "address", "nonce": "uint256", "allowed": "bool"}


def permit_of_other_fields() -> dict[str, Any]:
    """It shows a small value, and what would be hashed grants everything (DAI's own Permit)."""
    message = permit("Permit", EIP_2612 | {"holder": OWNER.address, "allowed": True}, WETH)
    message["types"]["Permit"] = [{"name": name, "type": kind} for name, kind in DAI_FIELDS.items()]
    return message


def safe_tx(**changes: Any) -> dict[str, Any]:
    plain = {
        "to": ROUTER,
        "value": 0,
        "data": "0x" + call_router(swap()).data.hex(),
        "operation": 0,
        "gasPrice": 0,
    }
    return permit("SafeTx", plain | changes, STRANGER)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (permit("Permit", {"spender": ROUTER, "value": 1}, WETH, chain_id=10), "chain 10"),
        (permit("Permit", {"spender": STRANGER, "value": 1}, WETH), "granted"),
        (permit("Permit", {"spender": ROUTER, "value": 101}, WETH), "an allowance"),
        (permit("Permit", {"spender": ROUTER, "value": 1}, DAI), "calls"),
        (permit("Permit", {"spender": ROUTER}, WETH), "cannot read"),
        (permit("PermitSingle", {"spender": ROUTER, "details": {"token": DAI, "amount": 1}}, WETH), "calls"),
        (permit("Permit", EIP_2612, WETH) | {"primaryType": "Order"}, "cannot read"),
        (permit_of_other_fields(), "cannot read"),
        ({"primaryType": "Permit", "domain": {"chainId": 1}}, "cannot read"),
        (safe_tx(operation=1), "cannot read"),
        (safe_tx(gasPrice=1), "cannot read"),
        (safe_tx(to=STRANGER), "calls"),
        (safe_tx(data="0x" + call_router(swap(101)).data.hex()), "together"),
    ],
)
async def test_sign_typed_data_that_is_forbidden_raises_and_reaches_no_key(
    message: dict[str, Any], says: str
) -> None:
    key = CountingSigner()
    with pytest.raises(PolicyError, match=says):
        await GuardedSigner(key, POLICY).sign_typed_data(message)
    assert key.asked == 0


async def test_sign_typed_data_of_a_permit_is_the_keys_own_signature() -> None:
    message = permit("Permit", EIP_2612, WETH)
    assert await GuardedSigner(OWNER, POLICY).sign_typed_data(message) == await OWNER.sign_typed_data(message)


@pytest.mark.parametrize("cap", [SpendCap(WETH, -1, 60), SpendCap(WETH, 1, 0)])
def test_signing_policy_with_a_senseless_cap_raises(cap: SpendCap) -> None:
    with pytest.raises(ConfigError):
        replace(POLICY, caps=(cap,))
