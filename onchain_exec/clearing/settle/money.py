"""Which tokens a call moves, in the contract's order, and whether they are there to be moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from onchain_exec.clearing.settle.batch import Batch
from onchain_exec.clearing.settle.fill import SettleFill
from onchain_exec.core import Address
from onchain_exec.errors import SettleRevertError

Balances: TypeAlias = Mapping[tuple[Address, Address], int]
"""Base units by (token, account)."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """``amount`` base units of ``token`` from one account to another. A ``watched`` one must grow the
    target's balance by as much, so it cannot be to oneself."""

    token: Address
    source: Address
    target: Address
    amount: int
    watched: bool = False


def get_batch_transfers(batch: Batch, contract: Address, sender: Address) -> Iterator[Transfer]:
    """Yield what ``Settle.settle`` moves: sells in, advances, buys out, fees. What the sender's callback
    moves in between is its own affair."""
    for fill in batch.fills:
        yield Transfer(fill.order.token_in, fill.order.owner, contract, fill.amount_in)
    for part in batch.advances:
        yield Transfer(part.token, contract, sender, part.amount)
    for fill in batch.fills:
        yield Transfer(fill.order.token_out, contract, fill.order.pays_to, fill.amount_out, watched=True)
    for token in batch.tokens:
        fee = sum(fill.fee for fill in batch.fills if fill.order.token_out == token)
        if fee:
            yield Transfer(token, contract, sender, fee)


def get_pair_transfers(one: SettleFill, other: SettleFill, sender: Address) -> Iterator[Transfer]:
    """Yield what ``Settle.pair`` moves."""
    for payer, payee in ((one, other), (other, one)):
        token, owner = payer.order.token_in, payer.order.owner
        yield Transfer(token, owner, payee.order.pays_to, payee.amount_out, watched=True)
        if payee.fee:
            yield Transfer(token, owner, sender, payee.fee)


def get_take_transfers(fill: SettleFill, sender: Address) -> Iterator[Transfer]:
    """Yield what ``Settle.take`` moves."""
    order = fill.order
    yield Transfer(order.token_out, sender, order.pays_to, fill.amount_out, watched=True)
    yield Transfer(order.token_in, order.owner, sender, fill.amount_in)


def apply_batch(
    balances: Balances, batch: Batch, contract: Address, sender: Address
) -> dict[tuple[Address, Address], int]:
    """Return the balances after ``Settle.settle`` without a callback.

    Raises:
        SettleRevertError: TokenCallFailed, TransferShort, or Unbalanced: the batch would use up what lies in
            the contract of a token.
    """
    after = apply_transfers(balances, get_batch_transfers(batch, contract, sender))
    for token in batch.tokens:
        before, held = balances.get((token, contract), 0), after.get((token, contract), 0)
        if held < before:
            raise SettleRevertError("Unbalanced", f"{held} of {token} in the contract", f"{before}")
    return after


def apply_transfers(balances: Balances, transfers: Iterable[Transfer]) -> dict[tuple[Address, Address], int]:
    """Return the balances after the transfers. An allowance below what an account sells is for the caller to
    take off its balance.

    Raises:
        SettleRevertError: TokenCallFailed, an account lacks what it is to give; TransferShort, a watched
            transfer to oneself.
    """
    after = dict(balances)
    for part in transfers:
        held = after.get((part.token, part.source), 0)
        if held < part.amount:
            raise SettleRevertError(
                "TokenCallFailed", f"{part.source} has {held} of {part.token}", f"{part.amount}"
            )
        if part.watched and part.source == part.target and part.amount:
            raise SettleRevertError("TransferShort", f"{part.source} pays itself", "two accounts")
        after[part.token, part.source] = held - part.amount
        after[part.token, part.target] = after.get((part.token, part.target), 0) + part.amount
    return after
