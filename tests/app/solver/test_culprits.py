"""Whom a batch that reverts is blamed on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from onchain_exec.app.solver.culprits import read_culprits
from onchain_exec.app.solver.place import SolverPlace
from onchain_exec.clearing.settle import Domain, Scheme, SettleFill, SettleOrder, Signed
from onchain_exec.core import ZERO_ADDRESS, Address, Answer, BlockRef, Snapshot, to_address
from onchain_exec.errors import RevertError
from onchain_exec.venues.router import RouterDeployment

ONE, OTHER, SETTLE = (to_address(bytes([number]) * 20) for number in (0xAB, 0xBC, 0xCD))
DAI, WETH = (to_address(bytes([number]) * 20) for number in (1, 2))
PLACE = SolverPlace(Domain(1, SETTLE), ZERO_ADDRESS, RouterDeployment(*[ZERO_ADDRESS] * 4))
FILLS = tuple(
    SettleFill(SettleOrder(owner, *pair, 10, 10, 2_000_000_000, 1), Signed(Scheme.PRESIGN), 10, 10)
    for owner, pair in ((ONE, (DAI, WETH)), (OTHER, (WETH, DAI)))
)
TRUE = Answer(success=True, data=(1).to_bytes(32))
BAD = (Answer(success=False, data=b""), Answer(success=True, data=bytes(32)))


def blame(error: RevertError, answers: Sequence[Answer]) -> list[Address]:
    """Return whose orders are refused; a pull and a payment are tried of each fill."""
    reading = read_culprits(PLACE, FILLS, error)
    assert len(next(reading)) == len(answers)
    try:
        reading.send(Snapshot(BlockRef(1, 1, "0x" + "00" * 32, 0, 0, 0), tuple(answers)))
    except StopIteration as done:
        digests = [refusal.digest for refusal in done.value]
        return [fill.order.owner for fill in FILLS if PLACE.domain.get_digest(fill.order) in digests]
    raise AssertionError("one round of reads was enough")


def test_read_culprits_error_names_the_owner() -> None:
    error = RevertError("WrongSignature", (OTHER.lower(), b"digest"), b"")
    assert blame(error, [BAD[0], TRUE, TRUE, TRUE]) == [OTHER]


def test_read_culprits_transfer_that_fails_or_says_false_is_the_orders() -> None:
    error = RevertError("TokenCallFailed", (DAI, b"", b""), b"")
    for bad in BAD:
        assert blame(error, [bad, TRUE, TRUE, TRUE]) == [ONE]
        assert blame(error, [TRUE, TRUE, TRUE, bad]) == [OTHER]


def test_read_culprits_token_that_answers_nothing_is_no_culprit_and_nobody_else_are_all() -> None:
    nothing = Answer(success=True, data=b"")
    assert blame(RevertError("", (), b""), [nothing, TRUE, TRUE, TRUE]) == [ONE, OTHER]


def test_read_culprits_pool_that_gives_too_little_is_nobodys_fault() -> None:
    with pytest.raises(StopIteration) as done:
        next(read_culprits(PLACE, FILLS, RevertError("AmountOutTooLow", (1, 2), b"")))
    assert done.value.value == ()
