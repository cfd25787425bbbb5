"""The rule of lanes, as ``contracts/types/Lane.sol`` has it."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.errors import SettleRevertError


@dataclass(frozen=True, slots=True)
class Lane:
    """Where an account stands on one of its lanes: the lowest ``seq`` that may still fill, and what is
    ``filled`` of the order with it, in what that order counts in."""

    seq: int = 0
    filled: int = 0

    def fill(self, seq: int, amount: int, size: int) -> Lane:
        """Return the lane after ``amount`` of an order of ``size`` with ``seq`` (``LaneLibrary.fill``).

        Raises:
            SettleRevertError: SeqPassed, Overfilled.
        """
        if seq < self.seq:
            raise SettleRevertError("SeqPassed", f"seq {seq}", f"at least {self.seq}")
        total = amount + (self.filled if seq == self.seq else 0)
        if total > size:
            raise SettleRevertError("Overfilled", f"{total} filled", f"at most {size}")
        return Lane(seq, total)

    def cancel(self, last_seq: int) -> Lane:
        """Return the lane with every order up to and with ``last_seq`` dead (``LaneLibrary.cancel``).

        Raises:
            SettleRevertError: SeqPassed.
        """
        if last_seq < self.seq:
            raise SettleRevertError("SeqPassed", f"seq {last_seq}", f"at least {self.seq}")
        return Lane(last_seq + 1, 0)
