"""What the journal knows of an order and of a nonce slot, as immutable values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, Self, TypeAlias

import msgspec

from onchain_exec.clearing.settle import Scheme, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import Address, Order, format_swap, to_address
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import explain
from onchain_exec.execution.channels import Decision
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms.book.fill import Fill
from onchain_exec.oms.book.intent_terms import IntentTerms
from onchain_exec.oms.book.states import Fate, OrderState, SlotState
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.oms.book.terms import QuoteTerms, condition_to_json, token_to_json


class SlotKey(NamedTuple):
    """One nonce of one account of one chain."""

    chain_id: int
    account: Address
    nonce: int

    def __str__(self) -> str:
        return f"{self.chain_id}/{self.account}/{self.nonce}"

    def at(self, nonce: int) -> SlotKey:
        """Return another nonce of the account."""
        return SlotKey(self.chain_id, self.account, nonce)

    @property
    def previous(self) -> SlotKey:
        """The nonce before."""
        return self.at(self.nonce - 1)

    @classmethod
    @lru_cache(maxsize=65_536)  # a slot's events follow one another
    def parse(cls, text: str) -> Self:
        """Return the key that ``str`` wrote."""
        chain_id, account, nonce = text.split("/")
        return cls(int(chain_id), to_address(account), int(nonce))


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """Signed bytes that stand in a slot. ``quote`` is what a swap was signed on (None otherwise);
    ``last_send`` names the newest send outcome (empty before the first), ``reason`` its text, and ``takers``
    are the endpoints that acknowledged it."""

    tx: DurableTx
    quote: QuoteTerms | None
    last_send: str = ""
    reason: str = ""
    takers: tuple[str, ...] = ()


Moves: TypeAlias = tuple[tuple[Address, int], ...]
"""By how much tokens of an account changed, in base units."""


class Consumer(msgspec.Struct, frozen=True, gc=False):
    """The canonical transaction that consumed a slot, or ended an intent, and what it moved (base units; 0
    unless it filled an order of ours; of an action ``moved``, by token). Of a stranger only the hash is kept,
    empty where nobody knows it; of a lapse, which no transaction makes, the block."""

    tx_hash: str
    block_number: int
    block_hash: str
    amount_in: int = 0
    amount_out: int = 0
    gas_cost_wei: int = 0
    moved: Moves = ()


class SlotView(msgspec.Struct, frozen=True, gc=False):
    """A nonce slot. ``session`` is the process that reserved it last, ``reserved`` how often it was
    reserved, ``orphaned`` how often a reorg took its consumer away. ``leaked`` is how many attempts there
    were when others were seen to have a private one; 0 if they were not."""

    key: SlotKey
    state: SlotState
    order_id: str
    purpose: Purpose
    session: str
    reserved: int = 1
    orphaned: int = 0
    leaked: int = 0
    attempts: tuple[Attempt, ...] = ()
    consumer: Consumer | None = None

    def get_attempt(self, tx_hash: str) -> Attempt | None:
        """Return our attempt of that hash in this slot, or None."""
        return next((attempt for attempt in self.attempts if attempt.tx.tx_hash == tx_hash), None)


class IntentEnd(msgspec.Struct, frozen=True, gc=False):
    """How an intent ended, and what proves it: the transaction that filled it or passed its lane, or the
    first block seen after its deadline that found its lane untouched."""

    fate: Fate
    consumer: Consumer

    def is_same(self, other: IntentEnd) -> bool:
        """Return whether the same transaction, or block, proves the same."""
        mine, theirs = self.consumer, other.consumer
        return (self.fate, mine.tx_hash, mine.block_hash) == (other.fate, theirs.tx_hash, theirs.block_hash)


class IntentView(msgspec.Struct, frozen=True, gc=False):
    """An order signed for the Settle contract, for whoever settles it.

    ``digest`` names it, ``signature`` is its owner's (64 bytes, EIP-2098), both as 0x text. ``answer`` is
    what the book said last (empty: nothing yet), ``reason`` its text. ``orphaned`` counts how often a reorg
    took its end away; ``final`` says that none can any more.
    """

    terms: IntentTerms
    digest: str
    signature: str
    answer: str = ""
    reason: str = ""
    end: IntentEnd | None = None
    orphaned: int = 0
    final: bool = False

    def get_signed(self, order: Order) -> OpenOrder:
        """Return what a book is given of it."""
        word = Signed(Scheme.ECDSA, bytes.fromhex(self.signature[2:]))
        return OpenOrder(bytes.fromhex(self.digest[2:]), self.terms.make_order(order), word)

    def to_json(self) -> dict[str, Any]:
        """Return the intent as JSON values, amounts as text."""
        return {
            **self.terms.to_json(),
            "digest": self.digest,
            "answer": self.answer or None,
            "reason": self.reason or None,
            "end": self.end and self.end.fate.value,
            "final": self.final,
        }


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why an order ended without a fill: a code for machines, and text for people."""

    code: str
    found: str
    needed: str
    todo: str

    def to_json(self) -> dict[str, Any]:
        """Return the failure as JSON values."""
        return {"code": self.code, "found": self.found, "needed": self.needed, "todo": self.todo}

    def __str__(self) -> str:
        return explain(f"{self.code}: {self.found}", self.needed, self.todo)


class OrderView(msgspec.Struct, frozen=True, gc=False):
    """An order as the journal holds it.

    ``order`` is None for a refusal that came before the terms were understood, for a revocation, and
    for what an account does at a venue, which is its ``action``.
    ``quote`` is what the swap was signed on, or what the order was accepted on before. ``tx_hash`` is
    the swap's (empty before it is signed), or what filled its ``intent``: an order has the one or the other.
    ``slots`` are all its nonces, in the order they were reserved.
    ``final`` says that nothing on the chain can change its state any more. ``promised`` says that it was
    accepted under ``private_only``, ``decision`` which way it goes out, the newest; ``surroundings`` is who
    was around its fill. ``call_moves`` is what each call of a mined action moved of its account's, empty
    where the chain does not tell them apart. Times are unix seconds.
    """

    order_id: str
    client_order_id: str
    state: OrderState
    order: Order | None
    quote: QuoteTerms | None
    created_at: int
    updated_at: int
    slots: tuple[SlotKey, ...] = ()
    tx_hash: str = ""
    fill: Fill | None = None
    failure: Failure | None = None
    final: bool = False
    action: ActionOrder | None = None
    decision: Decision | None = None
    surroundings: Surroundings | None = None
    intent: IntentView | None = None
    call_moves: tuple[Moves, ...] = ()
    promised: bool = False

    @property
    def stays_private(self) -> bool:
        """Whether it was promised that nothing of it is ever shown, when it was accepted or sent."""
        return self.promised or (self.decision is not None and self.decision.promised)

    @property
    def terms(self) -> Order | ActionOrder | None:
        """What it is to do, if that is known."""
        return self.order or self.action

    def is_expired(self, now: int) -> bool:
        """Return whether its time has passed at ``now``, unix seconds."""
        return self.terms is not None and self.terms.expires_at < now

    def __str__(self) -> str:
        """The order in a line, for people."""
        order, terms = self.order, self.fill or self.quote
        told = [f"order {self.order_id} is {self.state}"]
        if self.action:
            told.append(f"{self.action.label} at {self.action.venue}")
        if order and terms:
            swap = format_swap(terms.amount_in, order.token_in, terms.amount_out, order.token_out)
            told.append(f"{'filled' if self.fill else 'quoted'} {swap}")
        if self.tx_hash:
            told.append(f"transaction {self.tx_hash}")
        elif self.intent:
            told.append(f"intent {self.intent.digest}")
        if self.failure:
            told.append(str(self.failure))
        return ", ".join(told)

    def __repr__(self) -> str:
        return f"<OrderView: {self}>"

    def to_json(self) -> dict[str, Any]:
        """Return the order as JSON values: amounts as text, what is not there as null."""
        order = self.order
        return {
            "id": self.order_id,
            "client_order_id": self.client_order_id,
            "state": self.state.value,
            "final": self.final,
            "tx_hash": self.tx_hash or None,
            "account": self.action.account if self.action else order and order.account,
            "action": self.action and self.action.label,
            "venue": self.action and self.action.venue,
            "calls": self.action and self._calls_to_json(self.action),
            "recipient": order and order.recipient,
            "token_in": order and token_to_json(order.token_in),
            "token_out": order and token_to_json(order.token_out),
            "amount": order and str(order.amount),
            "exact": order and order.exact.value,
            "max_slippage_bps": order and order.max_slippage_bps,
            "expires_at": order and order.expires_at,
            "conditions": order and [condition_to_json(condition) for condition in order.conditions],
            "quote": self.quote and self.quote.to_json(),
            "channel": self.decision and self.decision.to_json(),
            "intent": self.intent and self.intent.to_json(),
            "fill": self.fill and self.fill.to_json(),
            "around": self.surroundings and self.surroundings.to_json(),
            "failure": self.failure and self.failure.to_json(),
            "nonces": [slot.nonce for slot in self.slots],
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }

    def _calls_to_json(self, action: ActionOrder) -> list[dict[str, Any]]:
        """``moved`` is null as long as nothing is mined, and where calls cannot be told apart."""
        moves = self.call_moves or (None,) * len(action.calls)
        return [
            {
                "label": call.label,
                "moved": None if moved is None else {token: str(change) for token, change in moved},
            }
            for call, moved in zip(action.calls, moves, strict=True)
        ]


class AllowanceKey(NamedTuple):
    """Who may pull what from whom."""

    chain_id: int
    account: Address
    token: Address
    spender: Address

    def __str__(self) -> str:
        return "/".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that ``str`` wrote."""
        chain_id, *addresses = text.split("/")
        return cls(int(chain_id), *map(to_address, addresses))


class Found(NamedTuple):
    """Base units that others were last found able to pull, and how often that was corrected."""

    amount: int = 0
    times: int = 0
