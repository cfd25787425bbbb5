"""What the server takes and gives, as OpenAPI tells it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from onchain_exec.app.engine import ParentRequest
from onchain_exec.app.request import Request
from onchain_exec.core import Comparison, Condition, Exact, to_address
from onchain_exec.oms import SwitchState

ClientOrderId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
DecimalText = Annotated[
    str, Field(pattern=r"^[0-9]{1,40}(\.[0-9]{1,40})?$", description="A decimal number, as text")
]
Units = Annotated[str, Field(pattern=r"^[0-9]{1,39}$", description="Base units, as text")]
TokenName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="A listed symbol, or an address")
]
Count = Annotated[int, Field(strict=True)]
AddressText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class ConditionIn(BaseModel):
    """What must hold after the swap, or it reverts: word number ``word`` (from 0) of what ``target`` answers
    to a static call with ``data``, compared with ``bound``."""

    model_config = ConfigDict(extra="forbid")

    target: AddressText
    data: Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2}){4,1024}$", description="Calldata, as hex")]
    comparison: Literal["at_least", "at_most", "equal", "signed_at_least", "signed_at_most"]
    bound: Annotated[
        str, Field(pattern=r"^-?[0-9]{1,78}$", description="A whole number in the answer's unit, as text")
    ]
    word: Annotated[Count, Field(ge=0, le=1_000)] = 0
    label: Annotated[str, Field(max_length=100)] = ""

    def to_condition(self) -> Condition:
        """Return the condition.

        Raises:
            InputError: a wrong checksum, or a bound that its comparison's type cannot hold.
        """
        return Condition(
            to_address(self.target),
            bytes.fromhex(self.data[2:]),
            Comparison[self.comparison.upper()],
            int(self.bound),
            self.word,
            self.label,
        )


class OrderIn(BaseModel):
    """A parent order. The client order id is the idempotency key: the same order again is the same order.

    Exactly one of ``amount`` (whole tokens) and ``amount_base_units`` is given; it counts ``sell``, or
    ``buy`` for ``exact`` "out". Prices are whole tokens bought per whole token sold.
    """

    model_config = ConfigDict(extra="forbid")

    client_order_id: ClientOrderId
    sell: TokenName
    buy: TokenName
    amount: DecimalText | None = None
    amount_base_units: Annotated[str, Field(pattern=r"^[0-9]{1,78}$")] | None = None
    exact: Literal["in", "out"] = "in"
    max_slippage_bps: Annotated[Count, Field(ge=0, lt=10_000)] | None = None
    good_for_s: Annotated[Count, Field(ge=1, le=10**9)] = 3_600
    limit_price: DecimalText | None = None
    stop_price: DecimalText | None = None
    slices: Annotated[Count, Field(ge=1, le=10_000)] = 1
    interval_s: Annotated[Count, Field(ge=0, le=10**7)] = 0
    fill_or_kill: Annotated[bool, Field(strict=True)] = False
    reduce_only: Annotated[bool, Field(strict=True)] = False
    replaces: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""
    accounts: Annotated[list[AddressText], Field(max_length=64)] = []
    conditions: Annotated[list[ConditionIn], Field(max_length=16)] = []
    chain_id: Annotated[Count, Field(ge=1)] | None = Field(
        None, description="Needed where several are traded"
    )

    def to_request(self) -> ParentRequest:
        """Return the order in the engine's words.

        Raises:
            InputError: an account whose checksum is wrong, or a condition that cannot be.
        """
        units = self.amount_base_units
        return ParentRequest(
            trade=Request(
                sell=self.sell,
                buy=self.buy,
                amount=self.amount,
                amount_base_units=None if units is None else int(units),
                exact=Exact(self.exact),
                max_slippage_bps=self.max_slippage_bps,
                client_order_id=self.client_order_id,
                conditions=[condition.to_condition() for condition in self.conditions],
            ),
            good_for_s=self.good_for_s,
            limit_price=_read_price(self.limit_price),
            stop_price=_read_price(self.stop_price),
            slices=self.slices,
            interval_s=self.interval_s,
            fill_or_kill=self.fill_or_kill,
            replaces=self.replaces,
            accounts=tuple(to_address(account) for account in self.accounts),
        )


class SwitchIn(BaseModel):
    """How far a scope may go: RUNNING, PAUSED (nothing new begins), KILLED (nothing is signed or sent)."""

    model_config = ConfigDict(extra="forbid")

    state: SwitchState
    reason: Annotated[str, Field(max_length=200)] = ""


class Problem(BaseModel):
    """An error: its name, what was found, what was needed, and what to do. Of a signed order that is refused
    ``reason`` names the rule."""

    code: str
    found: str
    needed: str = ""
    todo: str = ""
    reason: str = ""


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 429, 503)
}
"""What any route may answer instead."""


class Document(BaseModel):
    """A JSON document as the command line prints it."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Document:
        """Return the document of these fields."""
        return cls(**fields)


def _read_price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
