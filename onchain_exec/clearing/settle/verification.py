"""Whether signed orders can be settled at a block: what is to be read of the chain, and what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from onchain_exec.clearing.settle.contract import LANE_OF, PRESIGNED
from onchain_exec.clearing.settle.fill import Scheme
from onchain_exec.clearing.settle.lane import Lane
from onchain_exec.clearing.settle.order import Domain, Flags
from onchain_exec.clearing.settle.order_book import OpenOrder, Refusal, RefusalCode
from onchain_exec.core import ZERO_ADDRESS, Address, Answer, Call, Reading, Snapshot
from onchain_exec.core.abi import Function

_BALANCE_OF: Final = Function("balanceOf(address)", "(uint256)")
_ALLOWANCE: Final = Function("allowance(address,address)", "(uint256)")
IS_VALID_SIGNATURE: Final = Function("isValidSignature(bytes32,bytes)", "(bytes4)")
"""ERC-1271."""


@dataclass(frozen=True, slots=True)
class Verified:
    """An order that its owner signed and that its lane lets be filled, at one block: how the ``lane`` stands,
    and what the owner holds and allows of the token that it sells, in base units."""

    resting: OpenOrder
    lane: Lane
    balance: int
    allowance: int

    @property
    def unfilled(self) -> int:
        """What its lane leaves of it, in what it counts in."""
        order = self.resting.order
        return order.size - (self.lane.filled if self.lane.seq == order.seq else 0)

    @property
    def remaining(self) -> int:
        """What can be filled of it: what is unfilled, or what the owner can pay for at the order's limit,
        rounded down."""
        order = self.resting.order
        payable = min(self.balance, self.allowance)
        if order.is_exact_out:
            payable = payable * order.amount_out // order.amount_in
        return min(self.unfilled, payable)


def read_verified(
    domain: Domain, orders: Sequence[OpenOrder], sender: Address | None = None
) -> Reading[tuple[Verified | Refusal, ...]]:
    """Read, in one round, whether each order may be filled by a transaction after the block; ``sender`` is
    who would send it, None for whomever the order names.

    An order that its owner can pay for in part is verified, unless it is to be filled as a whole.
    """
    asked: dict[Call, int] = {}
    for resting in orders:
        for call in _list_calls(domain, resting):
            asked.setdefault(call, len(asked))
    snapshot: Snapshot = yield tuple(asked)

    def look_up(call: Call) -> Answer:
        return snapshot.answers[asked[call]]

    return tuple(
        _judge(domain, resting, _Look(snapshot.block.number, snapshot.block.timestamp, sender, look_up))
        for resting in orders
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Where and for whom orders are judged, and what was answered there."""

    block_number: int
    timestamp: int
    sender: Address | None
    answer: Callable[[Call], Answer]

    def number(self, call: Call) -> int:
        """Return the word answered, 0 where none is: what answers nothing holds and allows nothing."""
        return _get_word(self.answer(call))


def _list_calls(domain: Domain, resting: OpenOrder) -> tuple[Call, ...]:
    calls = (_lane_call(domain, resting), _balance_call(resting), _allowance_call(domain, resting))
    word = _word_call(domain, resting)
    return calls if word is None else (*calls, word)


def _judge(domain: Domain, resting: OpenOrder, look: _Look) -> Verified | Refusal:
    answer = look.answer(_lane_call(domain, resting))
    lane = Lane(*LANE_OF.decode(answer.data)) if answer.success and answer.data else Lane()
    verified = Verified(
        resting,
        lane,
        balance=look.number(_balance_call(resting)),
        allowance=look.number(_allowance_call(domain, resting)),
    )
    for code, found, needed in _find_faults(domain, verified, look):
        return Refusal(resting.digest, code, found, needed, look.block_number)
    return verified


def _find_faults(domain: Domain, standing: Verified, look: _Look) -> Iterator[tuple[RefusalCode, str, str]]:
    """Yield what stands in the way of an order, in the order in which the contract would find it."""
    order, lane = standing.resting.order, standing.lane
    if look.timestamp > order.deadline_at:
        yield RefusalCode.EXPIRED, f"second {look.timestamp}", f"at most {order.deadline_at}"
    if not _is_signed(domain, standing.resting, look):
        how = standing.resting.signed.scheme.name
        yield RefusalCode.NOT_SIGNED, f"no word of {order.owner} by {how}", "the owner's word"
    if order.matcher != ZERO_ADDRESS and look.sender not in (None, order.matcher):
        yield RefusalCode.FOREIGN_MATCHER, f"{look.sender} would send it", f"{order.matcher}"
    if order.seq < lane.seq:
        yield RefusalCode.LANE_PASSED, f"seq {order.seq}", f"at least {lane.seq}"
    is_whole = Flags.FILL_OR_KILL in order.flags
    if standing.unfilled < (order.size if is_whole else 1):
        yield RefusalCode.USED_UP, f"{standing.unfilled} of {order.size} left", "something to fill"
    least = order.amount_in if is_whole else 1
    if standing.balance < least:
        yield RefusalCode.BALANCE_SHORT, f"{standing.balance} of {order.token_in}", f"at least {least}"
    if standing.allowance < least:
        yield RefusalCode.ALLOWANCE_SHORT, f"{standing.allowance} to {domain.contract}", f"at least {least}"


def _is_signed(domain: Domain, resting: OpenOrder, look: _Look) -> bool:
    """``Settle.requireSigned``."""
    call = _word_call(domain, resting)
    if call is None:
        return resting.signed.is_by_key(resting.order.owner, resting.digest)
    answer = look.answer(call)
    if resting.signed.scheme is Scheme.PRESIGN:
        return answer.success and answer.data == resting.digest
    return is_erc1271_consent(answer)


def is_erc1271_consent(answer: Answer) -> bool:
    """Return whether an account's code stood for a digest (``Signatures.isByCode``); one without code answers
    nothing."""
    magic = IS_VALID_SIGNATURE.selector.ljust(32, b"\0")
    return answer.success and answer.data[:32] == magic


def _word_call(domain: Domain, resting: OpenOrder) -> Call | None:
    """Return what asks the chain for the owner's word; a key's is looked at here."""
    order, signed = resting.order, resting.signed
    if signed.scheme is Scheme.PRESIGN:
        return Call(domain.contract, PRESIGNED.encode(order.owner, order.lane))
    if signed.scheme is Scheme.ERC1271:
        return Call(order.owner, IS_VALID_SIGNATURE.encode(resting.digest, signed.signature))
    return None


def _lane_call(domain: Domain, resting: OpenOrder) -> Call:
    return Call(domain.contract, LANE_OF.encode(resting.order.owner, resting.order.lane))


def _balance_call(resting: OpenOrder) -> Call:
    return Call(resting.order.token_in, _BALANCE_OF.encode(resting.order.owner))


def _allowance_call(domain: Domain, resting: OpenOrder) -> Call:
    return Call(resting.order.token_in, _ALLOWANCE.encode(resting.order.owner, domain.contract))


def _get_word(answer: Answer) -> int:
    return int.from_bytes(answer.data[:32]) if answer.success and len(answer.data) >= 32 else 0
