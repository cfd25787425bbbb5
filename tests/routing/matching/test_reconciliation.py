"""A settlement that does what it was asked to has no mismatch, and any other has one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from eth_abi import encode
from matching_books import NO_POOLS, PRICES, TOKENS, UNIT, make_order
from test_settlement import SOLVER, TREASURY, settle

from onchain_exec.clearing.settle.contract import FILLED
from onchain_exec.core import Address, Log, to_address
from onchain_exec.core.address import address_bytes
from onchain_exec.routing.matching import SolverCall, find_match, find_mismatches
from onchain_exec.venues.erc20 import TRANSFER

SETTLE = to_address(b"\xa4" * 20)


def word(account: Address) -> bytes:
    return address_bytes(account).rjust(32, b"\0")


def transfer(token: Address, source: Address, target: Address, amount: int) -> Log:
    return Log(token, (TRANSFER.topic, word(source), word(target)), amount.to_bytes(32), 0)


def list_logs(call: SolverCall) -> list[Log]:
    """Return what a chain tells of a settlement without swaps."""
    logs = []
    for fill in call.batch.fills:
        order = fill.order
        standing = order.lane << 192 | order.seq << 128 | fill.amount
        data = encode(["uint256", "uint256"], [standing, fill.amount_in << 128 | fill.amount_out])
        logs.append(Log(SETTLE, (FILLED.topic, word(order.owner)), data, 0))
        logs.append(transfer(order.token_in, order.owner, SETTLE, fill.amount_in))
        logs.append(transfer(order.token_out, SETTLE, order.pays_to, fill.amount_out))
    for advance in call.batch.advances:
        logs.append(transfer(advance.token, SETTLE, SOLVER, advance.amount))
        logs.append(transfer(advance.token, SOLVER, TREASURY, advance.amount))
    return logs


@pytest.fixture
def call() -> SolverCall:
    book = [
        make_order((0, 1), 2 * UNIT, UNIT, owner=1),
        make_order((1, 0), UNIT, 2 * UNIT, owner=2),
        make_order((1, 2), UNIT, 4 * UNIT, owner=3),
        make_order((2, 1), 4 * UNIT, UNIT, owner=4),
    ]
    return settle(find_match(book, NO_POOLS, PRICES))


def test_find_mismatches_as_asked_none(call: SolverCall) -> None:
    assert find_mismatches(call, list_logs(call), SETTLE, SOLVER) == ()


def test_find_mismatches_any_log_missing_twice_or_changed_is_told(
    call: SolverCall, rng: random.Random
) -> None:
    logs = list_logs(call)
    for index, log in enumerate(logs):
        changed = replace(log, data=log.data[:-1] + bytes([log.data[-1] ^ 1 << rng.randrange(8)]))
        for others in ([], [log, log], [changed]):
            assert find_mismatches(call, [*logs[:index], *others, *logs[index + 1 :]], SETTLE, SOLVER)


def test_find_mismatches_gifts_to_the_solver_and_the_treasury_are_none(call: SolverCall) -> None:
    token, stranger = TOKENS[0].address, to_address(b"\xa5" * 20)
    gifts = [transfer(token, SOLVER, TREASURY, 7), transfer(token, stranger, TREASURY, 7)]
    assert find_mismatches(call, [*list_logs(call), *gifts], SETTLE, SOLVER) == ()
    assert find_mismatches(call, [*list_logs(call), transfer(token, stranger, SOLVER, 7)], SETTLE, SOLVER)
