"""What an open nonce slot needs: its bytes sent again, replaced, or cancelled."""

from __future__ import annotations

import enum
from typing import Final

from onchain_exec.execution import Fees, Purpose, is_outbid
from onchain_exec.oms.book.conduct import is_exposed, needs_reprice
from onchain_exec.oms.book.states import OrderState
from onchain_exec.oms.book.views import OrderView, SlotView

_UNWANTED: Final = frozenset(
    {OrderState.CANCEL_PENDING, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
)


class Care(enum.Enum):
    """What to do with a slot whose bytes may still be mined."""

    SEND = "send"  # the newest bytes again, as they are
    SPEED_UP = "speed_up"  # the same for a higher fee
    CANCEL = "cancel"  # nothing to oneself, for a higher fee


def find_care(slot: SlotView, order: OrderView, market: Fees, base_fee_wei: int, now: int) -> Care:
    """Return what the slot of an order needs; ``now`` is unix seconds.

    What nobody wants any more is cancelled: the order was cancelled or has expired, or ended before
    its swap while its approval waits. So is what was private, is not any more, and can be attacked; what
    cannot be is replaced at once, as what the market outbids is, a cancel by a cancel.
    """
    newest = slot.attempts[-1].tx
    cancels = newest.purpose is Purpose.CANCEL
    unwanted = order.state in _UNWANTED or order.is_expired(now) or is_exposed(slot, order)
    if slot.purpose is not Purpose.GAP and not cancels and unwanted:
        return Care.CANCEL
    if is_outbid(newest.raw, market, base_fee_wei) or needs_reprice(slot):
        return Care.CANCEL if cancels else Care.SPEED_UP
    return Care.SEND
