"""GMX v2: formulas against its own libraries' answers, orders against its own client's bytes.

``golden/gmx_v2.json`` names where its numbers are from: the libraries compiled from their source and asked
on random states, and the client asked for random orders.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onchain_exec.core import Address, to_address
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import apply_exponent_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import (
    BorrowingRules,
    FundingRules,
    ImpactRules,
    OpenInterest,
    get_borrowing_per_second,
    get_next_funding,
    get_price_impact,
    get_usage,
)
from onchain_exec.venues.perpetuals.gmx_v2.orders import (
    DecreaseSwap,
    GmxContracts,
    GmxOrder,
    OrderType,
    Position,
    Terms,
    encode_cancel_order,
    encode_create_order,
)

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[2] / "golden/gmx_v2.json").read_text("utf-8"))
OWNER: Address = to_address(b"\x77" * 20)
CONTRACTS = GmxContracts(*(to_address(bytes([number]) * 20) for number in range(0x88, 0x8E)))


@pytest.mark.parametrize(("value", "exponent", "power"), GOLDEN["exponent"])
def test_apply_exponent_factor_equals_library(value: int, exponent: int, power: int) -> None:
    assert apply_exponent_factor(value, exponent) == power


@pytest.mark.parametrize(("rules", "interest", "delta", "is_long", "shared", "impact"), GOLDEN["impact"])
def test_get_price_impact_equals_library(
    rules: list[int], interest: list[int], delta: int, is_long: bool, shared: int | None, impact: int
) -> None:
    found = get_price_impact(ImpactRules(*rules), OpenInterest(*interest), delta, is_long, shared)
    assert found.usd == impact


@pytest.mark.parametrize(("rules", "interest", "saved", "seconds", "funding"), GOLDEN["funding"])
def test_get_next_funding_equals_library(
    rules: list[int], interest: list[int], saved: int, seconds: int, funding: list[int]
) -> None:
    found = get_next_funding(FundingRules(*rules), OpenInterest(*interest), saved, seconds)
    assert list(found) == funding


@pytest.mark.parametrize(("rules", "reserved", "pool", "reserve_factor", "rate"), GOLDEN["borrowing"])
def test_get_borrowing_per_second_equals_library(
    rules: list[int], reserved: int, pool: int, reserve_factor: int, rate: int | str
) -> None:
    usage = get_usage(reserved, pool, reserve_factor) if pool else 0
    if rate == "revert":
        with pytest.raises(PoolRevertError):
            get_borrowing_per_second(BorrowingRules(*rules), reserved, pool, usage)
    else:
        assert get_borrowing_per_second(BorrowingRules(*rules), reserved, pool, usage) == rate


def to_order(payload: dict[str, Any], pays_native: bool) -> GmxOrder:
    """The order that the client's payload describes."""
    addresses, numbers = payload["addresses"], {k: int(v) for k, v in payload["numbers"].items()}
    return GmxOrder(
        OrderType(payload["orderType"]),
        Position(
            to_address(addresses["market"]),
            to_address(addresses["initialCollateralToken"]),
            payload["isLong"],
        ),
        numbers["sizeDeltaUsd"],
        numbers["initialCollateralDeltaAmount"],
        numbers["executionFee"],
        Terms(
            numbers["acceptablePrice"],
            numbers["triggerPrice"],
            numbers["minOutputAmount"],
            numbers["validFromTime"],
        ),
        tuple(map(to_address, addresses["swapPath"])),
        pays_native=pays_native,
        unwraps_native=payload["shouldUnwrapNativeToken"],
        decrease_swap=DecreaseSwap(payload["decreasePositionSwapType"]),
        auto_cancel=payload["autoCancel"],
        ui_fee_receiver=to_address(addresses["uiFeeReceiver"]),
        referral=bytes.fromhex(payload["referralCode"][2:]),
    )


@pytest.mark.parametrize("case", GOLDEN["orders"])
def test_encode_create_order_equals_the_clients_bytes(case: dict[str, Any]) -> None:
    contracts = replace(
        CONTRACTS, exchange_router=to_address(case["router"]), order_vault=to_address(case["vault"])
    )
    owner = to_address(case["payload"]["addresses"]["receiver"])
    call = encode_create_order(contracts, owner, to_order(case["payload"], case["native"]))
    assert call.data.hex() == case["callData"][2:]
    assert call.value_wei == int(case["value"])
    assert call.to == contracts.exchange_router


@pytest.mark.parametrize("case", GOLDEN["orders"])
def test_encode_cancel_order_equals_the_clients_bytes(case: dict[str, Any]) -> None:
    call = encode_cancel_order(CONTRACTS, OWNER, bytes.fromhex(case["key"][2:]))
    assert call.data.hex() == case["cancel"][2:]


def test_encode_create_order_that_cannot_be_executed_raises_input_error() -> None:
    position = Position(OWNER, OWNER, is_long=True)
    long = GmxOrder(OrderType.MARKET_INCREASE, position, 10**33, 10**18, 10**15, Terms(0))
    with pytest.raises(InputError, match="an acceptable price of 0"):
        encode_create_order(CONTRACTS, OWNER, long)
    free = GmxOrder(OrderType.MARKET_INCREASE, position, 10**33, 10**18, 0, Terms(1))
    with pytest.raises(InputError, match="an execution fee of 0 wei"):
        encode_create_order(CONTRACTS, OWNER, free)
