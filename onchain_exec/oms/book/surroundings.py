"""Who was around a trade in its block, in the words the journal keeps."""

from __future__ import annotations

import enum
from typing import Any, Self

import msgspec


class NeighbourKind(enum.Enum):
    """What somebody else did around a trade of ours."""

    SANDWICH = "sandwich"  # bought before us and sold it again behind us, dearer because of us
    DISPLACEMENT = "displacement"  # traded our way before us, and no more
    BACK_RUN = "back_run"  # brought the pools back in line behind us, and gained by it


class Neighbour(msgspec.Struct, frozen=True, gc=False):
    """Transactions of one party. ``loss`` is what our trade lost to them, in base units of the token that
    the trade left open: what it got less (Exact.IN) or paid more (Exact.OUT) than without them; negative
    where they served us."""

    kind: NeighbourKind
    tx_hashes: tuple[str, ...]
    pools: tuple[str, ...]
    loss: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, the loss as text."""
        return {
            "kind": self.kind.value,
            "tx_hashes": list(self.tx_hashes),
            "pools": list(self.pools),
            "loss": str(self.loss),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the neighbour that `to_json` wrote."""
        return cls(
            NeighbourKind(value["kind"]), tuple(value["tx_hashes"]), tuple(value["pools"]), int(value["loss"])
        )


class Surroundings(msgspec.Struct, frozen=True, gc=False):
    """What was found around a trade in the block of that hash.

    ``loss`` is what all sandwiches took together, as `Neighbour.loss` counts. ``is_exact`` says that the
    replay of the block gave what the trade got, to the unit, and that nothing in it had to be guessed.
    ``refund_wei`` is what others paid the account behind the trade, in the same block.
    """

    block_hash: str
    neighbours: tuple[Neighbour, ...] = ()
    loss: int = 0
    is_exact: bool = True
    refund_wei: int = 0

    @property
    def is_attacked(self) -> bool:
        """Whether somebody made a sandwich of the trade."""
        return any(neighbour.kind is NeighbourKind.SANDWICH for neighbour in self.neighbours)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, amounts as text."""
        return {
            "block_hash": self.block_hash,
            "neighbours": [neighbour.to_json() for neighbour in self.neighbours],
            "loss": str(self.loss),
            "is_exact": self.is_exact,
            "refund_wei": str(self.refund_wei),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the surroundings that `to_json` wrote."""
        return cls(
            value["block_hash"],
            tuple(map(Neighbour.from_json, value["neighbours"])),
            int(value["loss"]),
            value["is_exact"],
            int(value["refund_wei"]),
        )
