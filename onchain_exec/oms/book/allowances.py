"""What others may pull from our accounts, as the chain was last found to have it.

No transaction of ours says all of it: swaps use allowances up, tokens treat endless ones each in its own
way, and a stranger with the key may grant some. So reconciliation reads them, and corrects the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onchain_exec.core import address_bytes
from onchain_exec.execution.plan import Purpose
from onchain_exec.execution.signers.transaction import decode_unsigned
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.views import AllowanceKey, Found, IntentView, OrderView, SlotView
from onchain_exec.venues.erc20 import APPROVE


def correct(book: Book, found: Mapping[AllowanceKey, int]) -> Iterator[Event]:
    """Yield what the chain has otherwise than the book."""
    for key, amount in sorted(found.items()):
        before = book.allowances.get(key, Found())
        if before.amount != amount:
            yield _allowance_found(key, amount, before)


def note_allowance(book: Book, event: Event, recorded_at: int) -> None:
    """Take in a correction."""
    key = AllowanceKey.parse(event.payload["allowance"])
    before = book.allowances.get(key, Found())
    book.allowances[key] = Found(int(event.payload["amount"]), before.times + 1)


def sum_waiting(book: Book, key: AllowanceKey, besides: str, nonce: int | None) -> int:
    """Return what orders without an end, but for ``besides``, were granted of an allowance and may still have
    pulled, in base units: by a transaction that approves it, or by an intent. With ``nonce``, what waits for
    an approval there: an approval of a higher one will see to its own, and a swap of a lower one has pulled.
    """
    views = (book.orders[order_id] for order_id in book.undecided if order_id != besides)
    return sum(_get_waiting(book, view, key, nonce) for view in views)


def sum_needed(book: Book, key: AllowanceKey) -> int:
    """Return what orders without an end may yet have pulled of an allowance at the most, in base units,
    whether or not it was granted for them."""
    return sum(_get_needed(book.orders[order_id], key) for order_id in book.undecided)


def _get_needed(view: OrderView, key: AllowanceKey) -> int:
    order, action, intent = view.order, view.action, view.intent
    if action and action.account == key.account:
        place = key.token, key.spender
        return sum(spend.amount for spend in action.pulled if (spend.token, spend.spender) == place)
    if order is None or (order.account, order.token_in.address) != (key.account, key.token):
        return 0
    if intent:
        return _get_open(intent, key)
    return view.quote.amount_in_max if view.quote else 0


def _get_open(intent: IntentView, key: AllowanceKey) -> int:
    """Return what an intent may still have pulled."""
    return intent.terms.amount_in if intent.end is None and intent.terms.contract == key.spender else 0


def _get_waiting(book: Book, view: OrderView, key: AllowanceKey, nonce: int | None) -> int:
    order, intent = view.order, view.intent
    if order is None or (order.account, order.token_in.address) != (key.account, key.token):
        return 0
    if intent:
        return _get_open(intent, key)
    slots = [book.slots[slot] for slot in view.slots if slot.chain_id == key.chain_id]
    before = [slot for slot in slots if nonce is None or slot.key.nonce < nonce]
    is_granted = any(slot.purpose is Purpose.ALLOWANCE and _may_grant(slot, key) for slot in before)
    has_pulled = nonce is not None and any(slot.purpose is Purpose.SWAP for slot in before)
    return view.quote.amount_in_max if view.quote and is_granted and not has_pulled else 0


def _may_grant(slot: SlotView, key: AllowanceKey) -> bool:
    """Return whether the slot's bytes approve the spender; where nothing is signed yet, they may."""
    head = APPROVE.selector + bytes(12) + address_bytes(key.spender)
    transactions = [decode_unsigned(attempt.tx.raw) for attempt in slot.attempts]
    return not transactions or any(tx.to == key.token and tx.data.startswith(head) for tx in transactions)


def _allowance_found(key: AllowanceKey, amount: int, before: Found) -> Event:
    payload: dict[str, Any] = {"allowance": str(key), "amount": str(amount), "before": str(before.amount)}
    return Event(f"allowance_found/{key}/{before.times}", EventKind.ALLOWANCE_FOUND, "", None, payload)
