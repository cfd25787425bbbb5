"""All that the journal's lines come to."""

from __future__ import annotations

from onchain_exec.core import Address
from onchain_exec.execution.channels import TrackRecord
from onchain_exec.oms.book.intent_terms import LaneKey
from onchain_exec.oms.book.parents import Parents
from onchain_exec.oms.book.switches import Switch
from onchain_exec.oms.book.undo import TrackedDict, UndoDict, UndoLog
from onchain_exec.oms.book.views import AllowanceKey, Consumer, Found, OrderView, SlotKey, SlotView


class Book:
    """All that the events say, as one mutable value; `fold.apply` is its only writer.

    ``positions`` are base units by (chain id, owner, token), ``gas_wei`` wei paid by (chain id, account),
    both from canonical receipts; a reorg takes them back. ``floors`` are the highest nonces that the chain
    was seen to expect since the last reorg, ``tops`` the nonces after the highest that was reserved, both
    by (chain id, account). ``undecided`` are the orders without an end, ``unsettled`` the slots without a
    final consumer, ``unsigned`` those without any bytes and without a consumer, ``intents`` the orders
    whose intent has no final end, ``lanes`` the order of each intent's lane, ``newest_final`` the highest
    final transactions of ours by chain id, ``switches`` what people stopped, by scope, ``records`` what the
    chain has shown of each channel, and of each endpoint as ``CHANNEL@ENDPOINT``, ``allowances`` what
    others were last found able to pull. ``undo`` takes the last events back.
    """

    def __init__(self) -> None:
        log = self.undo = UndoLog()
        self.orders: TrackedDict[str, OrderView] = TrackedDict(log)
        self.parents = Parents(log, self.orders)
        self.switches: dict[str, Switch] = UndoDict(log)
        self.slots: TrackedDict[SlotKey, SlotView] = TrackedDict(log)
        self.client_ids: dict[str, str] = UndoDict(log)
        self.tx_slots: dict[str, SlotKey] = UndoDict(log)
        self.floors: dict[tuple[int, Address], int] = UndoDict(log)
        self.tops: dict[tuple[int, Address], int] = UndoDict(log)
        self.undecided: dict[str, None] = UndoDict(log)
        self.unsettled: dict[SlotKey, None] = UndoDict(log)
        self.unsigned: dict[SlotKey, None] = UndoDict(log)
        self.intents: dict[str, None] = UndoDict(log)
        self.lanes: dict[LaneKey, str] = UndoDict(log)
        self.newest_final: dict[int, Consumer] = UndoDict(log)
        self.positions: dict[tuple[int, Address, Address], int] = UndoDict(log)
        self.gas_wei: dict[tuple[int, Address], int] = UndoDict(log)
        self.records: dict[str, TrackRecord] = UndoDict(log)
        self.allowances: dict[AllowanceKey, Found] = UndoDict(log)
