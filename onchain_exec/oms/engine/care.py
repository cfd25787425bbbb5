"""What an open nonce slot needs: its bytes sent again, replaced, or cancelled."""

from __future__ import annotations

import enum

from onchain_exec.execution import Fees, Purpose, is_outbid
from onchain_exec.oms.book.conduct import needs_cancel, needs_reprice
from onchain_exec.oms.book.views import OrderView, SlotView


class Care(enum.Enum):
    """What to do with a slot whose bytes may still be mined."""

    SEND = "send"  # the newest bytes again, as they are
    SPEED_UP = "speed_up"  # the same for a higher fee
    CANCEL = "cancel"  # nothing to oneself, for a higher fee


def find_care(slot: SlotView, order: OrderView, market: Fees, base_fee_wei: int, now: int) -> Care:
    """Return what the slot of an order needs; ``now`` is unix seconds.

    What is to be cancelled (see `needs_cancel`) is. What others have and cannot attack is replaced at once,
    as what the market outbids is, a cancel by a cancel.
    """
    newest = slot.attempts[-1].tx
    if needs_cancel(slot, order, now):
        return Care.CANCEL
    if is_outbid(newest.raw, market, base_fee_wei) or needs_reprice(slot):
        return Care.CANCEL if newest.purpose is Purpose.CANCEL else Care.SPEED_UP
    return Care.SEND
