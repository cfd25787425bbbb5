"""A parent order in the caller's words, and from there to base units."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from onchain_exec.app.engine.lane import Lane
from onchain_exec.app.path.routers import require_runnable
from onchain_exec.app.request import Request
from onchain_exec.core import Address, ParentOrder, Token
from onchain_exec.errors import InputError


@dataclass(frozen=True, slots=True)
class ParentRequest:
    """What to trade as in `Request`, and when. Prices are whole tokens bought per whole token sold;
    ``good_for_s`` is how long it may trade; ``accounts`` empty means all of the lane's; ``replaces`` names
    a parent by its id or client order id."""

    trade: Request
    good_for_s: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    slices: int = 1
    interval_s: int = 0
    fill_or_kill: bool = False
    replaces: str = ""
    accounts: tuple[Address, ...] = ()

    async def resolve(self, lane: Lane) -> ParentOrder:
        """Return the parent order on this chain.

        Raises:
            InputError: a token, amount or price that cannot be used, or conditions that the chain cannot run.
            NodeError: the node fails.
        """
        trade, policy = self.trade, lane.context.policy
        trade.require_sound()
        require_runnable(lane.context.profile, trade.conditions)
        token_in, token_out = await lane.path.find_tokens(trade.sell, trade.buy)
        now, order_id = lane.context.now(), uuid.uuid4().hex
        replaced = lane.context.journal.find_parent(self.replaces) if self.replaces else None
        slippage = trade.max_slippage_bps
        return ParentOrder(
            order_id=order_id,
            client_order_id=trade.client_order_id or order_id,
            accounts=self.accounts or tuple(lane.signers),
            token_in=token_in,
            token_out=token_out,
            amount=trade.get_base_units(token_in, token_out),
            exact=trade.exact,
            max_slippage_bps=policy.max_slippage_bps if slippage is None else slippage,
            starts_at=now,
            expires_at=now + self.good_for_s,
            limit_price=_scale(self.limit_price, token_in, token_out),
            stop_price=_scale(self.stop_price, token_in, token_out),
            slices=self.slices,
            interval_s=self.interval_s,
            fill_or_kill=self.fill_or_kill,
            replaces=replaced.parent.order_id if replaced else self.replaces,
            conditions=tuple(trade.conditions),
        )


def _scale(price: Decimal | None, token_in: Token, token_out: Token) -> Fraction | None:
    """Return a price of whole tokens in base units."""
    if price is None:
        return None
    if not isinstance(price, Decimal) or not price.is_finite():
        raise InputError(f"the price {price!r}", needed='a Decimal of whole tokens: Decimal("2000.5")')
    return Fraction(price) * Fraction(10**token_out.decimals, 10**token_in.decimals)
