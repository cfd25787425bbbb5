"""What a guarded key lets out as an order of our Settle contract: no more, to nobody else and for no less
than a swap could."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onchain_exec.clearing.settle import Domain, SettleOrder
from onchain_exec.clearing.settle.batch import encode_cancel
from onchain_exec.clearing.settle.contract import CANCEL, SETTLE
from onchain_exec.core import ZERO_ADDRESS, to_address
from onchain_exec.errors import PolicyError
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import GuardedSigner, LocalSigner, SigningPolicy, SpendCap, UnsignedTx
from onchain_exec.execution.signers.typed_data import hash_typed_data

OWNER = LocalSigner(b"\x01" * 32)
CONTRACT, WETH, USDC, DAI, STRANGER = (to_address(bytes((n,)) * 20) for n in range(0x31, 0x36))
DOMAIN = Domain(1, CONTRACT)
ORDER = SettleOrder(OWNER.address, WETH, USDC, 60, 1, 2_000_000_000, 1, lane=7)
POLICY = SigningPolicy(
    chain_id=1,
    contracts={CONTRACT: frozenset({SETTLE.selector, CANCEL.selector})},
    recipients=frozenset({OWNER.address}),
    caps=(SpendCap(WETH, 100, 60), SpendCap(ZERO_ADDRESS, 10**9, 60)),
)


async def sign(signer: GuardedSigner, **terms: Any) -> None:
    order = replace(ORDER, **terms)
    signature = await signer.sign_typed_data(DOMAIN.get_typed_data(order))
    assert signature == await OWNER.sign_typed_data(DOMAIN.get_typed_data(order))


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"amount_in": 101}, "together"),
        ({"token_in": DAI}, "would be spent"),
        ({"receiver": STRANGER}, "would receive"),
    ],
)
async def test_sign_order_beyond_the_policy_raises(terms: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        await sign(GuardedSigner(OWNER, POLICY), **terms)


async def test_sign_order_for_nothing_in_return_raises() -> None:
    message = DOMAIN.get_typed_data(ORDER)
    message["message"]["amountOut"] = 0
    with pytest.raises(PolicyError, match="amount_out_min"):
        await GuardedSigner(OWNER, POLICY).sign_typed_data(message)


async def test_sign_order_of_a_contract_that_is_not_listed_raises() -> None:
    message = replace(DOMAIN, contract=STRANGER).get_typed_data(ORDER)
    with pytest.raises(PolicyError, match="calls"):
        await GuardedSigner(OWNER, POLICY).sign_typed_data(message)


async def test_sign_order_with_other_fields_raises() -> None:
    message = DOMAIN.get_typed_data(ORDER)
    message["types"]["Order"] = message["types"]["Order"][1:]
    with pytest.raises(PolicyError, match="cannot read"):
        await GuardedSigner(OWNER, POLICY).sign_typed_data(message)


async def test_signed_orders_of_a_lane_count_once_and_those_of_several_together() -> None:
    signer = GuardedSigner(OWNER, POLICY, now=lambda: 0.0)
    await sign(signer)
    await sign(signer, amount_out=2)  # the same lane and seq: only one of the two can be filled as a whole
    await sign(signer, amount_in=40, lane=8)
    with pytest.raises(PolicyError, match="together"):
        await sign(signer, amount_in=1, lane=9)
    with pytest.raises(PolicyError, match="together"):
        await sign(signer, amount_in=1, seq=2)


async def test_withdrawals_and_cancelled_lanes_spend_nothing() -> None:
    signer = GuardedSigner(OWNER, POLICY, now=lambda: 0.0)
    message = DOMAIN.get_withdrawal_data(DOMAIN.get_digest(ORDER))
    assert hash_typed_data(message) == DOMAIN.get_withdrawal_digest(DOMAIN.get_digest(ORDER))
    await signer.sign_typed_data(message)
    await signer.sign_transaction(
        UnsignedTx(
            chain_id=1,
            nonce=0,
            fees=Fees(1, 1),
            gas_limit=50_000,
            to=CONTRACT,
            value_wei=0,
            data=encode_cancel(7, 1),
        )
    )
    await sign(signer, amount_in=100)
