"""What is said of an order before it is settled, and what the contract says when it is."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

import pytest
from venues.evm_reading import perform

from clearing.settle.book_of_orders import (
    MATCHER,
    NOW,
    RICH,
    Stage,
    make_order,
    set_stage,
)
from onchain_exec.clearing.settle import Flags, Scheme, SettleFill, SettleOrder, Signed, replica
from onchain_exec.clearing.settle.batch import encode_cancel, encode_presign, encode_take
from onchain_exec.clearing.settle.contract import LANE_OF, SETTLE_ERRORS
from onchain_exec.clearing.settle.order_book import OpenOrder, Refusal, RefusalCode
from onchain_exec.clearing.settle.verification import Verified, read_verified
from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.core.abi import Function
from onchain_exec.errors import RevertError

APPROVE: Final = Function("approve(address,uint256)")
TRANSFER: Final = Function("transfer(address,uint256)")
CONSENTS: Final = bytes.fromhex("631626ba7e60e01b60005260206000f3")
"""A wallet's code that answers any call with ERC-1271's magic; the others with less, or not at all."""
OTHERS: Final = [bytes.fromhex(code) for code in ("631626ba7e60005260206000f3", "60016000f3", "fe", "00")]
CAUSES: Final = {
    RefusalCode.EXPIRED: {"DeadlinePassed"},
    RefusalCode.LANE_PASSED: {"SeqPassed"},
    RefusalCode.USED_UP: {"Overfilled", "PartialFill"},
    RefusalCode.NOT_SIGNED: {"WrongSignature"},
    RefusalCode.FOREIGN_MATCHER: {"WrongSignature"},
    RefusalCode.BALANCE_SHORT: {"TokenCallFailed"},
    RefusalCode.ALLOWANCE_SHORT: {"TokenCallFailed"},
}


def verify(stage: Stage, order: SettleOrder, signed: Signed, sender: Address | None = MATCHER):
    resting = OpenOrder(stage.domain.get_digest(order), order, signed)
    (found,) = perform(stage.evm, read_verified(stage.domain, [resting], sender))
    return found


def take(stage: Stage, order: SettleOrder, signed: Signed, amount: int) -> str | None:
    """Fill ``amount`` of its size at its limit; return the name of the error that it reverts with."""
    if order.is_exact_out:
        fill = SettleFill(order, signed, order.amount_in * amount // order.amount_out, amount)
    else:
        fill = SettleFill(order, signed, amount, -(-order.amount_out * amount // order.amount_in))
    try:
        stage.evm.call(MATCHER, stage.domain.contract, encode_take(fill))
    except RevertError as error:
        return {item.selector: item.name for item in SETTLE_ERRORS}[error.data[:4]]
    return None


def least(order: SettleOrder) -> int:
    return order.size if Flags.FILL_OR_KILL in order.flags else 1


def plain(stage: Stage, **terms) -> SettleOrder:
    sold, bought = stage.tokens[:2]
    owner = stage.owners[0]
    return SettleOrder(
        **{"owner": owner, "token_in": sold, "token_out": bought, "amount_in": 1_000, "amount_out": 900}
        | {"deadline_at": NOW, "seq": 5}
        | terms
    )


@pytest.fixture(scope="module")
def stage() -> Stage:
    return set_stage()


def test_read_verified_random_orders_are_judged_as_the_contract_does(
    stage: Stage, rng: random.Random
) -> None:
    verdicts = {"verified": 0, "refused": 0}
    lanes = replica.SettleState(NOW)
    for _ in range(120):
        order = make_order(stage, rng, rng.choice(stage.owners), rng.choice(stage.tokens), lanes)
        seq = rng.randrange(4)
        deadline_at = NOW - (rng.random() < 0.1)
        matcher = rng.choice((*[ZERO_ADDRESS] * 4, MATCHER, stage.owners[0]))
        order = replace(order, seq=seq, deadline_at=deadline_at, matcher=matcher, max_fee_bps=0)
        signed = stage.sign(order if rng.random() < 0.9 else replace(order, seq=9))
        match verify(stage, order, signed):
            case Verified() as verified:
                answer = stage.evm.static_call(stage.domain.contract, LANE_OF.encode(order.owner, order.lane))
                assert (verified.lane.seq, verified.lane.filled) == LANE_OF.decode(answer)
                beyond = verified.remaining + 1
                assert take(stage, order, signed, beyond) in ("Overfilled", "PartialFill")
                part = verified.remaining if least(order) > 1 else rng.randrange(1, beyond)
                assert take(stage, order, signed, part) is None
                verdicts["verified"] += 1
            case Refusal(code=code):
                assert take(stage, order, signed, least(order)) in CAUSES[code]
                verdicts["refused"] += 1
    assert min(verdicts.values()) > 20, verdicts


@pytest.mark.parametrize("short", ["balance", "allowance"])
@pytest.mark.parametrize("flags", [Flags.NONE, Flags.EXACT_OUT, Flags.FILL_OR_KILL])
def test_read_verified_owner_who_can_pay_a_part_has_that_left(short: str, flags: Flags) -> None:
    stage = set_stage(2)
    order = plain(stage, flags=flags)
    spender = stage.domain.contract
    if short == "balance":
        stage.evm.call(order.owner, order.token_in, TRANSFER.encode(MATCHER, RICH - 500))
    else:
        stage.evm.call(order.owner, order.token_in, APPROVE.encode(spender, 500))
    signed = stage.sign(order)
    found = verify(stage, order, signed)
    if Flags.FILL_OR_KILL in flags:
        code = RefusalCode.BALANCE_SHORT if short == "balance" else RefusalCode.ALLOWANCE_SHORT
        assert (found.code, found.block_number) == (code, 1)
        assert take(stage, order, signed, 1_000) == "TokenCallFailed"
        return
    assert found.remaining == (450 if Flags.EXACT_OUT in flags else 500)
    assert take(stage, order, signed, found.remaining + 2) == "TokenCallFailed"
    assert take(stage, order, signed, found.remaining) is None
    after = verify(stage, order, signed)
    assert after.code is (RefusalCode.BALANCE_SHORT if short == "balance" else RefusalCode.ALLOWANCE_SHORT)


def test_read_verified_cancelled_lane_has_passed(stage: Stage) -> None:
    order = plain(stage, lane=77)
    signed = stage.sign(order)
    stage.evm.call(order.owner, stage.domain.contract, encode_cancel(77, 4))
    assert isinstance(verify(stage, order, signed), Verified)
    stage.evm.call(order.owner, stage.domain.contract, encode_cancel(77, 5))
    assert verify(stage, order, signed).code is RefusalCode.LANE_PASSED


def test_read_verified_presigned_order_is_signed_while_its_lane_says_so(stage: Stage) -> None:
    order, signed = plain(stage, lane=78), Signed(Scheme.PRESIGN)
    assert verify(stage, order, signed).code is RefusalCode.NOT_SIGNED
    assert take(stage, order, signed, 1) == "WrongSignature"
    stage.evm.call(order.owner, stage.domain.contract, encode_presign(78, stage.domain.get_digest(order)))
    assert isinstance(verify(stage, order, signed), Verified)
    assert take(stage, order, signed, 1) is None


@pytest.mark.parametrize("code", [CONSENTS, *OTHERS, b""], ids=lambda code: code.hex() or "none")
def test_read_verified_wallet_with_code_consents_with_the_magic_word_only(code: bytes) -> None:
    stage = set_stage(2)
    order, signed = plain(stage), Signed(Scheme.ERC1271, b"anything")
    if code:
        stage.evm.set_code(order.owner, code)
    found = verify(stage, order, signed)
    if code == CONSENTS:
        assert isinstance(found, Verified)
        assert take(stage, order, signed, 1) is None
    else:
        assert found.code is RefusalCode.NOT_SIGNED
        assert take(stage, order, signed, 1) == "WrongSignature"


def test_read_verified_many_orders_keep_their_places_and_ask_once(stage: Stage) -> None:
    orders = [plain(stage, seq=seq, lane=80) for seq in (1, 2, 3)]
    resting = [OpenOrder(stage.domain.get_digest(order), order, stage.sign(order)) for order in orders]
    reading = read_verified(stage.domain, resting)
    assert len(next(reading)) == 3  # lane, balance, allowance
    found = perform(stage.evm, read_verified(stage.domain, resting))
    assert [verified.resting for verified in found] == resting
