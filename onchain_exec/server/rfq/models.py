"""Requests for quotes as the server takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from onchain_exec.app.request import Request
from onchain_exec.app.rfq import Wish
from onchain_exec.core import Exact
from onchain_exec.server.models import ClientOrderId, Count, DecimalText, TokenName, Units


class WishIn(BaseModel):
    """A request for quotes. The client order id names it, and the order that settles it.

    Exactly one of ``amount`` (whole tokens) and ``amount_base_units`` is given; it counts ``sell``, or
    ``buy`` for ``exact`` "out". Quotes are taken for ``good_for_s``. ``limit_base_units`` is the least of
    ``buy`` that may come, or the most of ``sell`` that may go; makers are not told.
    """

    model_config = ConfigDict(extra="forbid")

    client_order_id: ClientOrderId
    sell: TokenName
    buy: TokenName
    amount: DecimalText | None = None
    amount_base_units: Units | None = None
    exact: Literal["in", "out"] = "in"
    good_for_s: Annotated[Count, Field(ge=1, le=300)] = 10
    limit_base_units: Units | None = None

    def to_wish(self) -> Wish:
        """Return the request in the desk's words."""
        units, limit = self.amount_base_units, self.limit_base_units
        return Wish(
            Request(
                sell=self.sell,
                buy=self.buy,
                amount=self.amount,
                amount_base_units=None if units is None else int(units),
                exact=Exact(self.exact),
                client_order_id=self.client_order_id,
            ),
            self.good_for_s,
            None if limit is None else int(limit),
        )


class PickIn(BaseModel):
    """Which quote is taken, by its digest; none is the best."""

    model_config = ConfigDict(extra="forbid")

    digest: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")] | None = None
