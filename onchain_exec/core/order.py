"""What the trader wants, before any view of the chain."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from onchain_exec.core.address import Address
from onchain_exec.core.condition import Condition
from onchain_exec.core.token import Token


class Exact(enum.Enum):
    """Which side of a swap the given amount fixes."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Order:
    """A market order to swap ``token_in`` for ``token_out``.

    ``amount`` is base units of ``token_in`` for Exact.IN, of ``token_out`` for Exact.OUT.
    ``max_slippage_bps`` bounds the fill against the quote it was accepted on. ``expires_at`` is
    unix seconds: past it the transaction reverts on chain. ``order_id`` is unique in a journal;
    the ``client_order_id`` is the caller's idempotency key. ``parent_id`` names the `ParentOrder` that
    it is a part of (empty: none). ``conditions`` must hold after the swap, or it reverts on chain.
    """

    order_id: str
    client_order_id: str
    account: Address
    recipient: Address
    token_in: Token
    token_out: Token
    amount: int
    exact: Exact
    max_slippage_bps: int
    expires_at: int
    parent_id: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def priced(self) -> Token:
        """The token whose amount the market decides: token_out for Exact.IN, token_in for Exact.OUT."""
        return self.token_out if self.exact is Exact.IN else self.token_in
