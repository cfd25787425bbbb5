"""What an order says once it is signed for the Settle contract: an intent, alone on a lane of its own."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Self

import msgspec

from onchain_exec.clearing.settle import Domain, Flags, SettleOrder
from onchain_exec.core import Address, Exact, Order, to_address
from onchain_exec.core.hashing import keccak

SEQ: Final = 1
"""Of every intent: whatever else happens on its lane ends it."""


class LaneKey(NamedTuple):
    """One lane of an owner at a Settle contract."""

    chain_id: int
    contract: Address
    owner: Address
    lane: int


class IntentTerms(msgspec.Struct, frozen=True, gc=False):
    """What an intent adds to its order: where it counts, the bounds (``amount_in`` at most, ``amount_out`` at
    least, base units), ``deadline_at``, the last unix second at which it may be filled, and ``since_block``,
    the head at which it was signed."""

    chain_id: int
    contract: Address
    lane: int
    amount_in: int
    amount_out: int
    deadline_at: int
    since_block: int

    @property
    def domain(self) -> Domain:
        """Where it counts."""
        return Domain(self.chain_id, self.contract)

    def get_key(self, order: Order) -> LaneKey:
        """Return the lane that it has to itself."""
        return LaneKey(self.chain_id, self.contract, order.account, self.lane)

    def make_order(self, order: Order) -> SettleOrder:
        """Return what the owner signs: all of it or nothing, by whomever, without a fee."""
        exact_out = Flags.EXACT_OUT if order.exact is Exact.OUT else Flags.NONE
        return SettleOrder(
            owner=order.account,
            receiver=order.recipient,
            token_in=order.token_in.address,
            token_out=order.token_out.address,
            amount_in=self.amount_in,
            amount_out=self.amount_out,
            deadline_at=self.deadline_at,
            lane=self.lane,
            seq=SEQ,
            flags=Flags.FILL_OR_KILL | exact_out,
        )

    def get_digest(self, order: Order) -> bytes:
        """Return the 32 bytes that are signed; they name the intent everywhere.

        Raises:
            InputError: a bound beyond 128 bits, or a deadline beyond 32.
        """
        return self.domain.get_digest(self.make_order(order))

    def to_json(self) -> dict[str, Any]:
        """Return the terms as JSON values, amounts as text."""
        return {
            "chain_id": self.chain_id,
            "contract": self.contract,
            "lane": self.lane,
            "amount_in": str(self.amount_in),
            "amount_out": str(self.amount_out),
            "deadline_at": self.deadline_at,
            "since_block": self.since_block,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the terms that `to_json` wrote."""
        return cls(
            chain_id=value["chain_id"],
            contract=to_address(value["contract"]),
            lane=value["lane"],
            amount_in=int(value["amount_in"]),
            amount_out=int(value["amount_out"]),
            deadline_at=value["deadline_at"],
            since_block=value["since_block"],
        )


def get_lane(order_id: str, taken: int) -> int:
    """Return the lane for an order's intent after so many that are ``taken``: what a stop forgot is found
    again, so that two signatures of one order, should there ever be two, share what can be filled."""
    return int.from_bytes(keccak(f"{order_id}/{taken}".encode())[:4])
