"""The contract's rules in Python: what a call would change, or the error it would revert with.

A matcher checks a batch here before it simulates it; a test runs both on the same random batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from onchain_exec.clearing.settle.batch import Batch
from onchain_exec.clearing.settle.fill import Scheme, SettleFill
from onchain_exec.clearing.settle.lane import Lane
from onchain_exec.clearing.settle.order import Domain, Flags
from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.errors import SettleRevertError

BPS: Final = 10_000


def _refuse_contracts(owner: Address, digest: bytes, signature: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SettleState:
    """What the contract remembers. A lane that is not there is at its beginning; ``stopped_until`` and
    ``sunset_at`` are unix seconds."""

    sunset_at: int
    stopped_until: int = 0
    lanes: Mapping[tuple[Address, int], Lane] | None = None
    presigned: Mapping[tuple[Address, int], bytes] | None = None

    def lane(self, owner: Address, number: int) -> Lane:
        """Return where an owner stands on one of its lanes (``Settle.laneOf``)."""
        return (self.lanes or {}).get((owner, number), Lane())


@dataclass(frozen=True, slots=True)
class Moment:
    """Where and when a call runs: by whom, at which unix second. ``verifies`` answers for ERC-1271 owners:
    (owner, digest, signature); by default they all refuse."""

    domain: Domain
    sender: Address
    timestamp: int
    verifies: Callable[[Address, bytes, bytes], bool] = _refuse_contracts


def settle(state: SettleState, batch: Batch, moment: Moment) -> SettleState:
    """Return what the contract remembers after ``settle``, tokens aside.

    Raises:
        SettleRevertError: the first rule that the contract would find broken.
    """
    _require_open(state, moment)
    for index, (before, token) in enumerate(pairwise(batch.tokens), 1):
        if before.lower() >= token.lower():
            raise SettleRevertError("TokensUnsorted", f"token {index}", "ascending order, each once")
    if batch.prices and len(batch.prices) != len(batch.tokens):
        raise SettleRevertError("PricesMissing", f"{len(batch.prices)} prices", f"{len(batch.tokens)}")
    prices = dict(zip(batch.tokens, batch.prices, strict=True)) if batch.prices else None
    for fill in batch.fills:
        state = accept(state, fill, moment)
        if prices is not None:
            _require_uniform(fill, prices[fill.order.token_in], prices[fill.order.token_out])
    return state


def pair(state: SettleState, one: SettleFill, other: SettleFill, moment: Moment) -> SettleState:
    """Return what the contract remembers after ``pair``, tokens aside.

    Raises:
        SettleRevertError: the first rule that the contract would find broken.
    """
    _require_open(state, moment)
    if one.amount_in != other.amount_out + other.fee or other.amount_in != one.amount_out + one.fee:
        raise SettleRevertError("NotAPair", "amounts that differ", "each to pay the other's, exactly")
    return accept(accept(state, one, moment), other, moment)


def take(state: SettleState, fill: SettleFill, moment: Moment) -> SettleState:
    """Return what the contract remembers after ``take``, tokens aside.

    Raises:
        SettleRevertError: the first rule that the contract would find broken.
    """
    _require_open(state, moment)
    if fill.fee:
        raise SettleRevertError("FeeFromTaker", f"a fee of {fill.fee}", "none")
    return accept(state, fill, moment)


def accept(state: SettleState, fill: SettleFill, moment: Moment) -> SettleState:
    """Return what the contract remembers after one fill (``Settle.accept``).

    Raises:
        SettleRevertError: DeadlinePassed, NothingFilled, PartialFill, LimitBroken, FeeTooHigh,
            WrongSignature, SeqPassed, Overfilled.
    """
    require_allowed(fill, moment.timestamp)
    order = fill.order
    if not is_signed(state, fill, moment):
        raise SettleRevertError("WrongSignature", f"{order.owner} did not sign this", "the owner's word")
    lane = state.lane(order.owner, order.lane).fill(order.seq, fill.amount, order.size)
    return replace(state, lanes={**(state.lanes or {}), (order.owner, order.lane): lane})


def require_allowed(fill: SettleFill, timestamp: int) -> None:
    """Return if the order lets itself be filled this way at this second (``Fills.requireAllowed``).

    Raises:
        SettleRevertError: DeadlinePassed, NothingFilled, PartialFill, LimitBroken, FeeTooHigh.
    """
    order = fill.order
    if timestamp > order.deadline_at:
        raise SettleRevertError("DeadlinePassed", f"second {timestamp}", f"at most {order.deadline_at}")
    if fill.amount == 0:
        raise SettleRevertError("NothingFilled", "a fill of 0", "above 0")
    if Flags.FILL_OR_KILL in order.flags and fill.amount != order.size:
        raise SettleRevertError("PartialFill", f"{fill.amount}", f"all {order.size}")
    if fill.amount_out * order.amount_in < order.amount_out * fill.amount_in:
        needed = -(-order.amount_out * fill.amount_in // order.amount_in)
        raise SettleRevertError("LimitBroken", f"{fill.amount_out} out", f"at least {needed}")
    if fill.fee * BPS > (fill.amount_out + fill.fee) * order.max_fee_bps:
        raise SettleRevertError("FeeTooHigh", f"a fee of {fill.fee}", f"{order.max_fee_bps} bps at most")


def is_signed(state: SettleState, fill: SettleFill, moment: Moment) -> bool:
    """Return whether the owner stands for the order (``Settle.requireSigned``)."""
    order, signed = fill.order, fill.signed
    if order.matcher != ZERO_ADDRESS:
        order = replace(order, matcher=moment.sender)  # the contract hashes the sender in its place
    digest = moment.domain.get_digest(order)
    if signed.scheme is Scheme.ERC1271:
        return moment.verifies(order.owner, digest, signed.signature)
    if signed.scheme is Scheme.PRESIGN:
        return (state.presigned or {}).get((order.owner, order.lane)) == digest
    return signed.is_by_key(order.owner, digest)


def _require_open(state: SettleState, moment: Moment) -> None:
    if moment.timestamp < state.stopped_until:
        raise SettleRevertError("SettlementStopped", "a stop", f"second {state.stopped_until}")
    if moment.timestamp >= state.sunset_at:
        raise SettleRevertError("SunsetPassed", f"second {moment.timestamp}", f"before {state.sunset_at}")


def _require_uniform(fill: SettleFill, price_in: int, price_out: int) -> None:
    """``Fills.requireUniform``: at least as good for the owner, by less than one unit of either token."""
    excess = (fill.amount_out + fill.fee) * price_out - fill.amount_in * price_in
    if excess < 0 or (excess >= price_out and excess >= price_in):
        raise SettleRevertError("NotUniform", f"{excess} beside the prices", "the prices, rounded up")
