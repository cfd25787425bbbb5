"""A mined settlement against the call that asked for it, to the unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onchain_exec.clearing.settle import SettleFill
from onchain_exec.clearing.settle.events import Filled, decode_fills
from onchain_exec.core import Address, Log
from onchain_exec.routing.matching.solver_call import SolverCall
from onchain_exec.venues.erc20 import get_balance_changes


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What a settlement did otherwise than it was asked to, as text for people."""

    found: str
    expected: str


def find_mismatches(
    call: SolverCall, logs: Sequence[Log], contract: Address, solver: Address
) -> tuple[Mismatch, ...]:
    """Return what of a settlement's ``logs`` is not as ``call`` says: every fill by the word of Settle, the
    ``contract``; by the tokens' words every change of what owners, receivers and both contracts hold.

    Who gets the surplus must not lose by it; what it gains the pools decide. The ``solver``'s contract may
    give away what others have sent it.
    """
    fills = _compare_fills(call.batch.fills, decode_fills(logs, contract))
    return (*fills, *_compare_balances(call, logs, (contract, solver)))


def _compare_fills(asked: Sequence[SettleFill], told: Sequence[Filled]) -> Iterator[Mismatch]:
    if len(asked) != len(told):
        yield Mismatch(f"{len(told)} fills", f"{len(asked)}")
        return
    for fill, filled in zip(asked, told, strict=True):
        order = fill.order
        wanted = order.owner, order.lane, order.seq, fill.amount_in, fill.amount_out, fill.fee
        found = filled.owner, filled.lane, filled.seq, filled.amount_in, filled.amount_out, filled.fee
        if found != wanted:
            yield Mismatch(f"a fill of {found}", f"(owner, lane, seq, in, out, fee) {wanted}")


def _compare_balances(
    call: SolverCall, logs: Sequence[Log], contracts: tuple[Address, Address]
) -> Iterator[Mismatch]:
    changes = Counter({(contract, token): 0 for contract in contracts for token in call.batch.tokens})
    for fill in call.batch.fills:
        changes[fill.order.owner, fill.order.token_in] -= fill.amount_in
        changes[fill.order.pays_to, fill.order.token_out] += fill.amount_out
    found = {account: get_balance_changes(logs, account) for account, _ in changes}
    solver = contracts[1]
    for (account, token), change in changes.items():
        moved = found[account].get(token, 0)
        is_gain = account == call.surplus_to and moved > change
        is_gift = account == solver and moved < change
        if moved != change and not is_gain and not is_gift:
            yield Mismatch(f"{account} changes by {moved} of {token}", f"{change}")
