"""An owner's own call of the Settle contract: a lane passed, and with it every order on it."""

from __future__ import annotations

from onchain_exec.clearing.settle.batch import encode_cancel
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.oms import SETTLE
from onchain_exec.oms.book.intent_terms import LaneKey


def make_cancel(key: LaneKey, seq: int, order_id: str, client_order_id: str, expires_at: int) -> ActionOrder:
    """Return the action that kills every order on a lane up to and with ``seq``.

    Raises:
        InputError: a lane or seq beyond its 32 bits.
    """
    call = VenueCall(f"cancel lane {key.lane} up to {seq}", key.contract, encode_cancel(key.lane, seq))
    return ActionOrder(
        order_id=order_id,
        client_order_id=client_order_id,
        account=key.owner,
        venue=SETTLE,
        calls=(call,),
        conditions=(),
        expires_at=expires_at,
        takes_back=True,
    )
