"""The most that a router's calldata can do to its caller: what is pulled, what the router still holds,
who is paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Exact
from onchain_exec.execution.signers.intent import Allowance, Intent
from onchain_exec.venues import router as ours
from onchain_exec.venues import swap_router, universal_router
from onchain_exec.venues.swap_router.codec import SelfPermit
from onchain_exec.venues.swap_router.legs import ADDRESS_THIS
from onchain_exec.venues.universal_router.codec import CONTRACT_BALANCE
from onchain_exec.venues.universal_router.plan import MSG_SENDER

_NOBODY: Final = ours.RouterTerms(ZERO_ADDRESS, ZERO_ADDRESS, 0, 0, ZERO_ADDRESS, 0)
MULTICALL_SELECTOR: Final = swap_router.encode_router_call(swap_router.RouterCall(0, ()))[:4]
"""``multicall(uint256,bytes[])`` of SwapRouter02."""
EXECUTE_SELECTOR: Final = universal_router.encode_universal_call(universal_router.UniversalCall(0, ()))[:4]
"""``execute(bytes,bytes[],uint256)`` of the Universal Router."""
SWAP_SELECTOR: Final = ours.encode_router_call(ours.RouterCall(_NOBODY, ()))[:4]
"""``swap`` of our Router."""
SWAP_WITH_PERMIT_SELECTOR: Final = ours.encode_router_call(
    ours.RouterCall(_NOBODY, (), (), ours.RouterPermit(ZERO_ADDRESS, 0, b""))
)[:4]
"""``swapWithPermit`` of our Router."""


@dataclass(slots=True)
class _Books:
    """What the steps so far have pulled from the caller, left in the router, and paid to whom."""

    spends: Counter[Address] = field(default_factory=Counter)
    held: set[Address] = field(default_factory=set)
    receivers: set[Address] = field(default_factory=set)
    allowances: list[Allowance] = field(default_factory=list)
    is_bounded: bool = True

    def pay(self, receiver: Address, token: Address, least: int) -> None:
        """Book what a step gives: it stays in the router, or leaves it for at least so much."""
        if receiver == ADDRESS_THIS:
            self.held.add(token)
            return
        if receiver != MSG_SENDER:
            self.receivers.add(receiver)
        self.is_bounded &= least > 0

    def close(self, router: Address, selector: bytes) -> Intent:
        return Intent(
            router,
            selector,
            spends=dict(self.spends),
            receivers=frozenset(self.receivers),
            allowances=tuple(self.allowances),
            is_bounded=self.is_bounded and not self.held,
        )


def read_swap_router(router: Address, data: bytes) -> Intent:
    """Return what a multicall of SwapRouter02 would do, or raise InputError."""
    books = _Books()
    for step in swap_router.decode_router_call(data).steps:
        match step:
            case SelfPermit(token, amount):
                books.allowances.append(Allowance(token, router, amount))
            case swap_router.Sweep(token, least, recipient):
                books.held.discard(token)
                books.pay(recipient, token, least)
            case swap_router.V2Swap() | swap_router.V3Swap():
                takes_all = step.exact is Exact.IN and step.amount == 0  # Constants.CONTRACT_BALANCE
                taken, least = _get_bounds(step.exact, step.amount, step.bound)
                if takes_all:
                    books.held.discard(step.path[0])
                else:
                    books.spends[step.path[0]] += taken
                books.pay(step.recipient, step.path[-1], least)
    return books.close(router, MULTICALL_SELECTOR)


def read_universal_router(router: Address, data: bytes) -> Intent:
    """Return what an ``execute`` of the Universal Router would do, or raise InputError.

    It is paid through Permit2; native coin goes along as value, which the transaction counts.
    """
    books = _Books()
    for command in universal_router.decode_universal_call(data).commands:
        match command:
            case universal_router.SignedPermit(permit):
                books.allowances.append(Allowance(permit.token, permit.spender, permit.amount))
            case universal_router.Sweep(token, recipient, least):
                # the rest of the value that an exact output left may be nothing
                is_change = recipient == MSG_SENDER and token == ZERO_ADDRESS
                books.held.discard(token)
                books.pay(recipient, token, 1 if is_change else least)
            case universal_router.V4Swap():
                first, last = command.hops[0].currency_in, command.hops[-1].currency_out
                _book_command(books, command, (first, last))
            case universal_router.V2Swap() | universal_router.V3Swap():
                _book_command(books, command, (command.path[0], command.path[-1]))
    return books.close(router, EXECUTE_SELECTOR)


def read_router(router: Address, data: bytes) -> Intent:
    """Return what a call of our Router would do, or raise InputError.

    With a permit nothing is spent by this transaction: the owner's signature has spent it.
    """
    call = ours.decode_router_call(data)
    terms, books = call.terms, _Books()
    if call.permit is None and terms.token_in != ZERO_ADDRESS:
        books.spends[terms.token_in] += terms.amount_in_max
    books.pay(terms.recipient, terms.token_out, terms.amount_out_min)
    books.held |= _find_left(call.hops)
    return books.close(router, SWAP_SELECTOR if call.permit is None else SWAP_WITH_PERMIT_SELECTOR)


def _book_command(
    books: _Books,
    command: universal_router.V2Swap | universal_router.V3Swap | universal_router.V4Swap,
    tokens: tuple[Address, Address],
) -> None:
    takes_all = command.amount in (None, CONTRACT_BALANCE)
    taken, least = _get_bounds(command.exact, command.amount or 0, command.bound)
    if takes_all:
        books.held.discard(tokens[0])
    if command.payer_is_user:
        books.spends[tokens[0]] += taken
    books.pay(command.recipient, tokens[1], least)


def _get_bounds(exact: Exact, amount: int, bound: int) -> tuple[int, int]:
    """Return the most that a swap takes and the least that it gives."""
    return (amount, bound) if exact is Exact.IN else (bound, amount)


def _find_left(hops: Iterable[ours.RouterHop]) -> set[Address]:
    """Return the tokens that hops leave in our Router, where anyone may take them."""
    left: set[Address] = set()
    for hop in hops:
        if hop.input is ours.Input.ROUTER and hop.amount == 0:  # all that is there
            left.discard(hop.token_in)
        if hop.output is ours.Output.ROUTER:
            left.add(hop.token_out)
    return left
