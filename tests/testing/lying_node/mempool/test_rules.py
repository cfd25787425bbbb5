"""What geth takes and refuses; numbers and words of go-ethereum's core/txpool and core/error.go."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lying_node.mempool.transactions import ETHER, GWEI, HEAD, RICH, make_tx
from onchain_exec.execution import Fees, bump_fees
from onchain_exec.testing.lying_node import Limits
from onchain_exec.testing.lying_node.mempool.rules import Account, find_fault, find_shortage, may_replace

LIMITS = Limits()
fees_wei = st.integers(1, 10**15)


@given(fees_wei, fees_wei, fees_wei, fees_wei)
def test_may_replace_needs_a_tenth_more_on_both(old_fee: int, old_tip: int, fee: int, tip: int) -> None:
    old = make_tx(fee_cap_wei=old_fee, tip_cap_wei=old_tip)
    new = make_tx(fee_cap_wei=fee, tip_cap_wei=tip)
    enough = all(
        now > before and now >= int(before * Fraction(11, 10))
        for now, before in ((fee, old_fee), (tip, old_tip))
    )
    assert may_replace(new, old, LIMITS) is enough


@given(fees_wei, fees_wei)
def test_may_replace_at_the_least_bump_and_one_wei_less(old_fee: int, old_tip: int) -> None:
    old = make_tx(fee_cap_wei=old_fee, tip_cap_wei=old_tip)
    fee, tip = (max(before * 110 // 100, before + 1) for before in (old_fee, old_tip))
    assert may_replace(make_tx(fee_cap_wei=fee, tip_cap_wei=tip), old, LIMITS)
    assert not may_replace(make_tx(fee_cap_wei=fee - 1, tip_cap_wei=tip), old, LIMITS)
    assert not may_replace(make_tx(fee_cap_wei=fee, tip_cap_wei=tip - 1), old, LIMITS)


@given(fees_wei, st.integers(0, 10**15), fees_wei)
def test_may_replace_accepts_what_bump_fees_makes(fee: int, tip: int, market_fee: int) -> None:
    tip = min(fee, tip)
    old = make_tx(fee_cap_wei=fee, tip_cap_wei=tip)
    new = bump_fees(Fees(fee, tip), Fees(market_fee, min(market_fee, tip)))
    assert may_replace(
        make_tx(fee_cap_wei=new.max_fee_wei, tip_cap_wei=new.max_priority_fee_wei), old, LIMITS
    )


@given(fees_wei, fees_wei, fees_wei, st.sampled_from(["fee_cap_wei", "tip_cap_wei", "blob_fee_cap_wei"]))
def test_may_replace_of_blobs_doubles_all_three(fee: int, tip: int, blob_fee: int, short: str) -> None:
    old = make_tx(blobs=1, fee_cap_wei=fee, tip_cap_wei=tip, blob_fee_cap_wei=blob_fee)
    doubled = {"fee_cap_wei": 2 * fee, "tip_cap_wei": 2 * tip, "blob_fee_cap_wei": 2 * blob_fee}
    assert may_replace(make_tx(blobs=1, **doubled), old, LIMITS)
    assert not may_replace(make_tx(blobs=1, **doubled | {short: doubled[short] - 1}), old, LIMITS)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        # EXECUTION: a cost of more than one ether is refused over RPC
        (
            {"fee_cap_wei": ETHER // 21_000 + 10**11, "gas_limit": 21_000},
            "tx fee (1.00 ether) exceeds the configured cap (1.00 ether)",
        ),
        ({"chain_id": None}, "only replay-protected (EIP-155) transactions allowed over RPC"),
        ({"chain_id": 5}, "invalid sender: invalid chain id for signer: have 5 want 1337"),
        ({"raw": bytes(131_073)}, "oversized data: transaction size 131073, limit 131072"),
        (
            {"gas_limit": 2**24 + 1, "fee_cap_wei": GWEI},
            "transaction gas limit too high (cap: 16777216, tx: 16777217)",
        ),
        ({"gas_limit": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        (
            {"data": b"\1" * 100, "gas_limit": 24_000},
            "insufficient gas for floor data gas cost: gas 24000, minimum needed 25000",
        ),
        ({"to": None}, "intrinsic gas too low: gas 21000, minimum needed 53000"),
        ({"tip_cap_wei": 0}, "transaction underpriced: gas tip cap 0, minimum needed 1"),
    ],
)
def test_find_fault_of_what_no_account_could_send(fields: dict[str, Any], words: str) -> None:
    fault = find_fault(make_tx(**fields), HEAD, LIMITS)
    assert fault is not None
    assert (fault.code, fault.message) == (-32000, words)


def test_find_fault_of_a_tip_above_the_fee_names_both() -> None:
    fault = find_fault(make_tx(tip_cap_wei=21 * GWEI), HEAD, LIMITS)
    assert fault is not None
    assert fault.message.startswith("max priority fee per gas higher than max fee per gas")


@given(st.integers(1, 10 * GWEI - 1))
def test_find_fault_under_the_base_fee_is_none(fee: int) -> None:
    assert find_fault(make_tx(fee_cap_wei=fee, tip_cap_wei=min(fee, GWEI)), HEAD, LIMITS) is None


def test_find_shortage_tells_the_numbers() -> None:
    cost = make_tx().cost_wei
    poor = Account(0, cost - 1)
    for account, spent, old, words in (
        (Account(3, ETHER), 0, None, "nonce too low: next nonce 3, tx nonce 0"),
        (poor, 0, None, f"balance {cost - 1}, tx cost {cost}, overshot 1"),
        (Account(0, cost), 5, None, f"balance {cost}, queued cost 5, tx cost {cost}, overshot 5"),
        (Account(0, cost), cost + 1, make_tx(), f"queued cost {cost + 1}, tx bumped 0, overshot 1"),
    ):
        found = find_shortage(make_tx(), account, spent, old)
        assert found is not None
        assert found.message.endswith(words)
    assert find_shortage(make_tx(), RICH, 0, None) is None
